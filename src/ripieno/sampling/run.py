"""One run, for everybody: sample, revise, write what chords still lack, mend.  (Paper 5, and past it)

Whoever composes, from the command line, in the studio or in the evaluation, drives `compose_and_mend`, so that the same
request is the same music everywhere. It is a sampler as those of `sampling.passes` are: it calls no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ripieno.edits.log import EditLog
from ripieno.edits.policy import Policy
from ripieno.models.context import Context
from ripieno.music.piece import Key
from ripieno.music.voices import Separate
from ripieno.sampling.ancestral import compose
from ripieno.sampling.drafting import EXACT, QUALITIES
from ripieno.sampling.mending import CARES, MENDERS_PRICES, PARALLELS, Hopeless, is_mended, mend
from ripieno.sampling.passes import Sampler
from ripieno.sampling.revising import Revising, go_over, is_revised, standing
from ripieno.sampling.speculative import compose_lossless
from ripieno.sampling.stopping import StopRule

STOP_RULE = StopRule()
LOSSLESS = "lossless"
# How long a full piece is gone over, beside `QUALITIES` of `sampling.drafting`: "exact" is the paper's, and so is
# "lossless"; the others chosen on JSB valid.  (docs/log.md#revising)
REVISINGS = {
    "exact": Revising(),
    "lossless": Revising(),
    "high": Revising(n_rounds=16),
    "fast": Revising(n_rounds=8),
}
MENDS: dict[str, Mapping[str, float]] = {"faults": MENDERS_PRICES, "parallels": PARALLELS, "nothing": {}}


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a run goes.

    mended: one of `MENDS`, what is put right at the end.
    quality: one of `QUALITIES`, or "lossless".
    revising: how a full piece is gone over; what is usual for the quality unless given.
    key, beat_phase: for mending; see `music.part_writing.judge`. It is the key that the model heard,
        guessed or not; unless given, all the notes of the finished piece tell it.
    phrases, last: where phrases come to rest, and where the tune's last note begins; for mending, too.
    separate: tells four voices apart.
    on_gpu: where a pass over many rolls costs hardly more than over one.
    hopeless: what mending has tried in vain; from one call to the next it is not tried again.
    """

    seed: int = 0
    quality: str = "high"
    revising: Revising | None = None
    mended: str = "faults"
    key: Key | None = None
    beat_phase: int = 0
    phrases: tuple[tuple[int, int], ...] = ()
    last: int | None = None
    separate: Separate | None = None
    on_gpu: bool = False
    hopeless: Hopeless = field(default_factory=set)


def compose_and_mend(
    log: EditLog,
    context: Context,
    policy: Policy,
    way: Way,
    iterations: int | None = None,
    stop: StopRule | None = STOP_RULE,
) -> Sampler:
    """Write until the piece is full, go over it again and again, then put right what is asked for.

    Args:
        log: where to begin. One that is mended already, or revised to the end, is not sampled again, for the model
            would write again what was mended; one that is being revised is revised further.
        context: of the roll.
        policy: which cells may change, and the temperature.
        way: how.
        iterations: sampled edits at the most; a round of revising counts as one.
        stop: when the piece is finished; None goes on for ever, as the paper does, and neither revises nor mends.
    """
    if stop is None or not (is_mended(log) or is_revised(log)):
        revising = REVISINGS[way.quality] if way.revising is None else way.revising
        begun = len(log.entries)
        if stop is None or not (revising.n_rounds and standing(log).n_rounds):
            start = log, context, policy, way.seed, iterations, stop
            # of the same law as "exact", and faster on a GPU
            if way.quality == LOSSLESS or (way.quality == "exact" and way.on_gpu):
                log = yield from compose_lossless(*start)
            else:
                log = yield from compose(*start, QUALITIES[way.quality])
        if stop is not None:
            left = None if iterations is None else max(iterations - (len(log.entries) - begun), 0)
            drafts = QUALITIES.get(way.quality, EXACT)
            log = yield from go_over(log, context, policy, revising, way.seed, stop, drafts, left)
    if stop is None:
        return log
    if policy.chords is not None:  # what is asked for is written, likely or not
        completing = replace(policy, only_completes=True)
        log = yield from compose(log, context, completing, way.seed, iterations, None, QUALITIES["high"])
    if MENDS[way.mended]:
        log = yield from mend(
            log,
            context,
            policy,
            MENDS[way.mended],
            way.key,
            way.beat_phase,
            way.hopeless,
            way.separate,
            CARES[way.quality],
            way.phrases,
            way.last,
        )
    return log

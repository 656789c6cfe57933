"""Repair: real chorales damaged in known ways, how well a model finds the damage, and how well it mends it.

The paper's central claim is that a model which adds *and removes* can repair mistakes (paper 1, 5). It gives no figure.
`damage` puts about one note in twenty wrong, in one of the ways of `KINDS`:

semitone, tone, octave  one cell of a note is moved by that
shifted                 a note begins a sixteenth early or ends a sixteenth late, at the cost of its neighbour
wrong pitch             a whole note is moved by 1 to 7 semitones
off beat                a whole note is moved by one or two sixteenths: it leaves silence and cuts its neighbour short
missing                 a whole note falls silent

A *note* is a run of one pitch in one voice of the score. A note of the damaged score is wrong if any cell of it
should not sound, and good otherwise; so what is left of a note around a wrong cell is good.

Finding: each note that sounds gets a score, and the wrong ones should have the highest. What is missing does not
sound, so it counts in mending only.

Mending is judged on the merged roll, since ES-Net knows no voices. A fault is *restored* if every cell of the true
note, and every cell that the damage changed, is as it was. A good note is *spoiled* if one of its cells has gone, or if
it has been prolonged by a cell that was never there. *Invented* notes, runs of cells that neither the true nor the
damaged score has, are counted too: spoiled notes alone would let them pass.

What decides how the figures may be read:

1. Damage that leaves no trace on the roll is drawn anew: no cell that a fault silences or sounds is doubled by another
   voice. The true pitch of a damaged note is hence never in unison; 8 % of Bach's steps have one.
2. Faults of a voice have two other notes between them at least. A piece may thus have fewer than `share` asks for.
3. Coconet needs voices, and ES-Net sees the merged roll. So Coconet is asked twice. Once it is given the voices of the
   damaged score: which note belongs to which line, and where a line falls silent, of which ES-Net knows nothing; that
   is most of a hint where a note is missing, since of its four voices none ever rests. And once it has what
   `music.voices.split` makes of the roll, as it would have with anybody's piece.
4. Thresholds were chosen on JSB valid; no figure of JSB test was looked at before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, Philox

from ripieno.edits.edit import Edit
from ripieno.files.corpus import Item
from ripieno.models.context import Context, context_of
from ripieno.models.runtime import Fill, Predict, Prediction
from ripieno.music.roll import N_PITCHES, Cells, notes_of, silence
from ripieno.shapes import Bool, Float, Int

CELL_KINDS = ("semitone", "tone", "octave", "shifted")
NOTE_KINDS = ("wrong pitch", "off beat", "missing")
KINDS = CELL_KINDS + NOTE_KINDS

SEMITONES = {"semitone": 1, "tone": 2, "octave": 12}
LOWEST, HIGHEST = 36, 81  # what the JSB Chorales span
APART = 3  # notes of a voice from one fault to the next, at the least
THRESHOLD = 0.4  # for `mend`: spoils 0.8 % on 13 chorales of JSB valid, all kinds together
TRANSPOSITIONS = (0, -1, 1, -2, 2)  # semitones; more of them find no more (docs/log.md#the-same-piece-in-five-keys)
REACH = 24  # steps on either side that Coconet is shown; its convolutions reach no further than 22

Voices = Int[np.ndarray, "step voice"]


@dataclass(frozen=True, order=True)
class VoiceNote:
    """A run of one pitch in one voice, from step `onset` up to, not including, `end`. Pitch -1 is a rest."""

    voice: int
    onset: int
    end: int
    pitch: int

    @property
    def steps(self) -> slice:
        """Where it sounds."""
        return slice(self.onset, self.end)


@dataclass(frozen=True)
class Fault:
    """One damaged note.

    now: the note that sounds wrong, as it stands in the damaged score; None where one is missing.
    was: the true note.
    cells: (step, pitch) that must be right again before it counts as restored.
    """

    now: VoiceNote | None
    was: VoiceNote
    cells: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Damaged:
    """A score with faults. `notes` are all that sound in it, `wrong` which of these should not."""

    kind: str
    voices: Voices
    truth: Voices
    faults: tuple[Fault, ...]
    notes: tuple[VoiceNote, ...]
    wrong: Bool[np.ndarray, " note"]

    @property
    def good(self) -> list[VoiceNote]:
        """The notes of which every cell is right."""
        return [note for note, wrong in zip(self.notes, self.wrong, strict=True) if not wrong]


def notes_of_voices(voices: Voices, rests: bool = False) -> list[VoiceNote]:
    """The notes of every voice, voice by voice; with `rests`, also where a voice falls silent."""
    found = []
    for voice, line in enumerate(voices.T):
        changes = np.flatnonzero(line[1:] != line[:-1]) + 1
        for first, end in zip([0, *changes], [*changes, len(line)], strict=True):
            if first < end and (rests or line[first] >= 0):
                found.append(VoiceNote(voice, int(first), int(end), int(line[first])))
    return found


def merged(voices: Voices) -> Cells:
    """The roll of a score: who sings what is lost, and so is the second of two voices in unison."""
    cells = silence(len(voices))
    steps, columns = np.nonzero(voices >= 0)
    cells[0, steps, voices[steps, columns]] = True
    return cells


# --- damage


def damage(voices: Voices, kind: str, share: float, rng: Generator) -> Damaged:
    """Put some notes of a score wrong, all in the same way.

    Args:
        voices: left untouched.
        kind: one of `KINDS`.
        share: of the notes to damage; at least one is.
        rng: the only source of chance.

    Raises:
        ValueError: no such kind, `share` is not above 0 and up to 1, or no note can be damaged so.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and up to 1, not {share}")
    notes = notes_of_voices(voices)
    n_wanted = max(1, round(share * len(notes)))
    now = voices.copy()
    chosen: list[int] = []
    faults: list[Fault] = []
    for i in np.tile(rng.permutation(len(notes)), 8).tolist():  # another draw may suit a note that the first did not
        if len(faults) == n_wanted:
            break
        note = notes[i]
        if any(notes[j].voice == note.voice and abs(i - j) < APART for j in chosen):
            continue
        hurt = _hurt(note, now[:, note.voice], kind, rng)
        fault = hurt and _fault(note, *hurt, now, voices)
        if hurt and fault:
            now[:, note.voice] = hurt[0]
            chosen.append(i)
            faults.append(fault)
    if not faults:
        raise ValueError(f"no note can be damaged in the way {kind!r} here: give a piece with more, or longer, notes")
    sounding = notes_of_voices(now)
    true_cells = merged(voices)[0]
    wrong = np.array([not true_cells[note.steps, note.pitch].all() for note in sounding], dtype=bool)
    return Damaged(kind, now, voices, tuple(sorted(faults, key=lambda f: f.was)), tuple(sounding), wrong)


def _hurt(
    note: VoiceNote, line: Int[np.ndarray, " step"], kind: str, rng: Generator
) -> tuple[Int[np.ndarray, " step"], VoiceNote | None] | None:
    """The voice with this note damaged, and the note that then sounds wrong; None where it cannot be."""
    line = line.copy()
    if kind == "missing":
        line[note.steps] = -1
        return line, None
    if kind in SEMITONES or kind == "wrong pitch":
        size = SEMITONES[kind] if kind in SEMITONES else int(rng.integers(1, 8))
        pitch = note.pitch + size * int(rng.choice([-1, 1]))
        onset, end = note.onset, note.end
        if kind in SEMITONES:
            onset = int(rng.integers(note.onset, note.end))
            end = onset + 1
    else:
        by = int(rng.choice([-1, 1] if kind == "shifted" else [-2, -1, 1, 2]))
        onset, end, pitch = note.onset + by, note.end + by, note.pitch
        # the neighbour that it runs into must be a note, and keep at least one step
        first, last = (onset - 1, note.onset) if by < 0 else (note.end, end + 1)
        if first < 0 or last > len(line) or line[first] < 0 or (line[first:last] != line[first]).any():
            return None
        if kind == "off beat":
            line[note.steps] = -1
        else:
            onset, end = min(onset, note.onset), max(end, note.end)
    line[onset:end] = pitch
    return line, VoiceNote(note.voice, onset, end, pitch)


def _fault(
    was: VoiceNote, line: Int[np.ndarray, " step"], stands: VoiceNote | None, now: Voices, truth: Voices
) -> Fault | None:
    """What the change of a voice comes to; None if it leaves the range, hides in a unison or joins its neighbour."""
    cells = {(step, was.pitch) for step in range(was.onset, was.end)}
    others = np.delete(np.concatenate([now, truth], axis=1), [was.voice, was.voice + now.shape[1]], axis=1)
    for step in np.flatnonzero(line != now[:, was.voice]).tolist():
        for pitch in {int(line[step]), int(now[step, was.voice])} - {-1}:
            if not LOWEST <= pitch <= HIGHEST or pitch in others[step]:
                return None
            cells.add((step, pitch))
    if stands is not None:
        beyond = [step for step in (stands.onset - 1, stands.end) if 0 <= step < len(line)]
        if (line[beyond] == stands.pitch).any():
            return None
    return Fault(stands, was, tuple(sorted(cells)))


# --- finding


def chances(prediction: Prediction) -> Float[np.ndarray, "batch plane step pitch"]:
    """How probable it is that a cell is one of those that must change, in a batch of any size.

    The next edit is a uniform draw among these, so a cell's share of the model's own softmax is its chance divided by
    their number, which `n_left` estimates. An estimate may be above 1.
    """
    logits = prediction.logits.astype(float) / prediction.sharpness
    weights = np.exp(logits - logits.max(axis=(1, 2, 3), keepdims=True))
    n_left = np.asarray(prediction.n_left, dtype=float)[:, None, None, None]
    result: Float[np.ndarray, "batch plane step pitch"] = n_left * weights / weights.sum(axis=(1, 2, 3), keepdims=True)
    return result


def averaged_chances(
    predict: Predict, cells: Cells, context: Context, transpositions: Sequence[int] = TRANSPOSITIONS
) -> Float[np.ndarray, "plane step pitch"]:
    """`chances` of one roll, as the mean over several transpositions of it (test-time augmentation).

    The network was trained on all keys, but errs in each a little differently, and errors cancel. A transposition in
    which what sounds would leave the model's pitch window is left out, and so is a cell where it alone would.

    Args:
        predict: the model, asked once for each transposition.
        cells, context: of the roll.
        transpositions: in semitones; 0 is among them in any case.
    """
    prediction = predict(cells[None], context[None])
    total: Float[np.ndarray, "plane step pitch"] = chances(prediction)[0]
    window = np.flatnonzero(np.isfinite(prediction.logits[0]).any(axis=(0, 1)))
    sounding = np.flatnonzero(cells[0].any(axis=0))
    if not len(sounding):
        return total
    lowest, highest = window[0], window[-1]
    n_heard = np.ones(N_PITCHES)
    for by in dict.fromkeys(transpositions):
        if by == 0 or sounding[0] + by < lowest or sounding[-1] + by > highest:
            continue
        moved = chances(predict(np.roll(cells, by, axis=2)[None], context[None]))[0]
        within = slice(max(lowest, lowest - by), min(highest, highest - by) + 1)
        total[..., within] += np.roll(moved, -by, axis=2)[..., within]
        n_heard[within] += 1
    return total / n_heard


def suspicion(
    predict: Predict,
    cells: Cells,
    context: Context,
    notes: Sequence[VoiceNote],
    transpositions: Sequence[int] = TRANSPOSITIONS,
) -> Float[np.ndarray, " note"]:
    """How probable it is that a note is wrong: the highest of `averaged_chances` of any of its cells.

    A note that is wrong in one cell out of eight is wrong, so their mean would not do.
    """
    chance = averaged_chances(predict, cells, context, transpositions)[0]
    return np.array([chance[note.steps, note.pitch].max() for note in notes], dtype=float)


def leave_one_out(
    fill: Fill, voices: Voices, notes: Sequence[VoiceNote], reach: int = REACH, batch: int = 64
) -> list[Float[np.ndarray, "_ 128"]]:
    """What a model of voices expects in each note's place: log probabilities of every pitch at each of its steps.

    Args:
        fill: the model.
        voices: the score.
        notes: blanked one at a time, with all else known.
        reach: steps on either side that the model is shown; nothing changes from its receptive field on.
        batch: scores a pass.
    """
    # the shortest first, so that windows of a pass are about as long
    blanks = sorted(enumerate(notes), key=lambda blank: blank[1].end - blank[1].onset)
    expected = [np.zeros((note.end - note.onset, 128)) for note in notes]
    for begin in range(0, len(blanks), batch):
        some = blanks[begin : begin + batch]
        length = min(max(note.end - note.onset for _, note in some) + 2 * reach, len(voices))
        starts = [min(max(note.onset - reach, 0), len(voices) - length) for _, note in some]
        pitches = np.stack([voices[start : start + length] for start in starts])
        known = np.ones(pitches.shape, dtype=bool)
        for row, (start, (_, note)) in enumerate(zip(starts, some, strict=True)):
            known[row, note.onset - start : note.end - start, note.voice] = False
        log_p = fill(np.where(known, pitches, -1), known)
        for row, (start, (which, note)) in enumerate(zip(starts, some, strict=True)):
            expected[which] = log_p[row, note.onset - start : note.end - start, note.voice]
    return expected


def average_precision(scores: Float[np.ndarray, " note"], labels: Bool[np.ndarray, " note"]) -> float:
    """The area under the curve of precision against recall, a step at each score; nan if nothing is to be found.

    Notes of equal score are taken together, so that their order does not matter.
    """
    if not labels.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each stretch of equal scores
    n_found = np.cumsum(labels[order])[ends]
    return float((np.diff(n_found, prepend=0) * n_found / (ends + 1)).sum() / n_found[-1])


def roc_area(scores: Float[np.ndarray, " note"], labels: Bool[np.ndarray, " note"]) -> float:
    """The chance that a wrong note scores above a good one, a tie counting half; nan if one of them is missing."""
    values, rank = np.unique(scores, return_inverse=True)
    n_wrong = np.bincount(rank[labels], minlength=len(values))
    n_good = np.bincount(rank[~labels], minlength=len(values))
    n_pairs = int(n_wrong.sum()) * int(n_good.sum())
    below = np.cumsum(n_good) - n_good
    return float((n_wrong * (below + n_good / 2)).sum() / n_pairs) if n_pairs else float("nan")


# --- mending


@dataclass(frozen=True)
class Remedy:
    """Cells that were changed together, and the chance that the first of them had to."""

    chance: float
    edits: tuple[Edit, ...]


def mend(
    predict: Predict,
    cells: Cells,
    context: Context,
    threshold: float,
    grow: float = 0.05,
    most: int | None = None,
    transpositions: Sequence[int] = (0,),
) -> Iterator[Remedy]:
    """Change what is most probably wrong, look again, and so on while anything is probable enough.

    Nothing is drawn by chance. The course does not depend on the threshold but for where it ends, so whoever runs it
    with a low one knows it for all higher ones: see `apply_remedies`.

    Args:
        predict: the model.
        cells: the damaged roll; left untouched.
        context: of the roll.
        threshold: the chance of having to change below which nothing is changed.
        grow: cells before and after the chosen one, at its pitch and sounding or silent as it, change with it as far as
            their chance is at least this share of its own, or of 1 if that is above: what people get wrong is longer
            than a cell. Above 1, one cell at a time.
        most: remedies at the most; one for each step unless given.
        transpositions: see `averaged_chances`; a look takes a pass for each of them.
    """
    now = cells.copy()
    n_changes = np.zeros(cells.shape, dtype=int)
    for _ in range(cells.shape[1] if most is None else most):
        # a cell that has been taken back stays as it was, or two readings would alternate for ever
        chance = np.where(n_changes < 2, averaged_chances(predict, now, context, transpositions), 0.0)
        plane, step, pitch = (int(i) for i in np.unravel_index(chance.argmax(), chance.shape))
        best = float(chance[plane, step, pitch])
        if not best >= threshold or best <= 0:
            return
        sounds = now[plane, step, pitch]
        likely = chance[plane, :, pitch] >= grow * min(best, 1.0)
        alike = likely & (now[plane, :, pitch] == sounds)
        first, end = step, step + 1
        while first > 0 and alike[first - 1]:
            first -= 1
        while end < len(alike) and alike[end]:
            end += 1
        now[plane, first:end, pitch] ^= True
        n_changes[plane, first:end, pitch] += 1
        yield Remedy(best, tuple(Edit(plane, at, pitch) for at in range(first, end)))


def apply_remedies(cells: Cells, remedies: Sequence[Remedy], threshold: float) -> Cells:
    """The roll that `mend` would have left with this threshold, if `remedies` are those of a lower one."""
    now = cells.copy()
    for remedy in remedies:
        if remedy.chance < threshold:
            break
        for edit in remedy.edits:
            now[edit] ^= True
    return now


@dataclass(frozen=True)
class Rewriting:
    """Another pitch for some steps of a voice. `margin`: how much better it is, in nats a cell."""

    margin: float
    voice: int
    onset: int
    end: int
    pitch: int


def rewritings(
    fill: Fill,
    voices: Voices,
    by_cell: bool = False,
    reach: int = REACH,
    batch: int = 64,
    expected: Sequence[Float[np.ndarray, "_ 128"]] | None = None,
) -> list[Rewriting]:
    """Where a model of voices, shown all but one note, would write another; the best first.

    Each note is rewritten as a whole, to the pitch of the best mean log probability. With `by_cell` each of its
    steps goes its own way, or no note could be moved in time; equal neighbours go together. Where a voice rests the
    margin is infinite: the model knows no rests. What overlaps a better rewriting in time is left out, since beside a
    wrong note right ones look wrong too.

    Args:
        fill, voices, reach, batch: see `leave_one_out`.
        by_cell: see above; blanks are whole notes either way.
        expected: `leave_one_out` of the notes and rests of all voices, if it is known.
    """
    notes = notes_of_voices(voices, rests=True)
    if expected is None:
        expected = leave_one_out(fill, voices, notes, reach=reach, batch=batch)
    found = []
    for note, log_p in zip(notes, expected, strict=True):
        best = log_p.argmax(axis=1) if by_cell else np.full(len(log_p), log_p.mean(axis=0).argmax())
        for part in notes_of_voices(best[:, None]):
            if part.pitch != note.pitch:
                here = log_p[part.steps]
                gain = here[:, part.pitch] - here[:, note.pitch] if note.pitch >= 0 else np.inf
                onset, end = note.onset + part.onset, note.onset + part.end
                found.append(Rewriting(float(np.mean(gain)), note.voice, onset, end, part.pitch))
    kept: list[Rewriting] = []
    taken = np.zeros(len(voices), dtype=bool)
    for one in sorted(found, key=lambda one: (-one.margin, one.onset, one.voice)):
        if not taken[one.onset : one.end].any():
            taken[one.onset : one.end] = True
            kept.append(one)
    return kept


def rewrite(voices: Voices, found: Sequence[Rewriting], margin: float) -> Voices:
    """The score with every rewriting of at least this margin carried out."""
    now = voices.copy()
    for one in found:
        if one.margin >= margin:
            now[one.onset : one.end, one.voice] = one.pitch
    return now


@dataclass(frozen=True)
class Verdict:
    """What became of the faults, and of the good notes. Verdicts add up."""

    n_faults: int = 0
    n_restored: int = 0
    n_good: int = 0
    n_spoiled: int = 0
    n_invented: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.n_faults + other.n_faults,
            self.n_restored + other.n_restored,
            self.n_good + other.n_good,
            self.n_spoiled + other.n_spoiled,
            self.n_invented + other.n_invented,
        )

    @property
    def restored(self) -> float:
        """Share of the faults."""
        return self.n_restored / self.n_faults if self.n_faults else float("nan")

    @property
    def spoiled(self) -> float:
        """Share of the good notes."""
        return self.n_spoiled / self.n_good if self.n_good else float("nan")

    @property
    def invented(self) -> float:
        """Notes that were never there, for each good one."""
        return self.n_invented / self.n_good if self.n_good else float("nan")


def verdict(damaged: Damaged, cells: Cells) -> Verdict:
    """What a roll has made of a damaged score."""
    true, before, after = merged(damaged.truth)[0], merged(damaged.voices)[0], cells[0]
    new = after & ~true & ~before
    good = damaged.good

    def is_spoiled(note: VoiceNote) -> bool:
        beyond = [step for step in (note.onset - 1, note.end) if 0 <= step < len(after)]
        return bool(not after[note.steps, note.pitch].all() or new[beyond, note.pitch].any())

    return Verdict(
        n_faults=len(damaged.faults),
        n_restored=sum(all(after[cell] == true[cell] for cell in fault.cells) for fault in damaged.faults),
        n_good=len(good),
        n_spoiled=sum(is_spoiled(note) for note in good),
        n_invented=len(notes_of(new[None])),
    )


# --- both, piece by piece


@dataclass(frozen=True)
class Repairer:
    """Something that finds and mends.

    find: a score for each of the damaged notes, higher where it is more probably wrong.
    mend: the mended roll, for each of its settings.
    """

    find: Callable[[Damaged], Float[np.ndarray, " note"]]
    mend: Callable[[Damaged], list[Cells]]


def es_net(
    predict: Predict,
    thresholds: Sequence[float],
    grow: float = 0.05,
    transpositions: Sequence[int] = TRANSPOSITIONS,
) -> Repairer:
    """ES-Net on the merged roll. For arguments see `suspicion` and `mend`; one setting for each threshold."""

    def find(damaged: Damaged) -> Float[np.ndarray, " note"]:
        cells = merged(damaged.voices)
        return suspicion(predict, cells, context_of(cells.shape[1]), damaged.notes, transpositions)

    def mend_all(damaged: Damaged) -> list[Cells]:
        if not thresholds:
            return []
        cells = merged(damaged.voices)
        context = context_of(cells.shape[1])
        remedies = list(mend(predict, cells, context, min(thresholds), grow, transpositions=transpositions))
        return [apply_remedies(cells, remedies, threshold) for threshold in thresholds]

    return Repairer(find, mend_all)


def coconet(
    fill: Fill,
    margins: Sequence[float],
    by_cell: bool = False,
    n_rounds: int = 1,
    reach: int = REACH,
    batch: int = 64,
    read: Callable[[Cells], Voices] | None = None,
) -> Repairer:
    """Coconet on the voices. For arguments see `rewritings`; one setting for each margin.

    A note's score is minus the log probability of its least likely cell, as with `suspicion`: minus the mean finds no
    note that is off in time (average precision 0.17 instead of 0.78 where it is shifted, on some of JSB valid).
    `n_rounds` is how often it looks at the whole score again. `read` tells who sings what on the merged roll; without
    it the voices of the damaged score are given.
    """
    # of the last score: the voices that are seen, and what is expected there; both need it, and it costs
    kept: list[tuple[Damaged, Voices, list[Float[np.ndarray, "_ 128"]]]] = []

    def expected(damaged: Damaged) -> tuple[Voices, list[Float[np.ndarray, "_ 128"]]]:
        if not kept or kept[-1][0] is not damaged:
            voices = damaged.voices if read is None else read(merged(damaged.voices))
            notes = notes_of_voices(voices, rests=True)
            kept[:] = [(damaged, voices, leave_one_out(fill, voices, notes, reach=reach, batch=batch))]
        return kept[-1][1:]

    def find(damaged: Damaged) -> Float[np.ndarray, " note"]:
        voices, log_ps = expected(damaged)
        surprises = np.full(voices.shape, -np.inf)
        for note, log_p in zip(notes_of_voices(voices, rests=True), log_ps, strict=True):
            if note.pitch >= 0:
                surprises[note.steps, note.voice] = -log_p[:, note.pitch]
        scores = []
        for note in damaged.notes:
            own = surprises[note.steps]
            sings = voices[note.steps] == note.pitch
            if read is None:
                sings = sings & (np.arange(voices.shape[1]) == note.voice)
            scores.append(own[sings].max(initial=-np.inf))
        return np.array(scores, dtype=float)

    def mend_all(damaged: Damaged) -> list[Cells]:
        seen, log_ps = expected(damaged)
        first = rewritings(fill, seen, by_cell, reach, batch, log_ps) if margins and n_rounds else []
        mended = []
        for margin in margins:
            voices = rewrite(seen, first, margin)
            for _ in range(n_rounds - 1):
                again = rewrite(voices, rewritings(fill, voices, by_cell, reach, batch), margin)
                if np.array_equal(again, voices):
                    break
                voices = again
            mended.append(merged(voices))
        return mended

    return Repairer(find, mend_all)


@dataclass(frozen=True)
class Result:
    """One piece, damaged in one way. `verdicts`: for each setting of the repairer."""

    piece: str
    kind: str
    scores: Float[np.ndarray, " note"]
    wrong: Bool[np.ndarray, " note"]
    verdicts: tuple[Verdict, ...]


def repair(
    repairer: Repairer,
    items: Sequence[Item],
    kinds: Sequence[str] = KINDS,
    share: float = 0.05,
    seed: int = 0,
) -> Iterator[Result]:
    """Damage each piece in each way, and have it repaired. The damage depends on nothing but the seed, piece and kind.

    Args:
        repairer: from `es_net` or `coconet`.
        items: pieces whose voices are known; their place in the list is part of the key of the damage.
        kinds: of `KINDS`.
        share: see `damage`.
        seed: the only source of chance.

    Raises:
        ValueError: a piece's voices are not known.
    """
    for number, item in enumerate(items):
        if item.voices is None:
            raise ValueError(f"{item.name} has no voices: take the JSB Chorales, which say who sings what")
        for kind in kinds:
            rng = Generator(Philox(key=[seed, number * len(KINDS) + KINDS.index(kind)]))
            damaged = damage(item.voices, kind, share, rng)
            verdicts = tuple(verdict(damaged, cells) for cells in repairer.mend(damaged))
            yield Result(item.name, kind, repairer.find(damaged), damaged.wrong, verdicts)


def pooled_scores(results: Sequence[Result]) -> tuple[Float[np.ndarray, " note"], Bool[np.ndarray, " note"]]:
    """Scores and labels of all notes, for `average_precision` and `roc_area`; what is missing is left out.

    Each kind damages as many notes of a piece, so each has an equal share.
    """
    heard = [result for result in results if result.kind != "missing"]
    if not heard:
        return np.zeros(0), np.zeros(0, dtype=bool)
    return np.concatenate([one.scores for one in heard]), np.concatenate([one.wrong for one in heard])


def pooled_verdict(results: Sequence[Result], setting: int = 0) -> Verdict:
    """The sum of all verdicts of one setting."""
    return sum((result.verdicts[setting] for result in results), Verdict())


def interval(
    results: Sequence[Result],
    figure: Callable[[Sequence[Result]], float],
    share: float = 0.95,
    n_draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of any figure of some results; pieces are drawn, with all that was done to them.

    Args:
        results: of many pieces.
        figure: such as `lambda some: average_precision(*pooled_scores(some))`.
        share, n_draws, seed: how wide; how often; the only source of chance.
    """
    pieces: dict[str, list[Result]] = {}
    for result in results:
        pieces.setdefault(result.piece, []).append(result)
    each = list(pieces.values())
    rng = Generator(Philox(key=[seed, 4]))
    values = [
        figure([result for i in rng.integers(len(each), size=len(each)) for result in each[i]]) for _ in range(n_draws)
    ]
    low, high = np.nanquantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)

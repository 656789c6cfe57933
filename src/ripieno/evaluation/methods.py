"""The methods that are compared, each as one function of an input and a seed.  (Paper 6)

es-net          the model and the program as they are
unmended        the same before faults of part-writing are put right, so the model and the stop rule alone
additions-only  the same model, nothing may be taken back: what does removing do for the music?
nade            orderless NADE: a network trained with masking only, nothing may be taken back
gibbs           Coconet's network and annealed blocked Gibbs sampling

What they have in common: the melody is held, whatever else sounds is new, four notes at once at the most.

What the paper leaves open, and how we read it:
1. It does not say that the input is held; we hold it, since an accompaniment is what is asked for.
2. Its Gibbs baseline harmonises in a way that it does not describe. Ours holds the melody as the soprano (or bass,
   where that is what it is), and where the melody rests that voice is free.
3. Whoever wrote it, a piece is merged into one roll and split into voices by `music.voices` before it is judged, or one
   method would be judged by what it says of its voices and the others by what we make of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ripieno.edits.log import EditLog
from ripieno.errors import BadInput
from ripieno.evaluation import models
from ripieno.evaluation.inputs import Input
from ripieno.evaluation.jobs import Job, Material
from ripieno.models.runtime import Fill, Model, the_separator
from ripieno.music.roll import RollNote, Voices, notes_of, roll_of, roll_of_voices
from ripieno.music.voices import split
from ripieno.sampling.gibbs import sample_gibbs
from ripieno.sampling.passes import alone
from ripieno.sampling.run import STOP_RULE, compose_and_mend
from ripieno.session import Session, way_of
from ripieno.shapes import Int

METHODS = ("es-net", "unmended", "additions-only", "nade", "gibbs")
PASSES = 256  # of Gibbs sampling
SOPRANO, BASS = 0, 3


@dataclass(frozen=True)
class Generated:
    """A finished piece: its roll as notes, and who the melody is."""

    notes: tuple[tuple[int, int, int], ...]  # onset, pitch, duration
    n_steps: int
    line: tuple[int, ...]  # the melody as it was heard, -1 where it rests
    line_voice: int
    facts: dict[str, float]

    @property
    def voices(self) -> Voices:
        """The roll split into four voices."""
        return split(self.cells, 4, np.array(self.line), self.line_voice, the_separator())

    @property
    def cells(self) -> np.ndarray:
        """The roll, bool (plane, step, pitch)."""
        return roll_of([RollNote(*note) for note in self.notes], self.n_steps)

    def as_json(self) -> dict[str, Any]:
        """As plain lists and dictionaries."""
        return {
            "notes": [list(note) for note in self.notes],
            "n_steps": self.n_steps,
            "line": list(self.line),
            "line_voice": self.line_voice,
            "facts": self.facts,
        }


def generated_of(data: dict[str, Any]) -> Generated:
    """The inverse of `Generated.as_json`."""
    notes = tuple((int(onset), int(pitch), int(duration)) for onset, pitch, duration in data["notes"])
    return Generated(notes, data["n_steps"], tuple(data["line"]), data["line_voice"], data["facts"])


def by_editing(model: Model, of: Input, seed: int, takes_back: bool = True) -> dict[str, Generated]:
    """Harmonise by single edits, until the stop rule says that the piece is finished.

    Returns:
        "finished", and with `takes_back` also "unmended".
    """
    session = Session(of.piece, model=model, melody=of.melody, seed=seed, mend="faults" if takes_back else "nothing")
    policy = replace(session.policy, takes_back=takes_back)
    most = STOP_RULE.most_edits(session.document.n_steps)
    run = compose_and_mend(session.log, session.context, policy, way_of(session.document, model), most)
    unmended: EditLog | None = None
    log = session.log
    n_removed = 0
    for change in alone(run, model):
        if change.why and unmended is None:
            unmended = log
        log = change.log
        n_removed += not change.added
    finished = _generated(session, log, n_removed)
    if not takes_back:
        return {"finished": finished}
    return {"finished": finished, "unmended": _generated(session, unmended or log, n_removed)}


def _generated(session: Session, log: EditLog, n_removed: int) -> Generated:
    line, voice = line_of(session)
    notes = tuple((note.onset, note.pitch, note.duration) for note in notes_of(log.cells))
    facts = {"edits": float(len(log.entries)), "removals": float(n_removed)}
    return Generated(notes, log.cells.shape[1], tuple(int(pitch) for pitch in line), voice, facts)


def line_of(session: Session) -> tuple[Int[np.ndarray, " step"], int]:
    """The melody as the model hears it, and the voice that it is."""
    line = session.policy.line
    if line is None or session.reading.melody == "inner":
        line = np.full(session.log.cells.shape[1], -1)
    return line, BASS if session.reading.melody == "bass" else SOPRANO


def by_gibbs(
    fill: Fill, of: Input, model: Model, seed: int, window: tuple[int, int], n_passes: int = PASSES
) -> Generated:
    """Harmonise by annealed blocked Gibbs sampling.

    Args:
        fill: the model.
        of: what to harmonise.
        model: tells what the melody is and in which octave it is heard, as for the other methods.
        seed: the only source of chance.
        window: Coconet's lowest and highest pitch; a melody outside of it is moved by octaves.
        n_passes: how often to blank and draw.
    """
    session = Session(of.piece, model=model, melody=of.melody)
    line, voice = line_of(session)
    sung = line[line >= 0]
    octaves = 0
    if len(sung):
        octaves = -12 * max(-(-(int(sung.max()) - window[1]) // 12), 0)
        octaves += 12 * max(-(-(window[0] - int(sung.min()) - octaves) // 12), 0)
    score = np.full((len(line), 4), -1)
    score[:, voice] = np.where(line >= 0, line + octaves, -1)
    held = score >= 0
    rng = Generator(Philox(key=np.array([seed % 2**64, 0], dtype=np.uint64)))
    *_, score = sample_gibbs(fill, score, held, n_passes, rng)
    cells = roll_of_voices(score)
    notes = tuple((note.onset, note.pitch, note.duration) for note in notes_of(cells))
    heard = tuple(int(pitch) for pitch in np.where(line >= 0, line + octaves, -1))
    own = split(cells, 4, np.array(heard), voice, the_separator())
    agreed = float(np.mean(own == score))
    return Generated(notes, len(line), heard, voice, {"passes": float(n_passes), "split as written": agreed})


def as_heard(voices: Voices) -> Voices:
    """Bach's voices merged and split, like everyone's."""
    return split(roll_of_voices(voices), 4, voices[:, 0], 0, the_separator())


# --- as jobs, for whichever experiment wants pieces


def generation_jobs(part: str, material: Material, inputs: Sequence[Input]) -> list[Job]:
    """Every input, by every method of the settings that there is a model for.

    Args:
        part: the experiment.
        material: models and settings.
        inputs: what to harmonise.

    Raises:
        BadInput: there is no such method.
    """
    s = material.settings
    if unknown := sorted(set(s.methods) - set(METHODS)):
        raise BadInput(f"there is no method {unknown[0]}; there are: {', '.join(METHODS)}")
    separator = the_separator().digest  # who sings what, that mending asks
    # the melody is read with it, which needs nothing of it but its window
    reader = models.editor(s.model)
    seen = f"{reader.lowest_pitch}-{reader.highest_pitch}"
    ways: list[tuple[str, Path | None, str, dict[str, Any]]] = [
        ("es-net", s.model, f"{material.digests['es-net']} {separator}", {}),
        ("additions-only", s.model, material.digests["es-net"], {}),
    ]
    if s.nade is not None:
        ways.append(("nade", s.nade, material.digests["nade"], {}))
    ways.append(("gibbs", s.model, f"{material.digests['coconet']} {seen} {separator}", {"passes": PASSES}))
    coconet, model = ("" if path is None else str(path) for path in (s.coconet, s.model))
    return [
        Job(part, what, of.name, seed, path, digest, options, of if what != "gibbs" else (of, coconet, model))
        for what, path, digest, options in ways
        if what in (s.methods or METHODS)
        for of in inputs
        for seed in range(s.seeds)
    ]


def generate(job: Job) -> dict[str, Any]:
    """Have a piece written: "finished", and by ES-Net "unmended" too."""
    if job.what == "gibbs":
        of, coconet, _ = job.payload
        fill = models.coconet(Path(coconet) if coconet else None)
        window = (fill.lowest_pitch, fill.lowest_pitch + fill.n_pitches - 1)
        model = models.editor(job.model)
        return {"finished": by_gibbs(fill, of, model, job.seed, window, job.options["passes"]).as_json()}
    written = by_editing(models.editor(job.model), job.payload, job.seed, takes_back=job.what == "es-net")
    return {name: one.as_json() for name, one in written.items()}


def generated_by(jobs: Sequence[Job], results: Sequence[Any]) -> dict[str, list[tuple[str, Generated]]]:
    """The pieces of each method, with the names of their inputs."""
    found: dict[str, list[tuple[str, Generated]]] = {}
    for job, result in zip(jobs, results, strict=True):
        found.setdefault(job.what, []).append((job.name, generated_of(result["finished"])))
        if "unmended" in result:
            found.setdefault("unmended", []).append((job.name, generated_of(result["unmended"])))
    return found

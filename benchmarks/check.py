"""What `ripieno check` finds of planted errors, what it says of Bach, and where its weights come from.

    python -m benchmarks.check --data FOLDER fit              # prints the weights of `check.SUSPICION`
    python -m benchmarks.check --data FOLDER report           # on JSB test
    python -m benchmarks.check --data FOLDER report --valid   # on what levels and thresholds are chosen on

One error of a kind is planted in a chorale at a time, by changing one note of Bach's:

parallels     where two voices form a fifth or octave and both move, the upper one moves as far as the lower
range         a note is put 1 to 5 semitones outside of its voice's range
sevenths      the seventh of a dominant that Bach lets fall by step goes to another note of the next chord
leading notes that of a dominant that Bach lets rise to the tonic goes to another note of the next chord

It is found if there is an error or a warning by the name of that rule at that step. Left out is what Bach is exempt
for: a seventh or a tonic that another voice takes over, an inner leading note that falls a third. Wrong notes are
those of `evaluation.mistakes.damage`, one note in twenty of a chorale at once, found if the models' remark is about it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.random import Generator, Philox

from benchmarks.corpora import chorales, score_of
from benchmarks.fix import regression
from ripieno.checking import SUSPICION, WRONG_NOTE, Proof, _chance, check, evidence
from ripieno.evaluation.mistakes import damage
from ripieno.evaluation.models import coconet, editor
from ripieno.music.part_writing import TEXTBOOK_RANGES
from ripieno.music.roll import VoiceNote, notes_of_voices
from ripieno.music.singers import singers_of
from ripieno.music.understanding import understand
from ripieno.sampling.expectation import expected_pitches

DAMAGE = ("wrong pitch", "semitone", "off beat", "shifted")
Voices = np.ndarray


def read(voices: Voices, name: str, rules_only: bool = False) -> Proof:
    model, fill = (editor(None), coconet(None))
    return check(score_of(voices, name), model=model, fill=fill, rules_only=rules_only)


# --- planting


def note_at(voices: Voices, step: int, voice: int) -> VoiceNote:
    return next(n for n in notes_of_voices(voices[:, voice : voice + 1]) if n.onset <= step < n.end)


def changed(voices: Voices, step: int, voice: int, pitch: int) -> Voices:
    now = voices.copy()
    now[note_at(voices, step, voice).steps, voice] = pitch
    return now


def moves(voices: Voices) -> list[tuple[int, int]]:
    """Where a voice goes to another pitch: (step, voice)."""
    both = (voices[1:] != voices[:-1]) & (voices[1:] >= 0) & (voices[:-1] >= 0)
    return [(int(step) + 1, int(voice)) for step, voice in np.argwhere(both)]


def parallels(voices: Voices) -> Iterator[tuple[str, int, Voices]]:
    there = set(moves(voices))
    for step, upper in there:
        for lower in range(upper + 1, 4):
            apart = int(voices[step - 1, upper] - voices[step - 1, lower])
            pitch = int(voices[step, lower]) + apart
            low, high = TEXTBOOK_RANGES[upper]
            if (
                (step, lower) in there
                and apart % 12 in (0, 7)
                and pitch != voices[step, upper]
                and low <= pitch <= high
            ):
                rule = "parallel octaves" if apart % 12 == 0 else "parallel fifths"
                yield rule, step, changed(voices, step, upper, pitch)


def out_of_range(voices: Voices) -> Iterator[tuple[str, int, Voices]]:
    for step, voice in moves(voices):
        low, high = TEXTBOOK_RANGES[voice]
        for beyond in range(1, 6):
            for pitch in (low - beyond, high + beyond):
                yield "range", step, changed(voices, step, voice, pitch)


def tones(voices: Voices, step: int) -> set[int]:
    return {int(pitch) % 12 for pitch in voices[step] if pitch >= 0}


def dominants(voices: Voices) -> Iterator[tuple[int, int, bool]]:
    """Where a major chord, with or without its minor seventh, goes to a triad a fifth lower: (step, root, seventh)."""
    changes = np.flatnonzero((voices[1:] != voices[:-1]).any(axis=1)) + 1
    for step in changes.tolist():
        before, after = tones(voices, step - 1), tones(voices, step)
        for root in before:
            has_seventh = (root + 10) % 12 in before
            is_dominant = {root, (root + 4) % 12} <= before <= {(root + i) % 12 for i in (0, 4, 7, 10)}
            tonic = (root + 5) % 12
            triads = ({tonic, (tonic + 4) % 12, (tonic + 7) % 12}, {tonic, (tonic + 3) % 12, (tonic + 7) % 12})
            if is_dominant and any({tonic} < after <= triad for triad in triads):
                yield step, root, has_seventh


def elsewhere(voices: Voices, step: int, voice: int, taboo: set[int]) -> Iterator[int]:
    """Notes of the next chord within a sixth that the voice could go to, but for those by `taboo` semitones."""
    low, high = TEXTBOOK_RANGES[voice]
    for pitch in range(max(int(voices[step - 1, voice]) - 9, low), min(int(voices[step - 1, voice]) + 9, high) + 1):
        above = [int(p) for p in voices[step, :voice]]
        below = [int(p) for p in voices[step, voice + 1 :] if p >= 0]
        between = all(pitch <= p for p in above if p >= 0) and all(pitch >= p for p in below)
        if pitch % 12 in tones(voices, step) and pitch - int(voices[step - 1, voice]) not in taboo and between:
            yield pitch


def sevenths(voices: Voices) -> Iterator[tuple[str, int, Voices]]:
    for step, root, has_seventh in dominants(voices):
        seventh = (root + 10) % 12
        if not has_seventh or seventh in tones(voices, step):
            continue
        for voice in range(4):
            fall = int(voices[step - 1, voice] - voices[step, voice])
            if voices[step - 1, voice] % 12 == seventh and fall in (1, 2):
                for pitch in elsewhere(voices, step, voice, {0, -1, -2, 1, 2}):
                    yield "unresolved seventh", step, changed(voices, step, voice, pitch)


def leading_notes(voices: Voices) -> Iterator[tuple[str, int, Voices]]:
    for step, root, has_seventh in dominants(voices):
        leading = (root + 4) % 12
        for voice in range(4):
            if voices[step - 1, voice] % 12 != leading or voices[step, voice] - voices[step - 1, voice] != 1:
                continue
            inner = 0 < voice < 3
            for pitch in elsewhere(voices, step, voice, {0, 1} | ({-4} if inner else set())):
                now = changed(voices, step, voice, pitch)
                # a triad leads only on the way to the piece's tonic; that, and who takes over, the rule's text says
                taken_over = ((now[step] == now[step - 1, voice] + 1) & (now[step - 1] != now[step])).any()
                if has_seventh and not taken_over:
                    yield "unresolved leading note", step, now


PLANTERS = {"parallels": parallels, "range": out_of_range, "sevenths": sevenths, "leading notes": leading_notes}


def planted(job: tuple[int, str, Voices], n_each: int) -> dict[str, tuple[int, int, int]]:
    """By kind: planted, found, found as errors."""
    number, name, voices = job
    counts = {}
    for which, (kind, plant) in enumerate(PLANTERS.items()):
        rng = Generator(Philox(key=[5, number * len(PLANTERS) + which]))
        options = list(plant(voices))
        n = found = grave = 0
        for i in rng.permutation(len(options))[:n_each].tolist():
            rule, step, hurt = options[i]
            there = [
                r for r in read(hurt, name, rules_only=True).of_level("warning") if r.rule == rule and r.step == step
            ]
            n, found, grave = n + 1, found + bool(there), grave + any(remark.level == "error" for remark in there)
        counts[kind] = (n, found, grave)
    for which, kind in enumerate(DAMAGE):
        damaged = damage(voices, kind, 0.05, Generator(Philox(key=[6, number * len(DAMAGE) + which])))
        proof = read(damaged.voices, name)
        wrong = [note for note, is_wrong in zip(damaged.notes, damaged.wrong, strict=True) if is_wrong]
        ids = {i: {r.level for r in proof.remarks if r.rule == WRONG_NOTE and i in r.notes} for i in range(10_000)}
        hits = [ids[int(proof.singers.ids[note.onset, note.voice])] for note in wrong]
        counts[f"wrong notes: {kind}"] = (len(wrong), sum(map(bool, hits)), sum("error" in hit for hit in hits))
    clean = read(voices, name)
    for remark in clean.remarks:
        key = f"Bach: {remark.level}, {remark.rule}"
        counts[key] = (0, counts.get(key, (0, 0, 0))[1] + 1, 0)
    return counts


def fit(data: Path) -> None:
    rows, labels = [], []
    for number, (name, voices) in enumerate(scores(data, "valid")[::3]):
        for which, kind in enumerate(("", *DAMAGE[:2])):
            hurt, wrong = voices, None
            if kind:
                damaged = damage(voices, kind, 0.05, Generator(Philox(key=[7, number * len(DAMAGE) + which])))
                hurt, wrong = damaged.voices, damaged.wrong
            piece = score_of(hurt, name)
            model, fill = (editor(None), coconet(None))
            reading = understand(piece)
            singers = singers_of(piece, reading)
            notes = notes_of_voices(singers.voices)
            found = evidence(notes, _chance(piece, reading, model), expected_pitches(fill, singers.voices, notes))
            rows.append(np.stack([found[one] for one in SUSPICION if one != "bias"], axis=1))
            labels.append(np.zeros(len(notes)) if wrong is None else wrong.astype(float))
    names = [one for one in SUSPICION if one != "bias"]
    fitted = regression(names, np.concatenate(rows), np.concatenate(labels))
    print({one: round(value, 3) for one, value in fitted.items()})


def scores(data: Path, split: str) -> list[tuple[str, Voices]]:
    return [(item.name, item.voices) for item in chorales(data, split) if item.voices is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fit", "report"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--valid", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="a part of the chorales")
    parser.add_argument("-n", type=int, default=2, help="errors of each kind planted in a chorale, one at a time")
    parser.add_argument("--jobs", type=int, default=2)
    a = parser.parse_args()
    if a.what == "fit":
        fit(a.data)
        return
    jobs = [(number, *one) for number, one in enumerate(scores(a.data, "valid" if a.valid else "test"))][:: a.every]
    total: dict[str, np.ndarray] = {}
    with ProcessPoolExecutor(a.jobs, get_context("spawn")) as pool:
        for counts in pool.map(partial(planted, n_each=a.n), jobs):
            for kind, row in counts.items():
                total[kind] = total.get(kind, np.zeros(3, dtype=int)) + np.array(row)
    print("| planted | | found | as errors |\n|---|---|---|---|")
    for kind, (n, found, grave) in total.items():
        if not kind.startswith("Bach"):
            print(f"| {kind} | {n} | {found} ({found / max(n, 1):.1%}) | {grave} ({grave / max(n, 1):.1%}) |")
    print(f"\n| a chorale of Bach's ({len(jobs)}) draws | in the mean |\n|---|---|")
    for level in ("error", "warning", "style"):
        own = {kind: row[1] for kind, row in total.items() if kind.startswith(f"Bach: {level}")}
        print(f"| **{level}s** | **{sum(own.values()) / len(jobs):.2f}** |")
        for kind, n in sorted(own.items(), key=lambda one: -one[1]):
            print(f"| {kind.partition(', ')[2]} | {n / len(jobs):.2f} |")


if __name__ == "__main__":
    main()

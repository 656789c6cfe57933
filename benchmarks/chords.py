"""How well new notes keep to the chords that are given.

    python -m benchmarks.chords --data FOLDER

Bach's chorales of JSB are read for their chords, on each beat what sounds there, and their sopranos harmonised with
these given. Of the new notes' time: how much belongs to the chord in force. Of the beats: on how many the pitch classes
are Bach's own, on how many the bass is, and both without the chords for comparison.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.corpora import chorales
from ripieno.music.analysis import ON_THE_BEAT, find_chords
from ripieno.music.chords import asked_of_steps
from ripieno.music.piece import piece_from_notes
from ripieno.music.roll import bottom_line, notes_of, roll_of_voices
from ripieno.session import Session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("valid", "test"), default="test")
    parser.add_argument("--every", type=int, default=1, help="only every so many chorales")
    parser.add_argument("--quality", default="high")
    parser.add_argument("--without", action="store_true", help="also without the chords")
    a = parser.parse_args()
    items = chorales(a.data, a.split)[:: a.every]
    totals: dict[bool, np.ndarray] = {}
    for item in items:
        assert item.voices is not None
        beats = list(range(-item.beat_phase % 4, len(item.voices), 4))
        chords = find_chords(item.cells, beats, costs=ON_THE_BEAT)
        classes, basses = asked_of_steps(chords, 0, len(item.voices))
        for is_given in (True, False) if a.without else (True,):
            piece = piece_from_notes(notes_of(roll_of_voices(item.voices[:, :1])), meter=(4, 4))
            if is_given:
                piece = type(piece)(**{**vars(piece), "chords": tuple(chords)})
            chosen = None if is_given else "none"
            session = Session(piece, chords=chosen, melody="top", pickup=0, quality=a.quality)
            for _ in session.run():
                pass
            start, shift = session.reading.start, session.reading.shift
            cells = np.roll(session.log.cells[0], -shift, axis=1)
            new = cells & ~np.roll(session.log.origin[0], -shift, axis=1)
            here = slice(start, start + len(cells))
            inside = classes[here][:, np.arange(128) % 12] & new[: len(classes[here])]
            heads = [beat for beat in beats if start <= beat < start + len(cells) and item.cells[0, beat].any()]
            same = named = right = n_named = 0
            lowest, original = bottom_line(cells[None]), bottom_line(item.cells)
            for beat in heads:
                ours = {int(p) % 12 for p in np.flatnonzero(cells[beat - start])}
                same += ours == {int(p) % 12 for p in np.flatnonzero(item.cells[0, beat])}
                right += lowest[beat - start] % 12 == original[beat] % 12
                if basses[beat] >= 0:
                    n_named += 1
                    named += lowest[beat - start] % 12 == basses[beat]
            row = np.array([inside.sum(), new.sum(), same, right, len(heads), named, n_named])
            totals[is_given] = totals.get(is_given, np.zeros(7)) + row
            print(f"{item.name}: {same} of {len(heads)} beats", flush=True)
    for is_given, (inside, new, same, right, n, named, n_named) in totals.items():
        print(
            f"chords {'given' if is_given else 'not given'}: {inside / new:.2%} of the new notes' time in the chord, "
            f"{same / n:.1%} of {n:.0f} beats with Bach's pitch classes, {right / n:.1%} with his bass, "
            f"named bass lowest on {named / max(n_named, 1):.2%} of {n_named:.0f} beats; {len(items)} chorales"
        )


if __name__ == "__main__":
    main()

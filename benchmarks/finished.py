"""Do pieces get finished, and how?

    python -m benchmarks.finished --data FOLDER melodies    # Bach Doodle melodies and six tunes
    python -m benchmarks.finished --data FOLDER chorales    # whole chorales from Bach's sopranos, JSB valid

For each piece: edits, cells a step, share of steps with four or more, edits still expected at the end, probability on
taking own notes back at the end, new notes above a top melody; for chorales, whether the last chord is a root-position
triad on the tonic that Bach's own last bass note names.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ripieno.files.corpus import read_jsb
from ripieno.files.midi import read_midi
from ripieno.models.runtime import load_model
from ripieno.music.harmony import ends_on_tonic_triad
from ripieno.music.piece import Piece, piece_from_notes
from ripieno.music.roll import RollNote, notes_of, silence
from ripieno.sampling.ancestral import allowed_probabilities
from ripieno.session import TEMPERATURE, Session

MOST = 5000  # edits: a run that reaches them did not stop by itself


def melodies(data: Path, n: int) -> Iterator[tuple[str, Piece, None]]:
    """Doodle melodies, evenly over the 296 in the file's order, their two bars four times over; then the six tunes."""
    doodles = json.loads((data / "melodies" / "doodle.json").read_text())["melodies"]
    for i in np.linspace(0, len(doodles) - 1, n).round().astype(int):
        notes = [RollNote(on + 32 * k, pitch, off - on) for k in range(4) for pitch, on, off in doodles[i]["notes"]]
        yield f"doodle {i}", piece_from_notes(notes, meter=(4, 4)), None
    for path in sorted((data / "melodies" / "deepcomposer").glob("*.midi")):
        yield path.stem, read_midi(path), None


def chorales(data: Path, n: int, split: str) -> Iterator[tuple[str, Piece, int]]:
    items = [item for item in read_jsb(data / "jsb" / "Jsb16thSeparated.json") if item.split == split]
    for item in items[:n]:
        assert item.voices is not None
        soprano = silence(len(item.voices))
        steps = np.flatnonzero(item.voices[:, 0] >= 0)
        soprano[0, steps, item.voices[steps, 0]] = True
        last = item.voices[-1]
        yield item.name, piece_from_notes(notes_of(soprano)), int(last[last >= 0].min()) % 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["melodies", "chorales"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("-n", type=int, default=None, help="how many melodies (50) or chorales (76)")
    parser.add_argument("--split", default="valid", choices=["valid", "test"])
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    model = load_model(a.model)
    print(f"model {model.name}, {model.digest}; temperature {a.temperature}, seed {a.seed}")
    source = melodies(a.data, a.n or 50) if a.what == "melodies" else chorales(a.data, a.n or 76, a.split)
    rows, ends = [], []
    for name, piece, tonic in source:
        melody = "top" if a.what == "chorales" else None
        session = Session(piece, model=model, temperature=a.temperature, seed=a.seed, melody=melody)
        n_edits = 0
        for _ in session.run(MOST):
            n_edits += 1
        log = session.log
        prediction = model(log.cells[None], session.context[None])
        taking_back = float(allowed_probabilities(prediction, log, session.policy)[log.cells].sum())
        sounding = np.count_nonzero(log.cells[0], axis=1)
        above = 0
        if session.reading.melody == "top":
            line = session.policy.line
            above = int((log.model_cells & (np.arange(128) > line[:, None]) & (line >= 0)[:, None]).sum())
        row = (n_edits, sounding.mean(), (sounding >= 4).mean(), float(prediction.n_left[0]), taking_back, above)
        rows.append(row)
        end = ""
        if tonic is not None:
            ends.append(ends_on_tonic_triad(log.cells, tonic))
            end = f", ends on the tonic: {'yes' if ends[-1] else 'no'}"
        print(
            f"{name} ({session.reading.melody}): {n_edits} edits, {row[1]:.2f} cells a step, 4+ in {row[2]:.0%}, "
            f"{row[3]:.1f} still expected, {taking_back:.2f} on taking back, {above} above{end}",
            flush=True,
        )
    table = np.array(rows)
    cells = table[:, 1]
    print(f"\n{len(rows)} pieces. Cells a step: mean {cells.mean():.2f}, from {cells.min():.2f} to {cells.max():.2f};")
    print(f"within 3.6 to 4.2: {np.mean((cells >= 3.6) & (cells <= 4.2)):.0%}.")
    print(f"Stopped by themselves: {np.sum(table[:, 0] < MOST)} of {len(rows)}.")
    print(f"On taking own notes back at the end: at most {table[:, 4].max():.2f}.")
    print(f"Above a top melody: {table[:, 5].sum():.0f} cells.")
    if ends:
        print(f"Ends on a root-position triad on the final tonic: {np.mean(ends):.0%}.")


if __name__ == "__main__":
    main()

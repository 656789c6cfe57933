"""How many notes are called what the edition calls them, with every name taken away first.

    python -m benchmarks.spelling

The scores are those of Bach's in music21's corpus (`pip install music21`). They are respelled from MIDI numbers and
times alone, once with the key signature left and once without it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ripieno.files.musicxml.read import read_musicxml
from ripieno.music.spelling import Unspelled, spell


def main() -> None:
    found = importlib.util.find_spec("music21")
    if found is None or found.origin is None:
        raise SystemExit("this needs music21's corpus: pip install music21")
    folder = Path(found.origin).parent / "corpus" / "bach"
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".mxl", ".xml"))
    n_notes, n_right, perfect = 0, {True: 0, False: 0}, {True: 0, False: 0}
    for path in paths:
        piece = read_musicxml(path)
        notes = [Unspelled(note.onset, note.end, note.pitch) for note in piece.notes]
        names = [place.place for place in piece.source.places]
        n_notes += len(notes)
        for with_key in (True, False):
            same = sum(a == b for a, b in zip(spell(notes, piece.keys if with_key else ()), names, strict=True))
            n_right[with_key] += same
            perfect[with_key] += same == len(notes)
    print(f"{len(paths)} scores, {n_notes} notes")
    for with_key, what in ((True, "key signature given"), (False, "key guessed")):
        share = n_right[with_key] / n_notes
        print(f"{what:<22}{share:.4%} as the edition has them, {perfect[with_key]} scores without a difference")


if __name__ == "__main__":
    main()

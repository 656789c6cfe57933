"""Write the example melodies beside this script: `python examples/make_examples.py [FOLDER]`.

All are in the public domain, and typed in from memory by the project's authors. A melody is written bar by bar: a
pitch (C4 is the middle one; - is a rest), a colon, and a length: w h q 8 16, with a dot for half as much again.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import mido

TICKS_PER_BEAT = 480
TICKS_PER_WHOLE = 4 * TICKS_PER_BEAT
LENGTHS = {
    "w": Fraction(1),
    "h": Fraction(1, 2),
    "q": Fraction(1, 4),
    "8": Fraction(1, 8),
    "16": Fraction(1, 16),
}
PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "#": 1, "b": -1}


@dataclass(frozen=True, kw_only=True)
class Tune:
    """One melody, and what its file says about it."""

    file: str
    title: str
    meter: tuple[int, int]
    key: str  # as mido writes a signature: "Ab", "Am"
    bpm: int  # quarter notes a minute
    program: int  # General MIDI, from 0
    bars: str
    pickup: str = ""  # how a first bar that is a pickup is written: "short", or after "rests"


TUNES = (
    # Hymn. Genevan Psalter, 1551 (L. Bourgeois), in even notes as English hymnals have it.
    Tune(
        file="old-hundredth.mid",
        title="Old Hundredth",
        meter=(4, 4),
        key="G",
        bpm=80,
        program=19,
        pickup="rests",
        bars="""
            -:h. G4:q
            | G4:q F#4:q E4:q D4:q | G4:q A4:q B4:q B4:q
            | B4:q B4:q A4:q G4:q | C5:q B4:q A4:q G4:q
            | A4:q B4:q A4:q G4:q | E4:q F#4:q G4:q D5:q
            | B4:q G4:q A4:q C5:q | B4:q A4:q G4:q
        """,
    ),
    # Hymn, "Abide with Me". W. H. Monk, 1861 (Eventide), here in four flats.
    Tune(
        file="abide-with-me.mid",
        title="Abide with Me",
        meter=(4, 4),
        key="Ab",
        bpm=92,
        program=73,
        bars="""
            C5:h C5:q Bb4:q | Ab4:h Eb5:h | F5:q Eb5:q Eb5:q Db5:q | C5:w
            | C5:h Db5:q Eb5:q | F5:h Eb5:h | Db5:q Bb4:q C5:q D5:q | Eb5:w
            | C5:h C5:q Bb4:q | Ab4:h Eb5:h | Eb5:q Db5:q Db5:q C5:q | Bb4:w
            | Bb4:h C5:q Db5:q | C5:q Bb4:q Ab4:q Db5:q | C5:h Bb4:h | Ab4:w
        """,
    ),
    # Carol. English, printed by W. Sandys in 1833; verse and refrain.
    Tune(
        file="first-noel.mid",
        title="The First Noel",
        meter=(3, 4),
        key="D",
        bpm=100,
        program=68,
        pickup="short",
        bars="""
            F#4:8 E4:8
            | D4:q. E4:8 F#4:8 G4:8 | A4:h B4:8 C#5:8 | D5:q C#5:q B4:q | A4:h B4:8 C#5:8
            | D5:q C#5:q B4:q | A4:q B4:q C#5:q | D5:q A4:q G4:q | F#4:h F#4:8 E4:8
            | D4:q. E4:8 F#4:8 G4:8 | A4:h D5:8 C#5:8 | B4:h B4:q | A4:h.
            | D5:q C#5:q B4:q | A4:q B4:q C#5:q | D5:q A4:q G4:q | F#4:h
        """,
    ),
    # Folk song. English, 16th century.
    Tune(
        file="greensleeves.mid",
        title="Greensleeves",
        meter=(6, 8),
        key="Am",
        bpm=84,
        program=73,
        pickup="short",
        bars="""
            A4:8
            | C5:q D5:8 E5:8. F#5:16 E5:8 | D5:q B4:8 G4:8. A4:16 B4:8
            | C5:q A4:8 A4:8. G#4:16 A4:8 | B4:q G#4:8 E4:q A4:8
            | C5:q D5:8 E5:8. F#5:16 E5:8 | D5:q B4:8 G4:8. A4:16 B4:8
            | C5:8. B4:16 A4:8 G#4:8. F#4:16 G#4:8 | A4:q. A4:q.
            | G5:q. G5:8. F#5:16 E5:8 | D5:q B4:8 G4:8. A4:16 B4:8
            | C5:q A4:8 A4:8. G#4:16 A4:8 | B4:q G#4:8 E4:q.
            | G5:q. G5:8. F#5:16 E5:8 | D5:q B4:8 G4:8. A4:16 B4:8
            | C5:8. B4:16 A4:8 G#4:8. F#4:16 G#4:8 | A4:q. A4:q
        """,
    ),
    # The theme of the last movement of Beethoven's ninth symphony, 1824, without its syncopation.
    Tune(
        file="ode-to-joy.mid",
        title="Ode to Joy",
        meter=(4, 4),
        key="D",
        bpm=108,
        program=40,
        bars="""
            F#4:q F#4:q G4:q A4:q | A4:q G4:q F#4:q E4:q | D4:q D4:q E4:q F#4:q | F#4:q. E4:8 E4:h
            | F#4:q F#4:q G4:q A4:q | A4:q G4:q F#4:q E4:q | D4:q D4:q E4:q F#4:q | E4:q. D4:8 D4:h
            | E4:q E4:q F#4:q D4:q | E4:q F#4:8 G4:8 F#4:q D4:q | E4:q F#4:8 G4:8 F#4:q E4:q | D4:q E4:q A3:h
            | F#4:q F#4:q G4:q A4:q | A4:q G4:q F#4:q E4:q | D4:q D4:q E4:q F#4:q | E4:q. D4:8 D4:h
        """,
    ),
    # A bass to build on: the ground of J. Pachelbel's Canon, about 1690, three times in half notes.
    Tune(
        file="pachelbel-bass.mid",
        title="Pachelbel's Ground",
        meter=(4, 4),
        key="D",
        bpm=76,
        program=42,
        bars="""
            D3:h A2:h | B2:h F#2:h | G2:h D2:h | G2:h A2:h
            | D3:h A2:h | B2:h F#2:h | G2:h D2:h | G2:h A2:h
            | D3:h A2:h | B2:h F#2:h | G2:h A2:h | D2:w
        """,
    ),
)


def pitch_of(name: str) -> int | None:
    """The MIDI number of "Ab4"; none for a rest."""
    return None if name == "-" else sum(PITCH_CLASSES[sign] for sign in name[:-1]) + 12 * (int(name[-1]) + 1)


def read_bars(tune: Tune) -> list[list[tuple[int | None, Fraction]]]:
    """Pitches and lengths, bar by bar.

    Raises:
        ValueError: the notes of a bar do not fill it.
    """
    bars = []
    for bar in tune.bars.split("|"):
        pairs = [note.split(":") for note in bar.split()]
        dotted = [
            (name, LENGTHS[length.rstrip(".")] * (Fraction(3, 2) if "." in length else 1)) for name, length in pairs
        ]
        bars.append([(pitch_of(name), length) for name, length in dotted])
    whole = Fraction(*tune.meter)
    sums = [sum((length for _, length in bar), Fraction(0)) for bar in bars]
    pickup = (
        sum((length for pitch, length in bars[0] if pitch is not None), Fraction(0)) if tune.pickup else Fraction(0)
    )
    wanted = [pickup if tune.pickup == "short" else whole, *[whole] * (len(bars) - 2), whole - pickup]
    for number, (found, right) in enumerate(zip(sums, wanted, strict=True), start=not tune.pickup):
        if found != right:
            raise ValueError(f"{tune.title}, bar {number}: the notes fill {found} of a whole note instead of {right}")
    return bars


def midi_of(tune: Tune) -> mido.MidiFile:
    """The melody as one track that begins with its title, tempo, key and meter."""
    bars = read_bars(tune)
    first = sum((length for _, length in bars[0]), Fraction(0))
    is_short = tune.pickup == "short"
    meter = mido.MetaMessage("time_signature", numerator=tune.meter[0], denominator=tune.meter[1])
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=tune.title),
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tune.bpm)),
            mido.MetaMessage("key_signature", key=tune.key),
            meter.copy(numerator=first.numerator, denominator=first.denominator) if is_short else meter,
            mido.Message("program_change", program=tune.program),
        ]
    )
    wait = 0
    for number, bar in enumerate(bars):
        if number == 1 and is_short:
            track.append(meter.copy(time=wait))
            wait = 0
        place = Fraction(0)
        for pitch, length in bar:
            ticks = int(length * TICKS_PER_WHOLE)
            if pitch is None:
                wait += ticks
            else:
                velocity = 84 if place == 0 else 76  # the first note of a bar a little louder
                track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=wait))
                track.append(mido.Message("note_off", note=pitch, velocity=64, time=ticks))
                wait = 0
            place += length
    track.append(mido.MetaMessage("end_of_track"))
    return mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=[track])


def write_examples(folder: Path) -> list[Path]:
    """Write every example into a folder; the same files each time."""
    paths = [folder / tune.file for tune in TUNES]
    for tune, path in zip(TUNES, paths, strict=True):
        midi_of(tune).save(path)
    return paths


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

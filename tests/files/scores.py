"""Small scores by hand, and what music21 says is in one."""

from __future__ import annotations

import importlib.util
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
WHOLE = (
    "<attributes><divisions>{divisions}</divisions><key><fifths>{fifths}</fifths></key>"
    "<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>"
    "<clef><sign>G</sign><line>2</line></clef>{transpose}</attributes>"
)


def note(name: str, duration: int, value: str = "", *more: str, chord: bool = False) -> str:
    """A <note>: name as "C4" or "F#5", or "" for a rest; `more` follows its duration."""
    inside = "<chord/>" if chord else ""
    if name:
        alter = {"#": 1, "b": -1}.get(name[1], 0)
        inside += f"<pitch><step>{name[0]}</step>"
        inside += (f"<alter>{alter}</alter>" if alter else "") + f"<octave>{name[-1]}</octave></pitch>"
    else:
        inside += "<rest/>"
    ties = "".join(one for one in more if one.startswith("<tie "))
    rest = "".join(one for one in more if not one.startswith("<tie "))
    kind = f"<type>{value}</type>" if value else ""
    return f"<note>{inside}<duration>{duration}</duration>{ties}<voice>1</voice>{kind}{rest}</note>"


def attributes(
    *, divisions: int = 1, fifths: int = 0, beats: int = 4, unit: int = 4, transpose: str = "", more: str = ""
) -> str:
    """The <attributes> of a part's beginning."""
    return WHOLE.format(divisions=divisions, fifths=fifths, beats=beats, unit=unit, transpose=transpose) + more


def score(*parts: list[str], names: tuple[str, ...] = ("Melody",), numbers: list[str] | None = None) -> str:
    """A score-partwise: for each part what stands in each of its measures."""
    n_measures = len(parts[0])
    labels = numbers or [f'number="{i + 1}"' for i in range(n_measures)]
    entries = "".join(
        f'\n    <score-part id="P{i}"><part-name>{name}</part-name></score-part>' for i, name in enumerate(names, 1)
    )
    bodies = ""
    for i, measures in enumerate(parts, 1):
        inside = "".join(
            f"\n    <measure {label}>{body}</measure>" for label, body in zip(labels, measures, strict=True)
        )
        bodies += f'\n  <part id="P{i}">{inside}\n  </part>'
    return f'{HEAD}<score-partwise version="4.0">\n  <part-list>{entries}\n  </part-list>{bodies}\n</score-partwise>\n'


def chorales() -> list[Path]:
    """The scores of Bach's in music21's corpus."""
    found = importlib.util.find_spec("music21")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "corpus" / "bach"
    return sorted(path for path in folder.iterdir() if path.suffix in (".mxl", ".xml"))


def by_music21(text: str) -> Any:
    """A score as music21 reads it, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import music21
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return music21.converter.parseData(text, format="musicxml")


def sung(part: Any, starts: list[Fraction]) -> list[tuple[Fraction, Fraction, int]]:
    """Onset, duration and pitch of a part's notes by music21, ties joined, in steps.

    Where a measure begins is told by `starts`: where a repeat cuts a bar in two, music21 leaves a gap.
    """
    found: list[tuple[Fraction, Fraction, int]] = []
    for start, measure in zip(starts, part.getElementsByClass("Measure"), strict=True):
        for one in measure.recurse().notes:
            length = 4 * Fraction(one.duration.quarterLength).limit_denominator(10_000)
            onset = start + 4 * Fraction(one.getOffsetInHierarchy(measure)).limit_denominator(10_000)
            if one.tie and one.tie.type in ("stop", "continue"):
                assert (found[-1][0] + found[-1][1], found[-1][2]) == (onset, one.pitch.midi)
                found[-1] = (found[-1][0], found[-1][1] + length, one.pitch.midi)
            else:
                found.append((onset, length, one.pitch.midi))
    return found


def facts(part: Any) -> list[tuple[Any, ...]]:
    """Everything of a part by music21 that must not change: notes, ties, lyrics, fermatas, meters, keys, bar lines."""
    found: list[tuple[Any, ...]] = []
    for one in part.recurse():
        at = Fraction(one.getOffsetInHierarchy(part)).limit_denominator(10_000)
        kinds = set(one.classes)
        if kinds & {"Note", "Chord"}:
            names = tuple(pitch.nameWithOctave for pitch in one.pitches)
            tie = one.tie.type if one.tie else None
            lyrics = tuple((lyric.text, lyric.syllabic, lyric.number) for lyric in one.lyrics)
            marks = tuple(sorted(type(mark).__name__ for mark in (*one.expressions, *one.articulations)))
            length = Fraction(one.duration.quarterLength).limit_denominator(10_000)
            found.append(("note", at, names, length, one.duration.type, tie, lyrics, marks))
        elif "Rest" in kinds:
            found.append(("rest", at, Fraction(one.duration.quarterLength).limit_denominator(10_000)))
        elif "TimeSignature" in kinds:
            found.append(("meter", at, one.ratioString))
        elif "KeySignature" in kinds:
            found.append(("key", at, one.sharps))
        elif "Clef" in kinds:
            found.append(("clef", at, one.sign, one.line))
        elif "Measure" in kinds:
            found.append(("measure", at, one.number, one.numberSuffix))
        elif "Barline" in kinds:
            found.append(("barline", at, one.type, getattr(one, "direction", None)))
        elif "MetronomeMark" in kinds:
            found.append(("tempo", at, one.number))
    return found

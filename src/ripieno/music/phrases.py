"""Phrases: where the lines of a tune begin, come to rest, and end.

Where they are from, in this order: what the person says; the score's marks (fermatas, breath marks, double bars, ends
of the words' lines), if they divide the tune; else a guess from the tune, to which rests and the words' punctuation
belong (`segmentation`). Marks that leave a stretch too long for one phrase are kept, and the guess divides it.

The paper hears no phrases.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from ripieno.errors import BadInput
from ripieno.music.piece import PhraseMark
from ripieno.music.roll import RollNote
from ripieno.music.segmentation import MOST_NOTES_OF_A_PHRASE, GuessSource

WrittenSource = Literal["fermatas", "breath marks", "double bars", "verse lines"]
PhraseSource = Literal["said", WrittenSource, GuessSource, "nobody"]
NO_PHRASES = "none"  # what one says for none
METRES = {"cm": (8, 6, 8, 6), "lm": (8, 8, 8, 8), "sm": (6, 6, 8, 6)}  # common, long, short; D: doubled
MOST_PLACES = 1000

_KINDS: tuple[tuple[str, WrittenSource], ...] = (
    ("fermata", "fermatas"),
    ("breath", "breath marks"),
    ("double bar", "double bars"),
    ("line", "verse lines"),
)
_EXPECTED = 'say where they end, as bar or bar:beat ("2:4, 4, 6:4, 8"), or a hymn\'s metre ("8.6.8.6", "C.M."), or none'


class Phrase(NamedTuple):
    """A phrase, in steps of the region: onset of its first note, onset of its last, end of that."""

    start: int
    rest: int
    end: int
    sure: float = 1.0  # the chance that it ends there: 1 where that is written or said, below 1 where it is guessed


class Place(NamedTuple):
    """Where a phrase is said to end: a beat of a bar, or the bar's end."""

    bar: int
    beat: float | None = None

    @property
    def order(self) -> tuple[int, float]:
        """By which places are earlier or later."""
        return self.bar, math.inf if self.beat is None else self.beat

    def __str__(self) -> str:
        return str(self.bar) if self.beat is None else f"{self.bar}:{self.beat:g}"


def phrases_of(tune: Sequence[RollNote], last: Sequence[int], sure: Sequence[float] = ()) -> tuple[Phrase, ...]:
    """The phrases of a tune, by the index of each one's last note, ascending; they follow one another."""
    firsts = [0, *(i + 1 for i in last[:-1])]
    chances = sure or [1.0] * len(last)
    return tuple(
        Phrase(tune[first].onset, tune[i].onset, tune[i].onset + tune[i].duration, chance)
        for first, i, chance in zip(firsts, last, chances, strict=True)
    )


# What the score has written


class MarkedEnds(NamedTuple):
    """The last notes of phrases that marks of a score tell, and what marks they are."""

    last: tuple[int, ...]
    source: WrittenSource | None  # None where there are no marks

    def divides(self, n_notes: int) -> bool:
        """Whether they are all that a tune of so many notes needs."""
        lengths = [end - start for start, end in pairwise([-1, *self.last, n_notes - 1])]
        return max(lengths) <= MOST_NOTES_OF_A_PHRASE and any(i < n_notes - 1 for i in self.last)


def written_ends(marks: Iterable[PhraseMark], tune: Sequence[RollNote], start: int, part: int | None) -> MarkedEnds:
    """On which notes of a tune phrases end, as the score's marks say.

    A mark of another part counts where that is the note that sounds with it and none nearby has one of its own: parts
    come to rest together, and often only one of them has the sign, or comes a little later.

    Args:
        marks: of the piece.
        tune: steps of the region.
        start: step of the file on which the region begins.
        part: that the tune is in; None if it is taken from several.
    """
    onsets = [note.onset for note in tune]
    own: set[int] = set()
    others: set[int] = set()
    kinds: set[str] = set()
    for mark in marks:
        at = mark.step - start
        is_between = mark.kind == "double bar"
        i = (bisect_left(onsets, at) if is_between else bisect_right(onsets, at)) - 1
        if i < 0 or (not is_between and at >= tune[i].onset + tune[i].duration):
            continue
        (own if mark.part in (None, part) or part is None else others).add(i)
        kinds.add(mark.kind)
    found = sorted(own | {i for i in others if not any(abs(i - near) <= 2 for near in own)})
    source = next((source for kind, source in _KINDS if kind in kinds), None)
    return MarkedEnds(tuple(found), source)


# What a person says


def parse_phrases(text: str) -> tuple[Place, ...] | tuple[int, ...]:
    """What is said of phrases: places at which they end, in order, or the syllables of each line; none at all: ().

    Raises:
        BadInput: it is neither, or the places are not in order.
    """
    said = text.strip()
    if said.lower() in ("", NO_PHRASES):
        return ()
    metre = metre_in(said) if "," not in said and ":" not in said else ()
    if metre:
        return metre
    places = []
    for word in said.split(","):
        found = re.fullmatch(r"\s*(\d{1,5})(?:\s*:\s*(\d{1,3}(?:\.\d{1,4})?))?\s*", word)
        if found is None or (found[2] is not None and float(found[2]) < 1):
            raise BadInput(f'phrases cannot end at "{word.strip()[:20]}": {_EXPECTED}')
        places.append(Place(int(found[1]), None if found[2] is None else float(found[2])))
    if len(places) > MOST_PLACES:
        raise BadInput(f"phrases end at {len(places)} places, more than the {MOST_PLACES:,} that are read; say fewer")
    for one, other in pairwise(places):
        if one.order >= other.order:
            raise BadInput(f"phrases end at {one} and then at {other}: give the places in order, each once")
    return tuple(places)


def metre_in(text: str, least: int = 2) -> tuple[int, ...]:
    """The metre of a hymn that a text names: "8 6 8 6", "87.87 D" or "C.M."; () if it names none.

    Args:
        text: anything.
        least: fewer numbers in a row are none.
    """
    named = re.search(r"\b([CLS])\.? ?M\b\.?(?: ?(D)\b)?", text)
    if named:
        return METRES[f"{named[1].lower()}m"] * (2 if named[2] else 1)
    more = f"{{{least - 1},}}"
    counted = re.search(rf"(?<![\d.:/])\d{{1,2}}(?:[. ]+\d{{1,2}}){more}(?![\d:/])(?: ?\.? ?(D)\b)?", text)
    if not counted:
        return ()
    numbers = [number for number in re.split(r"[^\d]+", counted[0]) if number]
    # 87.87 has its lines in pairs; 10, 11 and 12 are lines of their own
    lines = [int(line) for number in numbers for line in ([number] if number in ("10", "11", "12") else number)]
    return tuple(lines) * (2 if counted[1] else 1) if min(lines) >= 2 else ()


def last_notes_at(steps: Collection[int], tune: Sequence[RollNote], said: Sequence[Place]) -> tuple[int, ...]:
    """The last note of each phrase, where phrases end at some steps: the note that sounds there or did last before.

    The tune's own last note ends a phrase in any case.

    Raises:
        BadInput: there is no note there yet, or it is the same one twice.
    """
    onsets = [note.onset for note in tune]
    last = [bisect_right(onsets, step) - 1 for step in steps]
    for i, place in zip(last, said, strict=True):
        if i < 0:
            raise BadInput(f"no phrase can end at {place}: the melody has not begun there; give a later place")
    for i, (one, other) in enumerate(pairwise(last)):
        if one == other:
            raise BadInput(
                f"phrases end at {said[i]} and at {said[i + 1]}, which is the same note of the melody; give one of them"
            )
    return tuple(last if last and last[-1] == len(tune) - 1 else [*last, len(tune) - 1])

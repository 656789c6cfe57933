"""How sounds are written down: note values, ties, rests, tuplets, beams and accidentals.

A voice is a row of sounds that do not overlap. A bar is cut by its meter into nodes: 4/4 into halves, quarters and so
on, 6/8 into dotted quarters and those into eighths. A sound is written as one value where that leaves the beat to be
seen, and else as several that are tied: cut at the strongest place that it crosses.

Times are exact fractions of a step (a sixteenth).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from ripieno.music.pitch import letter_at, octave_of, signature_alteration
from ripieno.music.roll import STEPS_PER_BEAT

VALUES = ("breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th")
_PLAIN = {Fraction(32, 2**i): value for i, value in enumerate(VALUES)}
VALUE_OF: dict[Fraction, tuple[str, int]] = {
    **{length: (value, 0) for length, value in _PLAIN.items()},
    **{length * 3 / 2: (value, 1) for length, value in _PLAIN.items() if value not in ("breve", "128th")},
}
MOST_PARTS = 6  # of a node; the ways to cut a note that crosses them grow as a power of their number
FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4, "128th": 5}

Ratio = tuple[int, int]  # so many notes in the time of so many


class Head(NamedTuple):
    """A note head: its MIDI number, and its name as a place on the line of fifths (C = 0, G = 1, F = -1)."""

    pitch: int
    place: int


@dataclass(frozen=True)
class Sound:
    """What a voice sings for a while: one head, or several as a chord."""

    onset: Fraction
    end: Fraction
    heads: tuple[Head, ...]


@dataclass(frozen=True)
class Measure:
    """A bar, or a part of one, in which something is written down."""

    start: Fraction
    end: Fraction
    numerator: int = 4
    denominator: int = 4
    offset: Fraction = Fraction(0)  # how far into a full bar it begins: a pickup of one beat in 4/4 begins at 12


@dataclass(frozen=True)
class Written:
    """One note, chord or rest on the page."""

    onset: Fraction
    duration: Fraction
    heads: tuple[Head, ...]  # empty: a rest
    value: str = ""  # one of VALUES; "" where none fits
    n_dots: int = 0
    ratio: Ratio | None = None
    tied_from: bool = False  # it goes on what was written before it
    tied_to: bool = False
    tuplet_starts: bool = False
    tuplet_stops: bool = False
    is_whole_measure: bool = False
    beams: tuple[str, ...] = ()

    @property
    def end(self) -> Fraction:
        """Where it stops."""
        return self.onset + self.duration


class _Node(NamedTuple):
    start: Fraction
    end: Fraction
    n_children: int  # equal ones; 0: see `cuts`
    cuts: tuple[Fraction, ...] = ()  # where unequal children begin, but for the first
    ratio: Ratio | None = None

    @property
    def length(self) -> Fraction:
        return self.end - self.start

    @property
    def bounds(self) -> tuple[Fraction, ...]:
        """Where its children begin, and its end."""
        if len(self.cuts) >= MOST_PARTS:  # first two halves, which have the other cuts
            return (self.start, self.cuts[len(self.cuts) // 2], self.end)
        if self.cuts:
            return (self.start, *self.cuts, self.end)
        size = self.length / self.n_children
        return (*(self.start + size * i for i in range(self.n_children)), self.end)


def write_voice(sounds: Sequence[Sound], measures: Sequence[Measure]) -> list[list[Written]]:
    """Write a voice down, with rests where it pauses: what stands in each measure.

    Args:
        sounds: in order of time; none overlaps another. What lies in no measure is not written.
        measures: in order of time, without gaps.
    """
    written = []
    at = 0
    for measure in measures:
        while at < len(sounds) and sounds[at].end <= measure.start:
            at += 1
        here = []
        for sound in sounds[at:]:
            if sound.onset >= measure.end:
                break
            here.append(sound)
        written.append(_write_measure(here, measure))
    return written


def accidentals(written: Sequence[Written], n_sharps: Sequence[int]) -> dict[tuple[int, Head], int]:
    """The accidentals that a staff needs in one measure: by place in `written` and head, the alteration shown.

    A note has one where it differs from the signature, or from what last stood on its line or space in this measure.
    One that is tied over the bar line shows none, and those after it do.

    Args:
        written: all that stands on the staff in this measure, of all its voices, in order of time.
        n_sharps: of the signature in force at each of them; negative for flats.
    """
    state: dict[tuple[int, int], int] = {}
    shown = {}
    for i, (one, sharps) in enumerate(zip(written, n_sharps, strict=True)):
        for head in one.heads:
            letter, alteration, octave = spelled(head)
            in_signature = signature_alteration(letter, sharps)
            if one.tied_from and (letter, octave) not in state:
                if alteration != in_signature:
                    state.setdefault((letter, octave), 99)  # held over: the next one on this line says what it is
                continue
            if alteration != state.get((letter, octave), in_signature):
                shown[i, head] = alteration
                state[letter, octave] = alteration
    return shown


def spelled(head: Head) -> tuple[int, int, int]:
    """Letter (C = 0 to B = 6), alteration in semitones, and octave of a head: pitch 60 at place 0 is (0, 0, 4)."""
    letter, alteration = letter_at(head.place)
    return letter, alteration, octave_of(head.pitch, alteration)


# Cutting


def _write_measure(sounds: Sequence[Sound], measure: Measure) -> list[Written]:
    if not sounds:
        length = measure.end - measure.start
        value, dots = VALUE_OF.get(length, ("", 0))
        return [Written(measure.start, length, (), value, dots, is_whole_measure=True)]
    points = {point for sound in sounds for point in (sound.onset, sound.end) if measure.start < point < measure.end}
    shift = measure.start - measure.offset  # where a full bar would have begun
    inside = _Window(measure.start - shift, measure.end - shift, tuple(sorted(point - shift for point in points)))
    root = _bar(measure.numerator, measure.denominator)
    if inside.end > root.end:  # more than its meter holds: a bar of no meter
        root = _Node(root.start, inside.end, 0, tuple(_beats(root.start, inside.end)))
    found: list[Written] = []
    now = inside.start
    for sound in sounds:
        onset, end = max(sound.onset - shift, inside.start), min(sound.end - shift, inside.end)
        if onset > now:
            found += _cut(now, onset, root, inside, is_rest=True)
        pieces = _cut(onset, end, root, inside, is_rest=False)
        for i, piece in enumerate(pieces):
            found.append(
                replace(
                    piece,
                    heads=sound.heads,
                    tied_from=i > 0 or sound.onset - shift < piece.onset,
                    tied_to=i < len(pieces) - 1 or sound.end - shift > piece.end,
                )
            )
        now = end
    if now < inside.end:
        found += _cut(now, inside.end, root, inside, is_rest=True)
    found = _with_tuplets(found, root, inside)
    found = _with_beams(found, measure)
    return [replace(one, onset=one.onset + shift) for one in found]


class _Window(NamedTuple):
    """What is written of a full bar, and where in it something begins or ends, in order."""

    start: Fraction
    end: Fraction
    points: tuple[Fraction, ...]


@cache
def _bar(numerator: int, denominator: int) -> _Node:
    unit = Fraction(16, denominator)
    end = numerator * unit
    start = Fraction(0)
    if is_compound(numerator, denominator):
        n_beats = numerator // 3
        if n_beats in (1, 2, 3):
            return _Node(start, end, n_beats if n_beats > 1 else 3)
        if n_beats == 4:
            return _Node(start, end, 2)
        if n_beats > MOST_PARTS:
            return _Node(start, end, 0, tuple(start + 3 * unit * i for i in range(1, n_beats)))
        return _Node(start, end, n_beats)
    if numerator == 1 or numerator in (2, 4, 8, 16):
        return _Node(start, end, 2)
    if numerator == 3:
        return _Node(start, end, 3)
    if numerator == 6:
        return _Node(start, end, 2)
    groups = [3] * (numerator % 2) + [2] * ((numerator - 3 * (numerator % 2)) // 2)
    if numerator == 7 and denominator >= 8:
        groups = [2, 2, 3]
    cuts, at = [], start
    for size in groups[:-1]:
        at += size * unit
        cuts.append(at)
    return _Node(start, end, 0, tuple(cuts))


def is_compound(numerator: int, denominator: int) -> bool:
    """Whether a meter's beats have three parts: 6/8, 9/8, 12/8, and 3/8."""
    return numerator % 3 == 0 and denominator >= 8


def _beats(start: Fraction, end: Fraction) -> Iterator[Fraction]:
    at = start + STEPS_PER_BEAT
    while at < end:
        yield at
        at += STEPS_PER_BEAT


def _children(node: _Node, inside: _Window) -> Iterator[_Node]:
    """What a node consists of; one in which there are triplets says so."""
    halves = len(node.cuts) >= MOST_PARTS
    for start, end in pairwise(node.bounds):
        cuts = tuple(cut for cut in node.cuts if start < cut < end) if halves else ()
        if cuts:
            yield _Node(start, end, 0, cuts)
            continue
        length = end - start
        plain = length * 2 / 3 if node.ratio else length
        is_ternary = plain / 3 in _PLAIN  # a dotted value
        child = _Node(start, end, 3 if is_ternary else 2, ratio=node.ratio)
        yield child if node.ratio or is_ternary else _as_tuplet(child, inside)


def _as_tuplet(node: _Node, inside: _Window) -> _Node:
    """A node of two halves, or of three thirds if only those are asked for within it."""
    if node.length > 8:
        return node
    first, last = bisect_right(inside.points, node.start), bisect_left(inside.points, node.end)
    within = [point - node.start for point in inside.points[first:last]]
    if not within or all(_is_binary(point) for point in within):
        return node
    third = node.length / 3
    if all(point % third == 0 or (point % (third / 2) == 0 and node.length <= STEPS_PER_BEAT) for point in within):
        return node._replace(n_children=3, ratio=(3, 2))
    return node


def _is_binary(length: Fraction) -> bool:
    return length.denominator & (length.denominator - 1) == 0


def _cut(onset: Fraction, end: Fraction, node: _Node, inside: _Window, *, is_rest: bool) -> list[Written]:
    """The values that fill a time, each within one node or across its children as custom allows."""
    for child in _children(node, inside):
        if child.start <= onset and end <= child.end and child.length > Fraction(1, 8):
            return _cut(onset, end, child, inside, is_rest=is_rest)
    length = end - onset
    value = _value(length, node.ratio)
    if value is not None and _shows_the_beat(onset, end, node, is_rest):
        return [Written(onset, length, (), *value, ratio=node.ratio)]
    crossed = [bound for bound in node.bounds if onset < bound < end]
    if not crossed or length < Fraction(1, 8):
        return [Written(onset, length, (), *(value or ("", 0)), ratio=node.ratio if value else None)]
    ways = []
    for bound in crossed:
        before = _cut(onset, bound, node, inside, is_rest=is_rest)
        ways.append(before + _cut(bound, end, node, inside, is_rest=is_rest))
    return min(reversed(ways), key=len)


def _value(length: Fraction, ratio: Ratio | None) -> tuple[str, int] | None:
    return VALUE_OF.get(length if ratio is None else length * ratio[0] / ratio[1])


def _shows_the_beat(onset: Fraction, end: Fraction, node: _Node, is_rest: bool) -> bool:
    """Whether one value may stand there without hiding where the beats of its node are."""
    bounds, length = node.bounds, end - onset
    if (onset, end) == (node.start, node.end):
        return True
    on_bounds = onset in bounds and end in bounds
    if is_rest:
        return on_bounds and onset == node.start
    if on_bounds:
        return True
    n = len(bounds) - 1
    if n == 2 and not node.cuts:
        if _is_ternary_length(node.length / 2):
            return False
        is_dotted = length == node.length * 3 / 4 and (onset == node.start or end == node.end)
        is_syncopated = length == node.length / 2 and onset == node.start + node.length / 4
        return is_dotted or is_syncopated
    if n == 3 and not node.cuts:
        # the dotted note of a siciliano, and of three quarters also the other way round
        return length == node.length / 2 and (onset in bounds or (end in bounds and node.length > 6))
    return False


def _is_ternary_length(length: Fraction) -> bool:
    return length / 3 in _PLAIN


# Tuplets and beams


def _with_tuplets(written: Sequence[Written], root: _Node, inside: _Window) -> list[Written]:
    found = list(written)
    tuplets = list(_tuplets(root, inside))
    for tuplet in tuplets:
        held = [i for i, one in enumerate(found) if one.ratio and tuplet.start <= one.onset < tuplet.end]
        if held:
            found[held[0]] = replace(found[held[0]], tuplet_starts=True)
            found[held[-1]] = replace(found[held[-1]], tuplet_stops=True)
    return found


def _tuplets(node: _Node, inside: _Window) -> Iterator[_Node]:
    for child in _children(node, inside):
        if child.ratio:
            yield child
        elif child.length > 1:
            yield from _tuplets(child, inside)


def _with_beams(written: Sequence[Written], measure: Measure) -> list[Written]:
    """Beams join the flags within a beat."""
    beat = Fraction(16, measure.denominator)
    if is_compound(measure.numerator, measure.denominator):
        beat *= 3
    beat = max(beat, Fraction(STEPS_PER_BEAT)) if measure.denominator <= 8 else beat
    found = list(written)
    group: list[int] = []

    def close() -> None:
        if len(group) > 1:
            for place, beams in zip(group, _beams([FLAGS[found[i].value] for i in group]), strict=True):
                found[place] = replace(found[place], beams=beams)
        group.clear()

    for i, one in enumerate(written):
        can = bool(one.heads) and one.value in FLAGS
        if group and (not can or one.onset // beat != written[group[-1]].onset // beat):
            close()
        if can:
            group.append(i)
    close()
    return found


def _beams(n_flags: Sequence[int]) -> list[tuple[str, ...]]:
    """What each note of a group has on each level, as MusicXML calls it."""
    found = []
    for i, n in enumerate(n_flags):
        before = n_flags[i - 1] if i else 0
        after = n_flags[i + 1] if i + 1 < len(n_flags) else 0
        levels = []
        for level in range(1, n + 1):
            from_left, to_right = before >= level, after >= level
            if from_left and to_right:
                levels.append("continue")
            elif from_left or to_right:
                levels.append("end" if from_left else "begin")
            else:
                levels.append("backward hook" if before else "forward hook")
        found.append(tuple(levels))
    return found

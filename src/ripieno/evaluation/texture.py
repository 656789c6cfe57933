"""What makes four voices sound like Bach's, counted: lines, rhythm, how phrases open and rest, what clashes.

The rules of part-writing (`music.part_writing`) say what is wrong. This says what is *usual*: by every count of faults
a setting can be cleaner than Bach's and still be told from his at once. Each `Feature` is a share: how often something
is so, of how many times it could have been, so that settings add up.

What we read into the words:

1. A line's notes are its stretches of one pitch, so repeated notes are one (JSB joins them); a rest parts them. A step
   is one or two semitones, a leap more.
2. A passing note is an eighth on the second half of a beat, approached and left by step in one direction.
3. A clash is two voices a semitone or a major seventh apart, octaves left out of account, both struck where a beat
   begins: nothing was held over to prepare it. It is left by leap where one of the two leaps away.
4. A fermata is its soprano note, from onset to end; its beat is the four steps from the onset on.
5. Parallel thirds, tenths and sixths may change between major and minor, as in a scale they do.
6. The key is Bach's: its tonic is his last bass note, and whoever harmonises the tune is held to it (`key_of_setting`).
7. A chord on a beat is what sounds where it begins. Its root is looked up; suspensions and passing notes have none.

Of Bach's own voices, JSB test: opens on I or V 0.883, on any root-position triad 0.961; clashes 6.6 in 1,000 beats;
three notes in a row by step, bass, 0.387; passing notes B, T, A 0.186, 0.120, 0.100; 0.440 of beats have nothing struck
off the beat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ripieno.music.chords import MAJOR, MINOR, NUMBERS, ROOTS
from ripieno.music.harmony import MODES, is_root_position_triad, key_fits, key_of
from ripieno.music.part_writing import Count
from ripieno.music.part_writing.consecutives import PARALLEL_FIFTHS, PARALLEL_OCTAVES
from ripieno.music.part_writing.score import STEP, Score
from ripieno.music.piece import Key
from ripieno.music.roll import STEPS_PER_BEAT, Voices
from ripieno.shapes import Bool, Int

SOPRANO, ALTO, TENOR, BASS = range(4)
NAMED = {"A": ALTO, "T": TENOR, "B": BASS}
EIGHTH, MINIM = STEPS_PER_BEAT // 2, 2 * STEPS_PER_BEAT  # steps
IMPERFECT = np.isin(np.arange(12), (3, 4, 8, 9))  # thirds, tenths and sixths
THIRD = np.isin(np.arange(12), (3, 4))


class Line(NamedTuple):
    """The notes and rests of a voice, repeated notes joined."""

    onsets: Int[np.ndarray, " note"]
    ends: Int[np.ndarray, " note"]
    pitches: Int[np.ndarray, " note"]  # -1 a rest

    @property
    def moves(self) -> Int[np.ndarray, " interval"]:
        """Semitones from each note to the next, 0 beside a rest."""
        sings = (self.pitches[1:] >= 0) & (self.pitches[:-1] >= 0)
        return np.asarray(np.diff(self.pitches) * sings)


@dataclass(frozen=True, eq=False)
class Setting:
    """Four voices, and what else is known of the piece.

    voices: MIDI numbers, -1 a rest; soprano, alto, tenor, bass.
    beat_phase: which sixteenth of its beat the piece begins on.
    key: of the piece; see `key_of_setting`. None where it is not known.
    fermatas: of each its note's onset and end, in steps and in order; None where they are not known.
    onsets: where a repeated pitch begins a note of its own, true elsewhere or not; None where that is not known.
    """

    voices: Voices
    beat_phase: int = 0
    key: Key | None = None
    fermatas: tuple[tuple[int, int], ...] | None = None
    onsets: Bool[np.ndarray, "step voice"] | None = None

    @cached_property
    def score(self) -> Score:
        """As the rules of part-writing look at it, repeated notes joined."""
        return Score(self.voices, self.key, None, None, self.beat_phase)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Of each voice."""
        found = []
        for line in self.voices.T:
            begins = np.ones(len(line), dtype=bool)
            begins[1:] = line[1:] != line[:-1]
            starts = np.flatnonzero(begins)
            found.append(Line(starts, np.append(starts[1:], len(line)), line[starts]))
        return tuple(found)

    @cached_property
    def beats(self) -> Int[np.ndarray, " beat"]:
        """The steps on which beats begin."""
        return np.flatnonzero(self.score.beats)


@dataclass(frozen=True)
class Feature:
    """Something that a setting does more or less often.

    name: in tables.
    of: how many times it could have been, of what.
    count: how often, of how many, in one setting.
    per: 1 for a share, else so many of the latter.
    needs: the fact of a `Setting` that it cannot do without; "" where voices are enough.
    """

    name: str
    of: str
    count: Callable[[Setting], Count]
    per: int = 1
    needs: str = ""


def key_of_setting(voices: Voices) -> Key | None:
    """The key in which a finished setting is: its last bass note is the tonic, the mode is what fits best.

    None where the bass never sings.
    """
    bass = voices[:, -1]
    sung = bass[bass >= 0]
    if not len(sung):
        return None
    tonic = int(sung[-1]) % 12
    fits = key_fits(np.bincount(voices[voices >= 0] % 12, minlength=12).astype(float))
    return key_of(tonic, MODES[int(fits[:, tonic].argmax())])


def counted(setting: Setting, features: Sequence[Feature] | None = None) -> dict[str, Count]:
    """The features of a setting by name; those are left out that need a fact which is not known of it.

    Args:
        setting: of four voices.
        features: which ones; all of `FEATURES` unless given.
    """
    return {
        feature.name: feature.count(setting)
        for feature in features or FEATURES
        if not feature.needs or getattr(setting, feature.needs) is not None
    }


def _share(true: np.ndarray, of: np.ndarray | int) -> Count:
    """How many are true, of how many."""
    return Count(int(np.count_nonzero(true)), of if isinstance(of, int) else int(np.count_nonzero(of)))


# --- lines


def runs(setting: Setting, voice: int) -> Count:
    """Three notes in a row by step, one way, of all three in a row."""
    moves = setting.lines[voice].moves
    first, then = moves[:-1], moves[1:]
    both = (first != 0) & (then != 0)
    return _share(both & (abs(first) <= STEP) & (abs(then) <= STEP) & (first * then > 0), both)


def leaps(setting: Setting, voice: int) -> Count:
    """Intervals wider than a step."""
    moves = setting.lines[voice].moves
    return _share(abs(moves) > STEP, moves)


def leap_after_leap(setting: Setting, voice: int) -> Count:
    """Three notes in a row of which both intervals are leaps, of all three in a row."""
    moves = setting.lines[voice].moves
    first, then = moves[:-1], moves[1:]
    return _share((abs(first) > STEP) & (abs(then) > STEP), (first != 0) & (then != 0))


def intervals(setting: Setting, voice: int, widths: Sequence[int]) -> Count:
    """Intervals of so many semitones, up or down."""
    moves = setting.lines[voice].moves
    return _share(np.isin(abs(moves), widths), moves)


def passing_notes(setting: Setting, voice: int) -> Count:
    """Eighths on the second half of a beat, passed by step in one direction; of beats that another one follows."""
    line = setting.lines[voice]
    first, then = line.moves[:-1], line.moves[1:]
    begins, ends = line.onsets[1:-1], line.ends[1:-1]
    eighth = ((begins + setting.beat_phase) % STEPS_PER_BEAT == EIGHTH) & (ends - begins == EIGHTH)
    passes = (abs(first) <= STEP) & (abs(then) <= STEP) & (first * then > 0)
    return _share(eighth & passes, max(len(setting.beats) - 1, 0))


# --- rhythm and texture


def nothing_off_the_beat(setting: Setting) -> Count:
    """Beats in which no voice, the soprano's either, begins a note on the second eighth."""
    eighths = setting.beats + EIGHTH
    eighths = eighths[eighths < len(setting.voices)]
    return _share(~setting.score.onsets[eighths].any(axis=1), len(eighths))


def lone_sixteenths(setting: Setting) -> Count:
    """Notes below the soprano that last a sixteenth, of all below it."""
    lengths = [(line.ends - line.onsets)[line.pitches >= 0] for line in (setting.lines[v] for v in (ALTO, TENOR, BASS))]
    return _share(np.concatenate(lengths) == 1, sum(len(of) for of in lengths))


def parallel_tenths(setting: Setting) -> Count:
    """Tenor and bass go the same way from a third (or tenth) to a third, or a sixth to a sixth; of steps both move."""
    score = setting.score
    moves = score.moves[:, [TENOR, BASS]]
    both = (moves != 0).all(axis=1)
    apart = (setting.voices[:, TENOR] - setting.voices[:, BASS]) % 12
    alike = IMPERFECT[apart[1:]] & IMPERFECT[apart[:-1]] & (THIRD[apart[1:]] == THIRD[apart[:-1]])
    return _share(both & alike & (moves.prod(axis=1) > 0), both)


def alto_below_tenor(setting: Setting) -> Count:
    """Steps on which the alto sings lower than the tenor, of those on which both sing."""
    alto, tenor = setting.voices[:, ALTO], setting.voices[:, TENOR]
    both = (alto >= 0) & (tenor >= 0)
    return _share(both & (alto < tenor), both)


def consecutive(setting: Setting, interval: int) -> Count:
    """Two voices move the same way from an interval to the same, in semitones modulo 12; of pairs that both move."""
    score = setting.score
    same = (score.intervals[1:] == interval) & (score.intervals[:-1] == interval)
    return _share(same & (score.motion > 0), score.motion)


# --- chords and dissonance


def clashes(setting: Setting) -> Count:
    """Beats on which two voices strike a semitone or a major seventh, of beats."""
    return Count(len({beat for beat, _ in _clashing(setting)}), len(setting.beats))


def clashes_left_by_leap(setting: Setting) -> Count:
    """Beats with a clash of which a voice leaps away, of beats."""
    found = set()
    for beat, voices in _clashing(setting):
        for voice in voices:
            line = setting.lines[voice]
            note = int(np.searchsorted(line.onsets, beat))
            if note < len(line.moves) and abs(int(line.moves[note])) > STEP:
                found.add(beat)
    return Count(len(found), len(setting.beats))


def _clashing(setting: Setting) -> list[tuple[int, tuple[int, int]]]:
    """Each beat and pair of voices that strike a clash."""
    score, beats = setting.score, setting.beats
    upper, lower = score.pairs
    struck = score.onsets[beats][:, upper] & score.onsets[beats][:, lower]
    clash = struck & np.isin(score.intervals[beats], (1, 11))
    return [(int(beats[i]), (int(upper[pair]), int(lower[pair]))) for i, pair in np.argwhere(clash).tolist()]


def complete_triads(setting: Setting) -> Count:
    """Beats on which all three notes of a major or minor chord sound and no other, of beats."""
    chords = setting.score.chords[setting.beats]
    return _share(np.isin(NUMBERS[chords], (MAJOR, MINOR)) & (_n_classes(chords) == 3), len(chords))


def six_fours(setting: Setting) -> Count:
    """Beats on which a major or minor chord stands over its fifth, of beats."""
    chords = setting.score.chords[setting.beats]
    over = (_basses(setting)[setting.beats] - ROOTS[chords]) % 12
    return _share(np.isin(NUMBERS[chords], (MAJOR, MINOR)) & (over == 7), len(chords))


def _n_classes(chords: Int[np.ndarray, " beat"]) -> Int[np.ndarray, " beat"]:
    return np.asarray(((chords[:, None] >> np.arange(12)) & 1).sum(axis=1))


def _basses(setting: Setting) -> Int[np.ndarray, " step"]:
    """The lowest pitch of each step; 128 in silence."""
    return np.asarray(np.where(setting.voices >= 0, setting.voices, 128).min(axis=1))


def _root_changes(setting: Setting) -> Int[np.ndarray, "change 2"]:
    """The roots of chords on two beats in a row, where both have one and they are not the same."""
    roots = ROOTS[setting.score.chords[setting.beats]]
    pairs = np.stack([roots[:-1], roots[1:]], axis=1)
    changed = (pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    return np.asarray(pairs[changed])


def root_motions(setting: Setting) -> Int[np.ndarray, " semitones"]:
    """How often the root goes up by so many semitones modulo 12, from a beat to the next."""
    changes = _root_changes(setting)
    return np.bincount((changes[:, 1] - changes[:, 0]) % 12, minlength=12)


def dominant_to_subdominant(setting: Setting) -> Count:
    """V followed by IV, in major or minor, of changes of root from a beat to the next."""
    assert setting.key is not None
    degrees = (_root_changes(setting) - setting.key.tonic) % 12
    return _share((degrees[:, 0] == 7) & (degrees[:, 1] == 5), len(degrees))


# --- where it opens, rests and ends


def _rests_at(setting: Setting, step: int) -> bool:
    """Whether a major or minor chord stands over its root."""
    return is_root_position_triad(int(pitch) for pitch in setting.voices[step] if pitch >= 0)


def _opening(setting: Setting) -> int | None:
    sounding = np.flatnonzero(setting.score.sounding.any(axis=1))
    return int(sounding[0]) if len(sounding) else None


def opens_on_a_triad(setting: Setting) -> Count:
    """The first chord is a major or minor one in root position; of settings."""
    step = _opening(setting)
    return Count() if step is None else Count(int(_rests_at(setting, step)), 1)


def opens_on_the_key(setting: Setting) -> Count:
    """The first chord is the key's I or V, major or minor, in root position; of settings."""
    step = _opening(setting)
    if step is None or setting.key is None:
        return Count()
    degree = (int(_basses(setting)[step]) - setting.key.tonic) % 12
    return Count(int(_rests_at(setting, step) and degree in (0, 7)), 1)


def ends_with_the_tune(setting: Setting) -> Count:
    """The bass is on the tonic where the soprano begins its last note, struck again or not; of settings."""
    assert setting.key is not None
    begins = setting.score.onsets[:, SOPRANO]
    if setting.onsets is not None:
        begins = begins | (setting.onsets[:, SOPRANO] & setting.score.sounding[:, SOPRANO])
    steps = np.flatnonzero(begins)
    if not len(steps):
        return Count()
    bass = int(setting.voices[steps[-1], BASS])
    return Count(int(bass >= 0 and bass % 12 == setting.key.tonic), 1)


def _fermatas(setting: Setting) -> list[tuple[int, int]]:
    assert setting.fermatas is not None
    return [(onset, min(end, len(setting.voices))) for onset, end in setting.fermatas if onset < len(setting.voices)]


def fermatas_rest(setting: Setting) -> Count:
    """A major or minor chord in root position where a fermata's note begins, of fermatas."""
    return _rests(setting, _fermatas(setting))


def short_fermatas_rest(setting: Setting) -> Count:
    """The same of those that are not the last and are shorter than a minim."""
    return _rests(setting, [(onset, end) for onset, end in _fermatas(setting)[:-1] if end - onset < MINIM])


def last_fermatas_rest(setting: Setting) -> Count:
    """The same of the last one."""
    return _rests(setting, _fermatas(setting)[-1:])


def _rests(setting: Setting, fermatas: Sequence[tuple[int, int]]) -> Count:
    return Count(sum(_rests_at(setting, onset) for onset, _ in fermatas), len(fermatas))


def moves_within_fermatas(setting: Setting, voices: Sequence[int]) -> Count:
    """One of some voices moves within a fermata's beat, of fermatas."""
    moving = np.any(setting.score.moves[:, list(voices)], axis=1)
    fermatas = _fermatas(setting)
    moved = [np.any(moving[onset : onset + STEPS_PER_BEAT - 1]) for onset, _ in fermatas]
    return Count(int(sum(moved)), len(fermatas))


def repeated_notes(setting: Setting, voice: int) -> Count:
    """Notes that strike the pitch which sounded just before, of notes."""
    assert setting.onsets is not None
    score = setting.score
    again = setting.onsets[1:, voice] & ~score.onsets[1:, voice] & score.sounding[1:, voice]
    return Count(int(again.sum()), int(again.sum()) + int(score.onsets[:, voice].sum()))


# --- all of them


def _of_voice(count: Callable[..., Count], voice: int, *rest: Any) -> Callable[[Setting], Count]:
    return lambda setting: count(setting, voice, *rest)


def _of_each(name: str, of: str, count: Callable[..., Count], order: str = "ATB", needs: str = "") -> list[Feature]:
    return [Feature(f"{name}, {voice}", of, _of_voice(count, NAMED[voice]), needs=needs) for voice in order]


FEATURES: tuple[Feature, ...] = (
    Feature("opens on I or V in root position", "settings", opens_on_the_key, needs="key"),
    Feature("opens on a root-position triad", "settings", opens_on_a_triad),
    Feature("fermata: root-position triad", "fermatas", fermatas_rest, needs="fermatas"),
    Feature("fermata: inner, shorter than a minim", "fermatas", short_fermatas_rest, needs="fermatas"),
    Feature("fermata: last", "fermatas", last_fermatas_rest, needs="fermatas"),
    Feature("bass moves in it", "fermatas", lambda s: moves_within_fermatas(s, [BASS]), needs="fermatas"),
    Feature("inner voice moves in it", "fermatas", lambda s: moves_within_fermatas(s, [ALTO, TENOR]), needs="fermatas"),
    Feature("bass on the tonic with the last note", "settings", ends_with_the_tune, needs="key"),
    Feature("unprepared clashes", "beats", clashes, per=1000),
    Feature("clashes left by leap", "beats", clashes_left_by_leap, per=1000),
    *_of_each("runs of three", "three notes in a row", runs),
    *_of_each("leaps", "intervals", leaps),
    *_of_each("leap after leap", "three notes in a row", leap_after_leap),
    Feature("bass by step", "intervals", _of_voice(intervals, BASS, (1, 2))),
    Feature("bass by third", "intervals", _of_voice(intervals, BASS, (3, 4))),
    Feature("bass by fourth or fifth", "intervals", _of_voice(intervals, BASS, (5, 7))),
    Feature("bass by tritone", "intervals", _of_voice(intervals, BASS, (6,))),
    *_of_each("passing notes", "beats", passing_notes, "BTA"),
    Feature("nothing off the beat", "beats", nothing_off_the_beat),
    Feature("sixteenths below the tune", "notes", lone_sixteenths),
    Feature("tenor and bass parallel", "both move", parallel_tenths),
    Feature("alto below tenor", "steps", alto_below_tenor),
    Feature(PARALLEL_FIFTHS.name, "pairs that both move", lambda s: consecutive(s, 7), per=1000),
    Feature(PARALLEL_OCTAVES.name, "pairs that both move", lambda s: consecutive(s, 0), per=1000),
    Feature("complete triads", "beats", complete_triads),
    Feature("six-fours", "beats", six_fours),
    Feature("V-IV", "changes of root", dominant_to_subdominant, needs="key"),
    *_of_each("repeated notes", "notes", repeated_notes, needs="onsets"),
)

"""What may be asked of a composition, said once.

`Options` is what every door takes: the command line's flags, keyword arguments in Python, the studio's rules, the keys
under which results are kept, and the tables in the documentation all derive from its fields. A new option is a field
here, the rule that reads it, and its sentence.

Nothing heavy is imported, for the command line reads this before it knows what is wanted of it.

The paper has three of them: the temperature, how many notes of the input may be removed, and the iterations.
"""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from numbers import Integral, Number, Real
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ripieno.errors import BadInput
from ripieno.music.styles import STYLES

Bars = tuple[int, int]  # the first and the last, both included
Pitches = tuple[int | None, int | None]  # MIDI numbers, the lowest and the highest; None: as far as the model knows


class BadOption(BadInput):
    """An option cannot be what was asked. Each door names it as it is called there.

    Args:
        name: of the field.
        value: as it was given.
        expected: what is, and what to do.
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name} {value}: {expected}")
        self.name, self.value, self.expected = name, value, expected


@dataclass(frozen=True, kw_only=True)
class About:
    """What the doors say of an option."""

    help: str  # one sentence or two
    flag: str = ""  # on the command line, where it is not the field's name
    metavar: str = ""  # what the command line's manual shows for its value
    unless: str = ""  # what holds unless it is given, in words, where the default does not say it
    group: Literal["", "reading", "way out"] = ""  # what the piece is taken to be; what becomes of the new notes
    least: float | None = None
    most: float | None = None
    longest: int | None = None  # characters of a text
    choices: tuple[str | int, ...] = ()
    read: Callable[[str], Any] | None = None  # a value from the command line's text
    by: Literal["rules", "lock", "tempo", "run"] = "rules"  # the studio's message that asks for it


def _option(default: Any, **about: Any) -> Any:
    return field(default=default, metadata={"about": About(**about)})


def read_bars(text: str) -> Bars:
    """Bars as the command line has them: 5-8, or 5."""
    first, _, last = text.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise BadInput("give the first and the last bar, such as 5-8, or one bar") from None


def read_pitches(text: str) -> Pitches:
    """A range as the command line has it: C3-G5, or C3- or -G5."""
    from ripieno.music.pitch import parse_pitch

    low, dash, high = text.partition("-")
    if not dash or not (low or high):
        raise BadInput("give the lowest and the highest note, such as C3-G5")
    lowest, highest = (parse_pitch(end) if end else None for end in (low, high))
    if lowest is not None and highest is not None and lowest > highest:
        raise BadInput(f"the lower note comes first, {high}-{low}")
    return lowest, highest


def read_amount(text: str) -> int | float:
    """A number of notes, or a share of them: 3, or 10%."""
    try:
        amount = float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        amount = -1
    if amount < 0 or (isinstance(amount, float) and not amount <= 1):
        raise BadInput("give a number of notes, such as 3, or a share, such as 10%")
    return amount


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be asked of a composition.

    Raises:
        BadOption: a value is none that an option can have.
    """

    melody: str | None = _option(
        None,
        group="reading",
        metavar="top|bass|inner|TRACK",
        help="Which line is yours to lead: the top one, the bass, an inner one, or a track by number or name.",
        unless="found by itself",
        longest=200,
    )
    key: str | None = _option(
        None,
        group="reading",
        metavar="KEY",
        help='The key, such as "Ab", "F#m" or "C minor".',
        unless="as it is read",
        longest=32,
    )
    meter: str | None = _option(
        None,
        group="reading",
        metavar="N/N",
        help='The meter, such as "3/4", if the file is wrong.',
        unless="as it is read",
        longest=8,
    )
    pickup: float | None = _option(
        None,
        group="reading",
        metavar="BEATS",
        help="Length of the pickup in beats; 0 for none.",
        unless="as it is read",
        least=0,
        most=100,
    )
    phrases: str | None = _option(
        None,
        group="reading",
        metavar="PLACES|METRE|none",
        help='Where the phrases of your line end, as bar or bar:beat ("2:4, 4, 6:4, 8"), or the metre of its text '
        '("8.6.8.6", "C.M."). None at all: none.',
        unless="as written, or guessed",
        longest=4_000,
    )
    bpm: float | None = _option(
        None,
        flag="tempo",
        metavar="BPM",
        help="Quarter notes a minute, in place of the file's tempo.",
        unless="the file's",
        least=4,
        most=1000,
        by="tempo",
    )
    bars: Bars | None = _option(
        None,
        metavar="FIRST-LAST",
        help="Compose in these bars only; the rest stays as it is.",
        unless="all of them",
        least=0,
        most=10_000,
        read=read_bars,
        by="run",
    )
    lock: Sequence[Bars] = _option(
        (),
        metavar="FIRST-LAST",
        help="Change nothing in these bars. May be given several times.",
        unless="none",
        least=0,
        most=10_000,
        read=read_bars,
        by="lock",
    )
    pitches: Pitches | None = _option(
        None,
        flag="range",
        metavar="LOW-HIGH",
        help='Lowest and highest new note, such as "C3-G5" (C4 is middle C).',
        unless="what the model knows, or the ensemble's",
        least=0,
        most=127,
        read=read_pitches,
    )
    n_voices: int | None = _option(
        4,
        flag="voices",
        metavar="N",
        help="How many notes may sound at once, yours included; fewer than 4 come out rougher.",
        least=1,
        most=16,
    )
    n_parts: int | None = _option(
        None,
        group="way out",
        flag="parts",
        metavar="1|2|4",
        help="How many new parts: one on two staves, upper and lower voices, or one for each voice.",
        unless="one for each voice, but for an organ",
        choices=(1, 2, 4),
    )
    ensemble: str | None = _option(
        None,
        group="way out",
        metavar="choir|strings|winds|organ",
        help="Who plays the new parts: names, clefs, ranges, sounds and transposition.",
        unless="a choir, any range",
        choices=("choir", "strings", "winds", "organ"),
    )
    style: str = _option(
        "chorale",
        metavar="|".join(STYLES),
        help="Who writes: Bach, or a hymnal, which repeats chords with the words.",
        choices=STYLES,
    )
    chords: str | None = _option(
        None,
        metavar="CHART",
        help='Chords that new notes belong to, bar by bar: "Ab Eb7 | Fm | Db/F Eb"; also Roman numerals '
        '("I | ii65 V7") and a figured bass ("C D_6 | G_4,3"). A named bass (Db/F, Db/Db) is the lowest note. None at '
        "all: none.",
        unless="those in the file, if any",
        longest=20_000,
    )
    cadences: str | None = _option(
        None,
        metavar="PLACES",
        help='Cadences at the ends of phrases: "8: half, 16: perfect" (also imperfect, plagal, deceptive), in the key '
        "that holds there.",
        unless="as the model writes them",
        longest=20_000,
    )
    write_chords: str | None = _option(
        None,
        group="way out",
        metavar="symbols|roman",
        help="Write the chords found into the score, as symbols or as Roman numerals.",
        unless="not written",
        choices=("symbols", "roman"),
    )
    syllables: bool = _option(
        False, group="way out", help="New parts strike again on the melody's syllables, or else on its notes."
    )
    max_removals: int | float = _option(
        0,
        metavar="N|SHARE",
        help="How many of your own notes may be changed: a number, or a share of them (10%; 0.1 in Python).",
        least=0,
        most=100_000,
        read=read_amount,
    )
    max_additions: int | None = _option(
        None, metavar="N", help="How many notes may be added.", unless="no limit", least=0, most=100_000
    )
    mend: str = _option(
        "faults",
        metavar="faults|parallels|nothing",
        help="What is put right at the end: faults of part-writing and a last chord that does not close, "
        "parallel fifths and octaves alone, or nothing.",
        choices=("faults", "parallels", "nothing"),
    )
    # chosen on JSB valid: 1.0 has fewer triads and more sevenths than Bach (docs/log.md#the-default-temperature)
    temperature: float = _option(
        0.8, metavar="T", help="Lower is safer, higher more daring; 1 is the model as it is.", least=0.01, most=10
    )
    quality: str = _option(
        "high",
        metavar="high|exact|fast|lossless",
        help="high goes over the full piece again and again, fast less often; exact looks at the piece anew for every "
        "change, takes longer, and ends when it is full; lossless is exact for a GPU.",
        choices=("high", "exact", "fast", "lossless"),
    )
    iterations: int | None = _option(
        None,
        metavar="N",
        help="Stop after N small changes at the latest.",
        unless="until finished",
        least=1,
        most=1_000_000,
        by="run",
    )
    seed: int = _option(
        0, metavar="N", help="Another number, another setting of the same melody.", least=0, most=2**53 - 1
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            value = _in_tuples(getattr(self, one.name))
            _check(one.name, value)
            object.__setattr__(self, one.name, value)
        low, high = self.pitches or (None, None)
        if low is not None and high is not None and low > high:
            raise BadOption("pitches", f"{low} to {high}", "the range runs down: give the lower note first")

    def to_json(self) -> dict[str, Any]:
        """The options that are not as they are unless given."""
        return {one.name: _in_lists(value) for one, value in _given(self)}

    @classmethod
    def from_json(cls, data: object) -> Options:
        """What `to_json` wrote.

        Raises:
            BadInput: it is something else, or names an option that there is not.
        """
        return cls().changed(data)

    def changed(self, data: object) -> Options:
        """With some options as a mapping has them, as JSON holds their values.

        Raises:
            BadInput: it is no mapping, or names an option that there is not.
        """
        if not isinstance(data, Mapping):
            raise BadInput(f"options are names with values, not {str(data)[:60]}")
        unknown = sorted(str(name) for name in set(data) - set(abouts()))
        if unknown:
            raise BadInput(f"there is no option {unknown[0]}; choose {', '.join(abouts())}")
        wanted = {name: _in_tuples(value) for name, value in data.items()}
        for name, value in wanted.items():
            _check(name, value)
        return replace(self, **wanted)


def takes_options(door: Any) -> Any:
    """Name the options in the signature and the manual of a function or class that passes `**asked` on to `Options`."""
    signature = inspect.signature(door)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    asked = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kinds()[name])
        for name, default in defaults().items()
        if name not in signature.parameters
    ]
    door.__signature__ = signature.replace(parameters=[*own, *asked])
    lines = [f"        {name}: {about.help[0].lower()}{about.help[1:]}" for name, about in abouts().items()]
    door.__doc__ = f"{inspect.cleandoc(door.__doc__)}\n\nOptions:\n" + "\n".join(line[4:] for line in lines)
    return door


def _given(options: Options) -> Iterator[tuple[Any, Any]]:
    for one in fields(options):
        value = getattr(options, one.name)
        if value != one.default:
            yield one, value


def title_of(name: str) -> str:
    """What an option is called in a form."""
    about = abouts()[name]
    words = about.flag or name.replace("_", " ")
    return words[0].upper() + words[1:]


@cache
def abouts() -> dict[str, About]:
    """What the doors say of each option, by its name."""
    return {one.name: one.metadata["about"] for one in fields(Options)}


@cache
def defaults() -> dict[str, Any]:
    """What each option is unless given."""
    return {one.name: one.default for one in fields(Options)}


@cache
def kinds() -> dict[str, Any]:
    """The type of each option's value."""
    return get_type_hints(Options)


def flag_of(name: str) -> str:
    """What an option is called on the command line."""
    return "--" + (abouts()[name].flag or name).replace("_", "-")


def in_words(name: str, value: Any) -> str:
    """An option's value as one says it: C3 to G5 for a range."""
    if name != "pitches" or value is None:
        return str(value)
    from ripieno.music.harmony import note_name

    low, high = (None if end is None else note_name(end, short=True) for end in value)
    return f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"


def options_table() -> str:
    """The options as a table in Markdown: on the command line, in Python and on the wire, and what each does."""
    bar = "\\|"
    rows = ["| command line | Python, HTTP | what | unless given |", "|---|---|---|---|"]
    for name, about in abouts().items():
        value = f" {about.metavar}".replace("|", bar) if about.metavar else ""
        unless = about.unless or f"`{defaults()[name]}`"
        rows.append(f"| `{flag_of(name)}{value}` | `{name}` | {about.help.replace('|', bar)} | {unless} |")
    return "\n".join(rows)


# What a value can be

SHARE = (0.0, 1.0)


def _check(name: str, value: Any) -> None:
    about = abouts()[name]
    if value is None and _fits(None, kinds()[name]):
        return
    if not _fits(value, kinds()[name]):
        raise BadOption(name, repr(value), f"give {_in_words(kinds()[name])}")
    if about.choices and value not in about.choices:
        raise BadOption(name, value, f"choose {', '.join(map(str, about.choices))}")
    if about.longest is not None and len(value) > about.longest:
        raise BadOption(name, f"{value[:20]}...", f"{about.longest} characters at the most")
    for number in _numbers_in(value):
        least, most = limits(name, type(number))
        is_outside = (least is not None and number < least) or (most is not None and number > most)
        if is_outside and (least, most) == SHARE:
            raise BadOption(name, value, "a share lies between 0.0 and 1.0; write a number of notes without a point")
        if least is not None and number < least:
            raise BadOption(name, value, f"ask for {least:g} or more")
        if most is not None and number > most:
            raise BadOption(name, value, f"ask for {most:,.0f} or less")


def limits(name: str, kind: type) -> tuple[float | None, float | None]:
    """The least and the most that a number in an option may be; None for no limit.

    Args:
        name: the option's.
        kind: int or float. Where either will do, an int is a count and a float a share.
    """
    if kind is float and kinds()[name] == int | float:
        return SHARE
    return abouts()[name].least, abouts()[name].most


def _numbers_in(value: Any) -> Iterator[int | float]:
    if isinstance(value, tuple):
        for one in value:
            yield from _numbers_in(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def _fits(value: Any, kind: Any) -> bool:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in args)
    if origin is Sequence:
        return isinstance(value, tuple) and all(_fits(one, args[0]) for one in value)
    if origin is tuple:
        same = isinstance(value, tuple) and len(value) == len(args)
        return same and all(_fits(one, arg) for one, arg in zip(value, args, strict=True))
    if kind is None or kind is type(None):
        return value is None
    if kind in (int, float):
        number = isinstance(value, int | float if kind is float else int) and not isinstance(value, bool)
        return number and math.isfinite(value)
    return isinstance(value, kind)


def _in_words(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_in_words(one) for one in get_args(kind) if one is not type(None)))
    return names.get(kind, "two whole numbers, the first and the last")


def _in_tuples(value: Any) -> Any:
    """Lists as tuples, and NumPy's numbers as Python's."""
    if isinstance(value, list | tuple):
        return tuple(map(_in_tuples, value))
    if isinstance(value, bool | int | float) or not isinstance(value, Number):
        return value
    return int(value) if isinstance(value, Integral) else float(value) if isinstance(value, Real) else value


def _in_lists(value: Any) -> Any:
    return list(map(_in_lists, value)) if isinstance(value, tuple) else value

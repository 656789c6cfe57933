"""What each field of a configuration may hold: its annotation says so, and `check_fields` holds it to that.

    learning_rate: Annotated[float, Within(0, 1, without_low=True)] = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"

Configurations come from flags and from JSON, where a slip of the pen is a string, a negative number or NaN.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from ripieno.music.roll import N_PITCHES


@dataclass(frozen=True)
class Within:
    """Limits of a number, themselves included unless said otherwise."""

    low: float
    high: float
    without_low: bool = False
    without_high: bool = False
    odd: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.without_low else value >= self.low
        below = value < self.high if self.without_high else value <= self.high
        return above and below and (not self.odd or value % 2 == 1)

    def __str__(self) -> str:
        low = f"above {self.low:.12g} and up" if self.without_low else f"from {self.low:.12g}"
        high = f"to below {self.high:.12g}" if self.without_high else f"to {self.high:.12g}"
        return f"{low} {high}{', and odd' if self.odd else ''}"


Share = Annotated[float, Within(0, 1)]
ShareBelow1 = Annotated[float, Within(0, 1, without_high=True)]
OneOrMore = Annotated[int, Within(1, 2**40)]
Steps = Annotated[int, Within(1, 2**20)]
Width = Annotated[int, Within(1, 2**16)]  # filters of a convolution
Pitch = Annotated[int, Within(0, N_PITCHES - 1)]
NPitches = Annotated[int, Within(1, N_PITCHES)]
Kernel = Annotated[int, Within(1, 255, odd=True)]  # pitches that a convolution spans; an even one would move the roll


def check_fields(config: Any) -> None:
    """Hold every field of a dataclass to its annotation.

    Args:
        config: its fields are numbers, `Annotated` with `Within`, truth values, `Literal` choices, tuples of these of
            any length but none, dataclasses, or one of these or None.

    Raises:
        ValueError: a field holds something else; it, its value, what it may be and its default are named.
    """
    hints = get_type_hints(type(config), include_extras=True)
    for field in fields(config):
        value = getattr(config, field.name)
        if not _fits(value, hints[field.name]):
            remedy = "" if field.default is MISSING else f"; unless given it is {_told(field.default)}"
            raise ValueError(f"{field.name} must be {_expected(hints[field.name])}, not {_told(value)}{remedy}")


def check_window(lowest_pitch: int, n_pitches: int) -> None:
    """Hold a network's pitch window within the 128 pitches that there are.

    Raises:
        ValueError: it reaches past the highest.
    """
    if lowest_pitch + n_pitches > N_PITCHES:
        raise ValueError(
            f"n_pitches must be {N_PITCHES - lowest_pitch} at most above a lowest_pitch of {lowest_pitch}, "
            f"not {n_pitches}: there are {N_PITCHES} pitches"
        )


def known_fields(kind: type, data: Any, what: str) -> dict[str, Any]:
    """What JSON has for a dataclass, if it is for that.

    Args:
        kind: the dataclass.
        data: what `json.loads` gave.
        what: names it in errors.

    Raises:
        ValueError: it is no JSON object, or has a key that is no field.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{what} must be a JSON object, not {_told(data)}")
    names = [field.name for field in fields(kind)]
    if unknown := sorted(str(key) for key in data if key not in names):
        raise ValueError(f"{what} has no setting called {', '.join(unknown)}; there are: {', '.join(names)}")
    return data


def _fits(value: Any, hint: Any) -> bool:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in args)
    if origin is Annotated:
        base, limits = args
        return _fits(value, base) and value in limits
    if origin is Literal:
        return isinstance(value, str) and value in args
    if origin is tuple:
        return isinstance(value, tuple) and bool(value) and all(_fits(one, args[0]) for one in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _expected(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(_expected(one) for one in args)
    if origin is Annotated:
        return f"{_expected(args[0])} {args[1]}"
    if origin is Literal:
        return " or ".join(args)
    if origin is tuple:
        return f"a list of one or more, each {_expected(args[0])}"
    named = {float: "a number", int: "a whole number", bool: "true or false", NoneType: "none"}
    return named.get(hint) or f"a {hint.__name__}"


def _told(value: Any) -> str:
    if isinstance(value, bool | NoneType):
        return {True: "true", False: "false", None: "none"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

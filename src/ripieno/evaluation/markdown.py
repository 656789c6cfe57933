"""How figures are written in Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan

TITLES = {
    "es-net": "ES-Net",
    "unmended": "ES-Net, nothing mended",
    "additions-only": "ES-Net, additions only",
    "nade": "orderless NADE",
    "gibbs": "Coconet, Gibbs",
    "coconet": "Coconet",
    "coconet-split": "Coconet, voices as split",
    "bach": "Bach",
    "training data": "training data",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def decimal(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None or isnan(value) else f"{value:.{digits}f}"


def with_interval(values: Sequence[float], digits: int = 3) -> str:
    """A figure and its interval."""
    return f"{decimal(values[0], digits)} ({decimal(values[1], digits)} to {decimal(values[2], digits)})"


def percent(values: Sequence[float]) -> str:
    """A share and, if given, its interval."""
    if len(values) == 1:
        return "-" if isnan(values[0]) else f"{values[0]:.1%}"
    return f"{values[0]:.1%} ({values[1]:.1%} to {values[2]:.1%})"

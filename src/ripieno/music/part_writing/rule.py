"""All that is known of a rule of part-writing, in one record.

Who looks for it, what `check` says of it, what mending pays for it: everybody reads it here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ripieno.music.part_writing.score import Found, Score

Level = Literal["error", "warning", "style"]
LEVELS: tuple[Level, ...] = ("error", "warning", "style")  # from the gravest

Finder = Callable[[Score, str], Found]  # the name is the rule's

# What rules are taken from.
FUX = "Fux, Gradus ad Parnassum (1725), first species"
FOUR_PARTS = "Aldwell and Schachter, Harmony and Voice Leading, on writing in four parts"
ON_DOMINANTS = "Aldwell and Schachter, Harmony and Voice Leading, on V and V7"
PISTON = "Piston, Harmony, on voice leading and part writing"
ON_SIX_FOURS = f"{PISTON}: the six-four chord"
MOCK = "Fang et al., Bach or Mock? (2020)"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Something that may be wrong."""

    name: str
    find: Finder
    of: str  # what the opportunities are
    source: str  # the treatise that it is taken from, or what it was measured on
    level: Level  # how grave it is: what Bach does in nearly every chorale is style, what he hardly ever does an error
    wording: str  # what `check` says; with {voices}, and {notes} where that helps
    remedy: str  # what to write instead, in general
    teachers_price: float  # what a fault costs where a teacher reads; 0: nothing
    menders_price: float  # what a fault costs where mending looks; 0: it is not mended
    per: int = 1000  # opportunities, in the figure that is printed
    is_marked: bool = True  # else a teacher lets it stand, but more of it is worse: looked for only where asked
    is_of_motion: bool = False  # it lies in how the voices come there: the notes before may mend it, too
    is_of_singers: bool = False  # it says who sings, which nobody knows of a line alone
    is_of_chords: bool = False  # it lies in what the chords are, too: any voice may be what mends it
    is_of_free_chords: bool = False  # it is said of chords that the model was free to choose: not where they are given
    is_aside: bool = False  # mending never looks for it: it only speaks for one remedy or another

"""Where the lines of a hymn end: its metre, counted along the melody of an ABC file.

A hymn's metre is the number of syllables in each of its lines, as "8 6 8 6". Collections in ABC notation
(abcnotation.com, standard 2.1) that leave the words out may keep it, as `N: metrical 8 6 8 6`. A syllable is a note, or
the notes under a slur or tie. Where the melody has not just as many syllables as the metre says, once or several times
over, nothing is said.
"""

from __future__ import annotations

import re
from pathlib import Path

from ripieno.errors import BadInput

_TOKENS = re.compile(
    r"(?P<skip>\"[^\"]*\"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\])"
    r"|(?P<tuplet>\(\d(?::\d?)*)"
    r"|(?P<open>\()|(?P<close>\))|(?P<tie>-)"
    r"|(?P<chord>\[[^\]]*\])"
    r"|(?P<note>[\^_=]*[A-Ga-g][,']*)"
)


def lines_by_number(path: Path) -> dict[int, list[int]]:
    """For each tune of an ABC file, the note of the melody on which each of its lines ends.

    Args:
        path: an ABC file in which each tune names its melody's voice first, as `[V: S1V1] ...`.

    Returns:
        By the tune's number (`X:`), ascending indexes into the melody's notes, tied notes counted once; tunes whose
        notes do not fit their metre are left out.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    found = {}
    for tune in re.split(r"(?m)^X:", text)[1:]:
        number = int(re.match(r"\s*(\d+)", tune)[1])  # type: ignore[index]
        metre = re.search(r"(?m)^N:\s*metrical ([\d ]+)", tune)
        melody = [line.partition("]")[2] for line in tune.splitlines() if line.startswith("[V: S1V1]")]
        if metre and melody and ":|" not in " ".join(melody):
            ends = line_ends([int(n) for n in metre[1].split()], syllables("\n".join(melody)))
            if ends:
                found[number] = ends
    return found


def syllables(melody: str) -> list[int]:
    """How many notes each syllable of an ABC melody has, tied notes counted once."""
    counts: list[int] = []
    depth, tied, slurred = 0, False, False
    for match in _TOKENS.finditer(re.sub(r"%.*", "", melody)):
        kind = match.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(depth - 1, 0)
            slurred = depth > 0
        elif kind == "tie":
            tied = True
        elif kind in ("note", "chord"):
            if tied:
                tied = False  # the same note goes on
            elif slurred:
                counts[-1] += 1
            else:
                counts.append(1)
            slurred = depth > 0
    return counts


def line_ends(metre: list[int], counts: list[int]) -> list[int]:
    """The last note of each line; none where the syllables are not the metre's, once or several times over."""
    total = sum(metre)
    if not total or len(counts) % total:
        return []
    ends, note, syllable = [], -1, 0
    for length in metre * (len(counts) // total):
        note += sum(counts[syllable : syllable + length])
        syllable += length
        ends.append(note)
    return ends

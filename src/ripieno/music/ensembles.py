"""Who plays the new voices: names, clefs, ranges and transpositions of ensembles, and how many parts there are.

Voices stay voices: what is put together into one part keeps them apart on its staves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ripieno.errors import BadInput
from ripieno.music.harmony import note_name
from ripieno.music.piece import NewPart, SungSyllable
from ripieno.music.roll import RollNote, notes_of, silence
from ripieno.music.voices import NAMES

VOICES = NAMES[4]
UPPER, LOWER = VOICES[:2], VOICES[2:]


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """An instrument, or a voice of a choir. Its range is where it sounds."""

    name: str
    short: str
    program: int  # General MIDI, 0-127
    clef: str
    lowest: int
    highest: int
    diatonic: int = 0  # it sounds so many letters and semitones above what its player reads
    chromatic: int = 0


# By voice, from the soprano down. The winds are those whose compass holds what Bach's voices sing.
ENSEMBLES: dict[str, tuple[Instrument, ...]] = {
    "choir": (
        Instrument(name="Soprano", short="S.", program=52, clef="treble", lowest=60, highest=81),
        Instrument(name="Alto", short="A.", program=52, clef="treble", lowest=53, highest=74),
        Instrument(name="Tenor", short="T.", program=52, clef="treble8", lowest=47, highest=69),
        Instrument(name="Bass", short="B.", program=52, clef="bass", lowest=40, highest=64),
    ),
    "strings": (
        Instrument(name="Violin I", short="Vl. I", program=40, clef="treble", lowest=55, highest=93),
        Instrument(name="Violin II", short="Vl. II", program=40, clef="treble", lowest=55, highest=88),
        Instrument(name="Viola", short="Vla.", program=41, clef="alto", lowest=48, highest=81),
        Instrument(name="Violoncello", short="Vc.", program=42, clef="bass", lowest=36, highest=72),
    ),
    "winds": (
        Instrument(name="Oboe", short="Ob.", program=68, clef="treble", lowest=58, highest=89),
        Instrument(
            name="Clarinet in B flat",
            short="Cl.",
            program=71,
            clef="treble",
            lowest=50,
            highest=87,
            diatonic=-1,
            chromatic=-2,
        ),
        Instrument(
            name="English horn",
            short="E.H.",
            program=69,
            clef="treble",
            lowest=52,
            highest=79,
            diatonic=-4,
            chromatic=-7,
        ),
        Instrument(name="Bassoon", short="Bsn.", program=70, clef="bass", lowest=34, highest=70),
    ),
    "organ": tuple(
        Instrument(name="Organ", short="Org.", program=19, clef=clef, lowest=36, highest=96)
        for clef in ("treble", "treble", "bass", "bass")
    ),
}
N_PARTS = (1, 2, 4)


def check_arrangement(ensemble: str | None, n_parts: int | None) -> None:
    """Refuse an ensemble that nobody knows, and a number of parts that cannot be had.

    Raises:
        BadInput: as it says.
    """
    if ensemble is not None and ensemble not in ENSEMBLES:
        raise BadInput(f"no ensemble is called {ensemble}; choose {', '.join(ENSEMBLES)}")
    if n_parts is not None and n_parts not in N_PARTS:
        raise BadInput(f"{n_parts} parts cannot be had; choose 1, 2 or 4 (one for each voice)")


def range_of(ensemble: str) -> tuple[int, int]:
    """The lowest and the highest pitch of an ensemble."""
    players = ENSEMBLES[ensemble]
    return min(one.lowest for one in players), max(one.highest for one in players)


def arranged(voices: Sequence[NewPart], ensemble: str | None = None, n_parts: int | None = None) -> list[NewPart]:
    """The new voices as parts for players.

    Args:
        voices: as `music.voices.parts_of` gives them, named after the voices of a choir.
        ensemble: one of `ENSEMBLES`; unless given, a choir whose sounds and ranges nobody asked for.
        n_parts: 1, or 2 (upper and lower voices), or 4, one for each voice; an organ has one part, others four,
            unless given.
    """
    check_arrangement(ensemble, n_parts)
    if n_parts is None:
        n_parts = 1 if ensemble == "organ" else 4
    if not voices:
        return []
    players = dict(zip(VOICES, ENSEMBLES[ensemble or "choir"], strict=True))
    if n_parts == 4:
        return [_played(voice, players.get(voice.name), ensemble) for voice in voices]
    groups = [[voice for voice in voices if (voice.name in LOWER) is is_lower] for is_lower in (False, True)]
    if n_parts == 2:
        return [_together([group], players, ensemble, n_parts) for group in groups if group]
    return [_together([group for group in groups if group], players, ensemble, n_parts)]


def struck_on(parts: Iterable[NewPart], onsets: Collection[int]) -> list[NewPart]:
    """Parts that strike their notes again at some steps of the file: a syllable is sung by everybody."""

    def struck(notes: Iterable[RollNote]) -> tuple[RollNote, ...]:
        found = []
        for note in notes:
            cuts = [note.onset, *sorted(step for step in onsets if note.onset < step < note.end), note.end]
            found += [RollNote(a, note.pitch, b - a) for a, b in pairwise(cuts)]
        return tuple(found)

    return [
        replace(
            part,
            notes=struck(part.notes),
            staves=tuple(tuple(struck(voice) for voice in staff) for staff in part.staves),
        )
        for part in parts
    ]


def sung_with(parts: Iterable[NewPart], words: Sequence[SungSyllable], ensemble: str | None) -> list[NewPart]:
    """Parts with the melody's words, on each syllable that they strike; those of a choir, for players sing nothing."""
    if ensemble not in (None, "choir"):
        return list(parts)
    found = []
    for part in parts:
        strikes = {note.onset for note in part.notes} if len(part.staves) < 2 else set()  # two staves are a keyboard's
        found.append(replace(part, syllables=tuple(one for one in words if one.step in strikes)))
    return found


def out_of_range(voices: Sequence[NewPart], ensemble: str) -> list[str]:
    """What players of an ensemble cannot play, one line for each."""
    players = dict(zip(VOICES, ENSEMBLES[ensemble], strict=True))
    said = []
    for voice in voices:
        player = players.get(voice.name)
        outside = [note for note in voice.notes if player and not player.lowest <= note.pitch <= player.highest]
        if player and outside:
            compass = f"{note_name(player.lowest, short=True)} to {note_name(player.highest, short=True)}"
            said.append(f"{len(outside)} of {len(voice.notes)} notes of {player.name} lie outside {compass}")
    return said


def _played(voice: NewPart, player: Instrument | None, ensemble: str | None) -> NewPart:
    if player is None:
        return voice
    return replace(
        voice,
        name=player.name,
        abbreviation=player.short,
        program=voice.program if ensemble is None else player.program,
        clef=player.clef,
        diatonic=player.diatonic,
        chromatic=player.chromatic,
    )


def _together(
    groups: Sequence[Sequence[NewPart]], players: dict[str, Instrument], ensemble: str | None, n_parts: int
) -> NewPart:
    """Several voices as one part, with a staff for each group; at sounding pitch, since they share staves."""
    voices = [voice for group in groups for voice in group]
    known = [players[voice.name] for voice in voices if voice.name in players]
    names = list(dict.fromkeys(player.name for player in known))
    if n_parts == 1:
        name = names[0] if len(names) == 1 and ensemble is not None else "Accompaniment"
    else:
        name = " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)
    return NewPart(
        name=name or voices[0].name,
        program=voices[0].program if ensemble is None or not known else known[0].program,
        velocity=voices[0].velocity,
        notes=_merged(voice.notes for voice in voices),
        staves=tuple(tuple(voice.notes for voice in group) for group in groups),
    )


def _merged(lines: Iterable[Sequence[RollNote]]) -> tuple[RollNote, ...]:
    """Notes of several lines as one keyboard plays them: what two lines sing in unison sounds once."""
    notes = [note for line in lines for note in line]
    cells = silence(max(note.end for note in notes), n_planes=2)
    for note in notes:
        cells[0, note.onset : note.end, note.pitch] = True
    for note in notes:
        cells[1, note.onset, note.pitch] = True
    return tuple(notes_of(cells))

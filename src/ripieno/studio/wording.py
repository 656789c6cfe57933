"""What is done to a piece in the studio, in a musician's words."""

from __future__ import annotations

from collections.abc import Sequence

from ripieno.music import harmony
from ripieno.music.piece import within_range
from ripieno.music.roll import RollNote
from ripieno.music.understanding import Reading
from ripieno.studio import messages as wire


def heard(pitch: int, reading: Reading) -> int:
    """A pitch of the roll as it sounds in the piece."""
    return within_range(pitch - reading.shift)


def named(note: RollNote, reading: Reading) -> str:
    """As one says it: "A3 in bar 2, beat 1"."""
    name = harmony.note_name(heard(note.pitch, reading), reading.key, short=True)
    return f"{name} in {reading.place(note.onset)}" if note.onset < reading.n_steps else name


def described(gone: Sequence[RollNote], come: Sequence[RollNote], reading: Reading) -> str:
    """What an edit of the person's did."""
    if len(gone) == len(come) == 1:
        (old,), (new,) = gone, come
        if (old.onset, old.pitch) == (new.onset, new.pitch):
            return f"{named(new, reading)} made {'longer' if new.duration > old.duration else 'shorter'}"
        return f"{named(old, reading)} moved to {named(new, reading)}"
    if len(gone) + len(come) == 1:
        return named(come[0], reading) if come else f"{named(gone[0], reading)} removed"
    if len(gone) == len(come):
        return f"{len(gone)} notes moved or changed"
    said = [f"{len(gone)} removed"] * bool(gone) + [f"{len(come)} drawn"] * bool(come)
    return f"notes: {', '.join(said)}"


def lock_in_words(request: wire.Lock, notes: Sequence[RollNote], reading: Reading) -> str:
    """What a request to lock or unlock does; `notes` are its notes on the roll."""
    said = [f"bar {bar}" for bar in request.bars] + [f"the {voice}" for voice in request.voices]
    key = reading.key
    said += [f"row {harmony.note_name(pitch, key, short=True)}" for pitch in request.pitches]
    said += [named(note, reading) for note in notes]
    what = ", ".join(said[:3]) + (f" and {len(said) - 3} more" if len(said) > 3 else "")
    return f"{'locked' if request.locked else 'unlocked'} {what or 'nothing'}"


def bars_in_words(bars: tuple[int, int]) -> str:
    """As one says it: "bars 3-4"."""
    return f"bar {bars[0]}" if bars[0] == bars[1] else f"bars {bars[0]}-{bars[1]}"

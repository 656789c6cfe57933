"""The document is a piece and its log: whatever is undone, it is as if it had never been done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ripieno import BadInput, piece_from_notes
from ripieno.bounds import Locks, RefusedSuggestion
from ripieno.document import Document, Origin
from ripieno.edits.edit import Edit
from ripieno.edits.log import EditLog, SettingEntry, UndoEntry, entries_from_json
from ripieno.music.roll import RollNote
from ripieno.options import Options

MELODY = [RollNote(0, 72, 4), RollNote(4, 74, 4), RollNote(8, 76, 8), RollNote(16, 72, 16)]
BEGUN = Origin(piece=piece_from_notes(MELODY, meter=(4, 4)), n_planes=2)
EMPTY = Origin(piece=piece_from_notes([]), n_bars=2, n_planes=2)

CHANGES: list[dict[str, Any]] = [
    {"key": "Ab"}, {"key": None}, {"meter": "2/4"}, {"pickup": 1}, {"melody": "top"}, {"melody": "bass"},
    {"bpm": 90}, {"n_voices": 2},
    {"pitches": (48, None)}, {"pitches": None, "seed": 3}, {"chords": "C | G"}, {"bars": (1, 1)}, {"bars": None},
    {"max_additions": 3, "temperature": 1.1}, {"ensemble": "strings"},
    {"phrases": "1:3, 2"}, {"phrases": "none"}, {"phrases": None},
]  # fmt: skip


@st.composite
def documents(draw) -> Document:
    """A document to which anything was done, in any order."""
    document = Document.begin(draw(st.sampled_from([BEGUN, EMPTY])))
    for i in range(draw(st.integers(0, 9))):
        batches = sorted({one.batch for one in document.log.entries if not isinstance(one, UndoEntry)})
        whats = ["put", "model", "options", "lock", "unlock", "longer", "name", "refuse"]
        what = draw(st.sampled_from(whats + ["undo", "redo", "revert"] * 2 * bool(batches)))
        step, pitch = draw(st.integers(0, document.n_steps - 1)), draw(st.integers(47, 50))
        try:
            if what == "put":
                length = draw(st.integers(1, document.n_steps - step))
                document = document.put([], [RollNote(step, pitch, length)], id=f"i{i}")
            elif what == "model":
                log = document.log.record([Edit(0, step, pitch), Edit(0, step, 52)], "model", [0.5, 0.5])
                document = document.with_log(log)
            elif what == "options":
                document = document.set_options(draw(st.sampled_from(CHANGES)), id=f"i{i}")
            elif what in ("lock", "unlock"):
                voices = draw(st.sampled_from([{}, {"alto": [RollNote(step, pitch, 2)]}]))
                bars, rows = draw(st.sets(st.integers(1, 2))), draw(st.sets(st.integers(47, 50)))
                document = document.set_locks(what == "lock", bars=bars, pitches=rows, voices=voices, id=f"i{i}")
            elif what == "longer":
                document = document.lengthen(draw(st.integers(1, 2)), id=f"i{i}")
            elif what == "name":
                document = document.rename(draw(st.sampled_from(["Evening", "Morning"])), id=f"i{i}")
            elif what == "refuse":
                document = document.refuse(
                    RefusedSuggestion.of([(step, pitch)], step, step + 1, document.log), id=f"i{i}"
                )
            elif what == "undo":
                document = document.undo(draw(st.sampled_from([None, [draw(st.sampled_from(batches))]])))
            elif what == "redo":
                document = document.redo(draw(st.sampled_from([None, [draw(st.sampled_from(batches))]])))
            else:
                document = document.revert(draw(st.integers(0, len(document.log.entries))))
        except BadInput:
            continue  # bars that are not there: refused, and nothing done
    return document


def state(document: Document) -> dict[str, Any]:
    """All that holds, of which nothing may depend on what was undone."""
    reading, log = document.reading, document.log
    return {
        "cells": log.cells.tobytes(),
        "user": log.user_cells.tobytes(),
        "authors": log.author_of.tobytes(),
        "options": document.options,
        "locks": document.locks,
        "refusals": document.refusals,
        "title": document.title,
        "n_steps": document.n_steps,
        "reading": (reading.key.tonic, reading.bar_starts, reading.melody, reading.bpm, reading.n_steps, reading.shift),
        "allowed": document.policy().allowed(log).tobytes(),
        "context": document.context.tobytes(),
    }


def at_home(document: Document) -> tuple[Any, ...]:
    """The entries as files have them."""
    return entries_from_json(document.entries_to_json(), 2)


@settings(max_examples=60, deadline=None)
@given(documents())
def test_what_is_undone_is_as_if_it_had_never_been(document: Document) -> None:
    counted = [one for place, one in enumerate(at_home(document)) if place not in document.log.undone]
    counted = [one for one in counted if not isinstance(one, UndoEntry)]
    assert state(Document.begin(document.begun).restored(counted)) == state(document)


@settings(max_examples=30, deadline=None)
@given(documents())
def test_a_document_comes_back_from_its_entries(document: Document) -> None:
    items = document.entries_to_json()
    again = Document.begin(document.begun).restored(entries_from_json(items, 2))
    assert state(again) == state(document)
    assert again.entries_to_json() == items


@settings(max_examples=30, deadline=None)
@given(documents(), st.integers(0, 20))
def test_reverting_leads_back_to_what_it_was(document: Document, n_entries: int) -> None:
    n_entries = min(n_entries, len(document.log.entries))
    then = Document.begin(document.begun).restored(at_home(document)[:n_entries])
    assert state(document.revert(n_entries)) == state(then)


@settings(max_examples=30, deadline=None)
@given(documents())
def test_undoing_the_newest_and_bringing_it_back_changes_nothing(document: Document) -> None:
    newest = document.newest_batch
    if newest is None:
        assert document.undo() is document
        return
    assert state(document.undo().redo()) == state(document)


def test_a_lock_is_undone_as_it_was_done() -> None:
    document = Document.begin(BEGUN).set_locks(True, bars=[1]).set_locks(True, bars=[2])
    free = document.undo([0])
    assert (document.locks.bars, free.locks.bars) == ({1, 2}, {2})
    assert free.policy().allowed(free.log)[0, :16].any()
    assert not document.policy().allowed(document.log).any()
    assert document.undo().undo().locks == Locks()


def test_bars_that_are_added_keep_to_the_chords() -> None:
    begun = Origin(piece=BEGUN.piece, options=Options(chords="C | G"))
    document = Document.begin(begun).lengthen(2)
    chords = document.policy().chords
    assert chords is not None
    assert len(chords) == document.n_steps == 64
    assert not chords[:32].all(), "they bind"


def test_what_is_written_moves_with_the_roll_when_the_piece_is_taken_to_be_something_else() -> None:
    low = Origin(
        piece=piece_from_notes([RollNote(4 * i, 38 + i, 4) for i in range(8)], meter=(4, 4)),
        options=Options(melody="bass"),
    )
    asked = Document.begin(Origin(piece=low.piece, options=Options(melody="top")))
    drawn = Document.begin(low).put([], [RollNote(0, 60, 4)])
    moved = drawn.set_options({"melody": "top"})
    shift = asked.reading.shift
    assert moved.reading.shift == shift > 0
    np.testing.assert_array_equal(moved.log.cells, asked.put([], [RollNote(0, 60 + shift, 4)]).log.cells)
    assert moved.entries_to_json()[0] == drawn.entries_to_json()[0], "files have steps and pitches of the beginning"
    assert state(moved.undo()) == state(drawn)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("options", {"temperature": -1}), ("options", 3), ("options", {"melodie": "top"}), ("rules", []),
        ("rules", {"lowest": "x"}), ("locks", 4), ("locks", {"bars": "x"}), ("locks", {"voices": [3]}),
        ("refused", {"cells": 3}), ("refused", [{"cells": [[0, 200]], "steps": [0, 1], "around": "x"}]),
        ("length", -1), ("length", 10**6), ("lengthened", "x"), ("name", ""), ("name", 3), ("bpm", 0),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_one_clear_line(name: str, value: Any) -> None:
    entry = SettingEntry(name=name, text=__import__("json").dumps(value), batch=0, author="user")
    with pytest.raises(BadInput, match=r"^[^\n]+$"):
        Document.begin(BEGUN).restored([entry])


def test_what_version_0_1_0_wrote_is_read() -> None:
    def setting(name: str, value: Any, batch: int) -> list[Any]:
        return ["setting", batch, "user", name, value, 1.0, f"r{batch}"]

    rules = {
        "max_removals": 1, "n_voices": 3, "lowest": 50, "highest": None, "max_additions": None, "melody": "auto",
        "key": "Ab", "temperature": 0.9, "seed": 4, "quality": "fast", "mend": "nothing",
    }  # fmt: skip
    note = {"onset": 0, "pitch": 72, "duration": 4}
    locks = {"notes": [note], "voices": [{"voice": "bass", "notes": [note]}], "bars": [2], "pitches": [60]}
    items = [
        setting("rules", rules, 0),
        setting("bpm", 77.0, 1),
        setting("locks", locks, 2),
        setting("lengthened", 1, 3),
        setting("lengthened", 3, 4),
        ["edit", 5, "user", 0, 70, 60, True, None, 1.0, "e"],
        setting("refused", [{"cells": [[3, 60]], "steps": [0, 8], "around": "0" * 16}], 6),
        setting("name", "Evening", 7),
    ]
    document = Document.begin(BEGUN).restored(entries_from_json(items, 2))
    assert document.options == Options(
        max_removals=1, n_voices=3, pitches=(50, None), key="Ab", temperature=0.9, seed=4, quality="fast",
        mend="nothing", bpm=77.0,
    )  # fmt: skip
    assert document.locks == Locks(
        (RollNote(0, 72, 4),), {"bass": (RollNote(0, 72, 4),)}, frozenset({2}), frozenset({60})
    )
    assert (document.n_steps, document.title, len(document.refusals)) == (80, "Evening", 1)
    assert document.log.cells[0, 70, 60]


def test_locks_are_asked_for_and_given_up_in_order() -> None:
    document = Document.begin(Origin(piece=BEGUN.piece, options=Options(lock=((1, 2),))))
    free = document.set_locks(False, bars=[1, 2])
    assert (document.locks.bars, free.locks.bars) == ({1, 2}, set())
    assert free.set_options({"lock": ((1, 1),)}).locks.bars == {1}
    assert free.set_options({"lock": ((1, 1),)}).set_options({"lock": ()}).locks.bars == set()


@pytest.mark.parametrize("lock", [((3, 9),), ((2, 1),), ((0, 0),)])
def test_bars_that_are_not_there_cannot_be_locked(lock: Any) -> None:
    with pytest.raises(BadInput):
        Document.begin(Origin(piece=BEGUN.piece, options=Options(lock=lock)))
    with pytest.raises(BadInput):
        Document.begin(BEGUN).set_options({"lock": lock})


@pytest.mark.parametrize("n_entries", [-1, 1])
def test_a_document_goes_back_to_what_it_was_and_no_further(n_entries: int) -> None:
    with pytest.raises(BadInput, match="cannot go back"):
        Document.begin(BEGUN).revert(n_entries)


def test_a_log_that_was_cut_or_moved_comes_back_from_json() -> None:
    document = Document.begin(BEGUN).lengthen(2).put([], [RollNote(60, 60, 2)]).undo([0])
    assert EditLog.from_json(document.log.to_json()) == document.log
    assert document.redo().log.cells[0, 60, 60]


@pytest.mark.parametrize("n_bars", [0, -1, 5000])
def test_no_more_bars_are_added_than_a_piece_can_have(n_bars: int) -> None:
    with pytest.raises(BadInput, match="cannot be added"):
        Document.begin(BEGUN).lengthen(n_bars)


def test_phrases_are_said_taken_back_and_not_said_where_there_are_no_bars() -> None:
    document = Document.begin(BEGUN)
    assert document.reading.phrases_from != "said"
    said = document.set_options({"phrases": "1, 2"})
    assert [(one.start, one.rest, one.end) for one in said.reading.phrases] == [(0, 8, 16), (16, 16, 32)]
    assert said.undo().reading.phrases == document.reading.phrases
    with pytest.raises(BadInput, match="no phrase can end at 3: the piece has 2 bars"):
        document.set_options({"phrases": "3"})
    longer = document.lengthen(1).set_options({"phrases": "1, 3"})
    assert longer.reading.phrases_from == "said"
    with pytest.raises(BadInput, match="no phrase can end at 3"):
        longer.undo([longer.log.entries[0].batch])


def test_what_a_person_draws_low_is_a_tune_unless_it_moves_like_a_bass() -> None:
    def role(pitches: list[int]) -> str | None:
        blank = Document.begin(replace(EMPTY, n_bars=3))
        return blank.put([], [RollNote(4 * i, pitch, 4) for i, pitch in enumerate(pitches)]).policy().melody

    assert role([48, 50, 52, 53, 52, 50, 48, 47, 48]) == "top"
    assert role([48, 53, 43, 48, 50, 43, 45, 50, 43, 48]) == "bass"


def test_cadences_are_asked_for_and_taken_back_like_any_option() -> None:
    document = Document.begin(BEGUN)
    last = document.reading.last_bar
    with pytest.raises(BadInput, match=f"bar {last + 1}"):
        document.set_options({"cadences": f"{last + 1}: half"})
    asked = document.set_options({"phrases": "1:2, 2", "cadences": "1:2: half"})
    assert [one.cadence.name for one in asked.cadences] == ["half"]
    assert asked.policy().basses is not None
    assert asked.undo().policy().basses is None

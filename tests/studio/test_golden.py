"""The server reckons what an edit leaves as the page does: both read golden.json (the page in js/state.test.js)."""

import json
from pathlib import Path

import pytest

from ripieno.edits.log import EditLog
from ripieno.edits.notes import NoteGone, owned_notes, put_notes
from ripieno.music.roll import RollNote, silence

CASES = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))["edits"]


def rolled(shapes: list[list[int]]) -> list[RollNote]:
    return [RollNote(onset, pitch, duration) for onset, pitch, duration in shapes]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_edit_leaves_what_the_page_shows_at_once(case):
    log = put_notes(EditLog(silence(32, 2)), add=rolled(case["notes"]))
    if case["result"] is None:
        with pytest.raises(NoteGone):
            put_notes(log, rolled(case["remove"]), rolled(case["add"]))
        return
    after = put_notes(log, rolled(case["remove"]), rolled(case["add"]))
    assert [[note.onset, note.pitch, note.duration] for note in owned_notes(after)] == sorted(case["result"])

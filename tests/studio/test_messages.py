"""The wire is typed strictly, and every message of it stands in the documents."""

import contextlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ripieno.studio import messages
from ripieno.studio.messages import CLIENT, SERVER, NewPiece

DOCUMENT = (Path(__file__).parents[2] / "docs" / "studio-protocol.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json (.+?)\n(.*?)```", DOCUMENT, re.DOTALL)
READERS = {"client": CLIENT.validate_json, "server": SERVER.validate_json}


def types_of(direction: str) -> set[str]:
    mapping = messages.schema()[{"client": "ClientMessage", "server": "ServerMessage"}[direction]]
    return set(mapping["discriminator"]["mapping"])


@pytest.mark.parametrize(("reader", "text"), EXAMPLES)
def test_each_example_in_the_document_is_a_message(reader: str, text: str) -> None:
    if reader in READERS:
        READERS[reader](text)
    else:
        assert reader == "POST /api/pieces"
        NewPiece.model_validate_json(text)


@pytest.mark.parametrize("direction", ["client", "server"])
def test_every_message_has_an_example(direction: str) -> None:
    shown = {json.loads(text)["type"] for reader, text in EXAMPLES if reader == direction}
    assert shown == types_of(direction)


def test_every_error_code_is_explained() -> None:
    codes = set(messages.Error.model_json_schema()["properties"]["code"]["enum"])
    table = DOCUMENT[DOCUMENT.index("| code | when |") :]
    assert codes == set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"type": "hello", "protocol": 2}',  # seen must be said, be it null
        '{"type": "hello", "protocol": "1", "seen": null}',
        '{"type": "hello", "protocol": true, "seen": null}',
        '{"type": "tempo", "id": "a", "bpm": NaN}',
        '{"type": "tempo", "id": "a", "bpm": 1e999}',
        '{"type": "tempo", "id": "a", "bpm": 90, "more": 1}',
        '{"type": "tempo", "id": "", "bpm": 90}',
        '{"type": "tempo", "id": "a b", "bpm": 90}',
        '{"type": "edit", "id": "a", "add": [{"onset": -1, "pitch": 60, "duration": 1}]}',
        '{"type": "edit", "id": "a", "add": [{"onset": 0, "pitch": 128, "duration": 1}]}',
        '{"type": "edit", "id": "a", "add": [{"onset": 0, "pitch": 60, "duration": 0}]}',
        '{"type": "edit", "id": "a", "add": [{"onset": true, "pitch": 60, "duration": 1}]}',
        '{"type": "undo", "id": "a", "batch": 1.0}',
        '{"type": "welcome"}',  # that is the server's to say
    ],
)
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        CLIENT.validate_json(text)


@given(st.text() | st.binary())
def test_no_bytes_break_the_reader(data: str | bytes) -> None:
    with contextlib.suppress(ValidationError):
        CLIENT.validate_json(data)

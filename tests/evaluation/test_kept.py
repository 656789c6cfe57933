"""Results that are kept are those of their key, or refused."""

import json

import pytest

from ripieno.errors import BadInput
from ripieno.evaluation.kept import Kept

KEY = {"what": "es-net", "name": "chorale 3", "seed": 1, "model": "abc"}


def test_what_is_put_is_got_and_nothing_else(tmp_path) -> None:
    kept = Kept(tmp_path)
    assert kept.get("chorales", KEY) is None
    kept.put("chorales", KEY, {"notes": [[0, 60, 4]]})
    assert kept.get("chorales", KEY) == {"notes": [[0, 60, 4]]}
    for other in ({"seed": 2}, {"model": "abd"}, {"name": "chorale 4"}, {"what": "nade"}):
        assert kept.get("chorales", KEY | other) is None
    assert kept.get("tables", KEY) is None


def test_a_result_of_another_model_is_refused_in_one_line(tmp_path) -> None:
    kept = Kept(tmp_path)
    kept.put("chorales", KEY, [])
    (file,) = (tmp_path / "chorales").iterdir()
    file.write_text(json.dumps({"key": KEY | {"model": "other"}, "result": []}))
    with pytest.raises(BadInput, match="made with model other, not abc; remove it") as refused:
        kept.get("chorales", KEY)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 3}'])
def test_a_damaged_result_is_refused_in_one_line(tmp_path, text: str) -> None:
    kept = Kept(tmp_path)
    kept.put("chorales", KEY, [])
    (file,) = (tmp_path / "chorales").iterdir()
    file.write_text(text)
    with pytest.raises(BadInput, match="is damaged; remove it"):
        kept.get("chorales", KEY)


def test_a_folder_that_cannot_be_written_is_said(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="choose another folder"):
        Kept(tmp_path / "file").put("chorales", KEY, [])

"""Tables stand where they are wanted, and what cannot be read is said."""

from pathlib import Path

import pytest

from ripieno.errors import BadInput
from ripieno.evaluation import report


def test_tables_are_put_where_a_document_has_a_place(tmp_path: Path) -> None:
    told = {
        "framewise": {
            "models": {"coconet": "b"},
            "commit": "1",
            "split": "test",
            "seeds": 1,
            "every": 1,
            "nats": 0.61,
            "low": 0.55,
            "high": 0.68,
            "n_steps": 900,
            "n_pieces": 77,
            "options": {"orders": 5, "every": 8},
        }
    }
    document = tmp_path / "results.md"
    begin, end = report.BEGIN.format("framewise"), report.END.format("framewise")
    document.write_text(f"before\n\n{begin}\nold\n{end}\n\nafter\n")
    assert report.refresh(document, told) == ["framewise"]
    text = document.read_text()
    assert "0.610 (0.550 to 0.680)" in text
    assert "old" not in text
    assert "every 8th step" in text
    assert "not the real figures" not in text  # which is said of every so manyth piece
    assert text.startswith("before")
    assert text.endswith("after\n")
    again = text
    report.refresh(document, told)
    assert document.read_text() == again
    document.write_text("no places")
    assert report.refresh(document, told) == []


def test_damaged_results_are_said(tmp_path: Path) -> None:
    (tmp_path / report.RESULTS).write_text("{")
    with pytest.raises(BadInput, match="is damaged"):
        report.read_results(tmp_path)

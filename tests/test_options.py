"""What may be asked is said once: every door takes every option, with one meaning and the same bounds."""

import inspect
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.main import get_command

import ripieno
from ripieno import BadInput
from ripieno.cli import app
from ripieno.music.ensembles import ENSEMBLES, N_PARTS
from ripieno.options import (
    BadOption,
    Options,
    abouts,
    defaults,
    flag_of,
    options_table,
    read_amount,
    read_bars,
    read_pitches,
)
from ripieno.sampling.drafting import QUALITIES
from ripieno.sampling.run import LOSSLESS, MENDS
from ripieno.studio import messages as wire

MUSICIANS = Path(__file__).parent.parent / "docs" / "musicians.md"
NAMES = [one.name for one in fields(Options)]

# A value that each option can have, and some that it cannot.
RIGHT: dict[str, Any] = {
    "melody": "bass", "key": "Ab", "meter": "3/4", "pickup": 1.5, "phrases": "2:4, 4", "bpm": 90.0,
    "bars": (1, 2), "lock": ((1, 1), (3, 4)),
    "pitches": (48, None), "n_voices": 3, "n_parts": 2, "ensemble": "strings", "style": "hymn", "chords": "C | G",
    "cadences": "4: half", "write_chords": "roman", "syllables": True, "max_removals": 0.25, "max_additions": 7,
    "mend": "parallels", "temperature": 1.1, "quality": "fast", "iterations": 9, "seed": 5,
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "melody": [1, "x" * 201], "key": [3, "x" * 33], "meter": [4, "x" * 9], "pickup": [-1, 101, "1", float("nan")],
    "phrases": [4, ["4"], "x" * 4001],
    "bpm": [3, 1001, "90"], "bars": [3, (1,), (1, 2.5), "1-2"], "lock": [(1, 2), [3]],
    "pitches": [(60, 50), (0, 200), 60], "n_voices": [0, 17, 2.5, True], "n_parts": [3, "2"],
    "ensemble": ["kazoos", 1], "style": ["rock", None], "chords": [1], "cadences": [8, "x" * 20_001],
    "write_chords": ["greek", True], "syllables": [1, "yes"],
    "max_removals": [-1, 1.5, "3"], "max_additions": [-1, 1.5], "mend": ["everything", None],
    "temperature": [0, 11, float("inf"), "1"], "quality": ["poor"], "iterations": [0, 1.5],
    "seed": [-1, 2**53, 1.5],
}  # fmt: skip


def test_the_tables_of_this_test_have_every_option() -> None:
    assert set(RIGHT) == set(WRONG) == set(NAMES)
    assert all(RIGHT[name] != defaults()[name] for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_option_is_at_every_door(name: str) -> None:
    about = abouts()[name]
    harmonize = get_command(app).commands["harmonize"]  # type: ignore[attr-defined]
    (flag,) = (one for one in harmonize.params if one.name == name)
    assert flag_of(name) in flag.opts
    assert flag.help == about.help
    for door in (ripieno.harmonize, ripieno.Session):
        parameter = inspect.signature(door).parameters[name]
        assert parameter.default == defaults()[name]
        assert f"{name}: " in str(door.__doc__)
    messages = {"rules": wire.RuleChanges, "lock": wire.Lock, "tempo": wire.SetTempo, "run": wire.Run}
    on_the_wire = {"lock": "bars"}.get(name, name)
    assert on_the_wire in messages[about.by].model_fields
    if about.by == "rules":
        assert wire.Rules.model_fields[name].default == defaults()[name]
        assert wire.Rules.model_fields[name].description == about.help
    assert Options(**{name: RIGHT[name]}).to_json().keys() == {name}, "what results are kept by"
    assert f"| `{flag_of(name)}" in options_table()
    assert f"| `{name}` |" in options_table()


def test_the_documents_show_the_table() -> None:
    shown = re.search(r"<!-- options -->\n(.*?)\n<!-- /options -->", MUSICIANS.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert shown[1].strip() == options_table(), (
        "python -c 'from ripieno.options import options_table; print(options_table())'"
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_an_option_cannot_be_is_refused_by_name_in_one_line(name: str) -> None:
    for value in WRONG[name]:
        with pytest.raises(BadOption) as refused:
            Options().changed({name: value})
        assert refused.value.name == name
        assert re.fullmatch(rf"{name} [^\n]+: [^\n]+", str(refused.value))


@pytest.mark.parametrize("name", [name for name in NAMES if abouts()[name].by == "rules"])
def test_the_wire_refuses_what_options_refuse_and_takes_what_they_take(name: str) -> None:
    def rules(value: Any) -> Any:
        return wire.Rules.model_validate_json(json.dumps({name: value}))

    assert getattr(rules(RIGHT[name]), name) == RIGHT[name]
    for value in WRONG[name]:
        try:
            Options().changed(wire.Rules.model_validate_json(json.dumps({name: value})).model_dump())
        except (ValidationError, BadOption, ValueError):
            continue
        pytest.fail(f"{name} {value} was taken")


@given(st.dictionaries(st.sampled_from(NAMES), st.none()).map(lambda some: {name: RIGHT[name] for name in some}))
def test_options_come_back_from_json_as_they_went(some: dict[str, Any]) -> None:
    options = Options(**some)
    assert Options.from_json(json.loads(json.dumps(options.to_json()))) == options


@pytest.mark.parametrize("data", [None, [], "x", {"melodie": "top"}, {1: 2}])
def test_json_that_is_no_options_is_refused(data: Any) -> None:
    with pytest.raises(BadInput):
        Options.from_json(data)


def test_a_choice_has_a_meaning_wherever_it_is_made() -> None:
    assert abouts()["quality"].choices == tuple(sorted((*QUALITIES, LOSSLESS), key=abouts()["quality"].choices.index))
    assert set(abouts()["quality"].choices) == {*QUALITIES, LOSSLESS}
    assert set(abouts()["mend"].choices) == set(MENDS)
    assert set(abouts()["ensemble"].choices) == set(ENSEMBLES)
    assert set(abouts()["n_parts"].choices) == set(N_PARTS)


def test_numbers_of_numpy_are_numbers() -> None:
    options = Options().changed({"seed": np.int64(5), "pitches": [np.int32(48), None], "temperature": np.float32(0.5)})
    assert options == Options(seed=5, pitches=(48, None), temperature=0.5)
    assert type(options.seed) is int


def test_the_command_line_reads_what_musicians_write() -> None:
    assert (read_bars("5-8"), read_bars("5")) == ((5, 8), (5, 5))
    assert (read_pitches("C3-G5"), read_pitches("C3-"), read_pitches("-G5")) == ((48, 79), (48, None), (None, 79))
    assert (read_amount("3"), read_amount("10%")) == (3, 0.1)
    for read, text in (
        (read_bars, "a-b"),
        (read_pitches, "C3"),
        (read_pitches, "-"),
        (read_pitches, "G5-C3"),
        (read_amount, "101%"),
    ):
        with pytest.raises(BadInput):
            read(text)


@pytest.mark.parametrize("value", [7.5, 1.01, -0.25, -1, 100_001])
def test_the_wire_itself_knows_that_half_a_note_cannot_be_removed(value: float) -> None:
    assert wire.Rules(max_removals=0.25).max_removals == 0.25
    assert wire.Rules(max_removals=7).max_removals == 7
    for kind in (wire.Rules, wire.RuleChanges):
        with pytest.raises(ValidationError, match="max_removals"):
            kind.model_validate_json(json.dumps({"max_removals": value}))

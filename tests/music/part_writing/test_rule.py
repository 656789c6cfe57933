"""One rule, one record: whatever is known of it stands there, and nowhere else."""

import ast
import pkgutil
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

import ripieno
from ripieno.music import part_writing
from ripieno.music.part_writing import EVERY_RULE, HABITS, LEVELS, PER, RULE_CALLED, RULES, TEACHERS_PRICES, Rule
from ripieno.sampling.mending import MENDERS_PRICES

SOURCE = Path(ripieno.__file__).parent
HOME = SOURCE / "music" / "part_writing"


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.name)
def test_everything_is_known_of_a_rule(rule: Rule) -> None:
    for field in fields(Rule):
        value = getattr(rule, field.name)
        assert isinstance(value, bool | float) or value, f"{field.name} is empty"
    assert rule.level in LEVELS
    assert rule.find.__doc__
    assert 0 <= rule.teachers_price <= rule.menders_price <= 1
    told = rule.wording.format(voices="tenor and bass", notes="G3 over C3")
    assert "{" not in told
    assert not told.endswith(".")
    assert not rule.remedy.endswith(".")


def test_a_name_means_one_thing() -> None:
    names = [*(rule.name for rule in EVERY_RULE), *(habit.name for habit in HABITS)]
    assert len(names) == len(set(names))
    assert list(RULE_CALLED.values()) == list(EVERY_RULE)


def test_every_record_is_in_the_list() -> None:
    modules = [import_module(f"{part_writing.__name__}.{found.name}") for found in pkgutil.iter_modules([str(HOME)])]
    records = {value.name for module in modules for value in vars(module).values() if isinstance(value, Rule)}
    assert records == set(RULE_CALLED)


def test_what_is_marked_is_what_a_teacher_pays_for_and_what_is_counted() -> None:
    assert {rule.level for rule in RULES} == set(LEVELS)
    assert set(TEACHERS_PRICES) <= {rule.name for rule in RULES} <= set(PER)
    assert {rule.name for rule in EVERY_RULE if not rule.is_marked} <= set(MENDERS_PRICES)
    assert all(not rule.is_marked for rule in EVERY_RULE if rule.is_aside)


# The words mean something else there: an option is called --range.
OTHERWISE = {"options.py": {"range"}}
ELSEWHERE = [path for path in sorted(SOURCE.rglob("*.py")) if HOME not in path.parents]


@pytest.mark.parametrize("module", ELSEWHERE, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_rule_is_called_by_its_record(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not texts & set(RULE_CALLED) - OTHERWISE.get(module.relative_to(SOURCE).as_posix(), set())

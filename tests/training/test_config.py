"""A configuration that says nonsense is refused by name, field by field; one that does not survives JSON."""

import inspect
import json
import math
import re
from dataclasses import MISSING, fields, replace
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest

from ripieno.models.coconet import CoconetConfig
from ripieno.models.limits import Within
from ripieno.models.separator import SeparatorConfig
from ripieno.models.unet import UNetConfig
from ripieno.training.config import CONFIGURATIONS, DamageConfig, TrainConfig, configuration, from_json, to_json

KINDS = (UNetConfig, CoconetConfig, SeparatorConfig, DamageConfig, TrainConfig)
FIELDS = [(kind, field.name) for kind in KINDS for field in fields(kind)]


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """People's runs have no checks of annotations, so the tests of what they are told have none either."""
    for kind in KINDS:
        monkeypatch.setattr(kind, "__init__", inspect.unwrap(kind.__init__))


def nonsense_for(hint: Any) -> list[Any]:
    """Values that a field of this annotation may not have."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        base, limits = args
        assert isinstance(limits, Within)
        outside: list[Any] = [limits.low - 1, limits.high + 1]
        outside += [limits.low] * limits.without_low + [limits.high] * limits.without_high
        outside += [limits.low + 1] * limits.odd
        return outside + nonsense_for(base)
    if origin is Literal:
        return [args[0][:-1], "", 0, None]
    if origin is tuple:
        return [(), 3, None, "4", *((one,) for one in nonsense_for(args[0]))]
    if hint is float:
        return [math.nan, math.inf, -math.inf, "0.5", True, None, [0.5]]
    if hint is int:
        return [0.5, 2.0, math.nan, "1", True, None]
    if hint is bool:
        return [0, 1, "true", None]
    if type(None) in args:
        return [value for one in args if one is not type(None) for value in nonsense_for(one) if value is not None]
    return [None, 3, {}, "paper"]


def hint_of(kind: type, name: str) -> Any:
    return get_type_hints(kind, include_extras=True)[name]


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{kind.__name__}.{name}" for kind, name in FIELDS])
def test_every_field_refuses_what_it_cannot_be_in_one_line_by_name(kind: type, name: str) -> None:
    wrong = nonsense_for(hint_of(kind, name))
    assert wrong
    for value in wrong:
        with pytest.raises(ValueError, match=rf"^{name} must be .+, not .") as refused:
            kind(**{name: value})
        said = str(refused.value)
        assert "\n" not in said
        default = next(field.default for field in fields(kind) if field.name == name)
        assert default is MISSING or "; unless given it is " in said


@pytest.mark.parametrize("name", [name for kind, name in FIELDS if kind is TrainConfig])
def test_nonsense_is_refused_when_it_comes_from_json_too(name: str) -> None:
    written = to_json(configuration("paper"))
    for value in nonsense_for(hint_of(TrainConfig, name)):
        if value == {}:  # all of a part may be left to its defaults
            continue
        again = json.loads(json.dumps({**written, name: value}))
        with pytest.raises(
            ValueError, match=rf"{name} must be|the network must be|damage must be|has no setting"
        ) as refused:
            from_json(again)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("part", "name"),
    [("network", field.name) for field in fields(UNetConfig)]
    + [("damage", field.name) for field in fields(DamageConfig)],
)
def test_nonsense_within_is_refused_when_it_comes_from_json(part: str, name: str) -> None:
    written = to_json(configuration("paper"))
    for value in nonsense_for(hint_of(UNetConfig if part == "network" else DamageConfig, name)):
        again = json.loads(json.dumps({**written, part: {**written[part], name: value}}))
        with pytest.raises(ValueError, match=rf"^{name} must be"):
            from_json(again)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schedule": "cosin"}, "schedule must be constant or cosine, not 'cosin'; unless given it is 'constant'"),
        ({"learning_rate": -1}, "learning_rate must be a number above 0 and up to 1, not -1; unless given it is 0.001"),
        ({"warmup": 1}, "warmup must be a number from 0 to below 1, not 1; unless given it is 0.0"),
        ({"clip_norm": 0}, "clip_norm must be a number above 0 and up to 1000000000 or none, not 0"),
        ({"n_steps": 100}, "n_steps must be a multiple of 32"),
        ({"overhang": 129}, "overhang must be n_steps, 128, or less"),
        ({"n_left_weight": 0.1}, "n_left_weight must be 0 for a network without n_left"),
        ({"frame_share": 0.5}, "frame_share is Coconet's"),
        ({"network": CoconetConfig(), "temperature": 0.8}, "temperature is for networks that edit"),
        ({"network": CoconetConfig(), "damage": DamageConfig(noise_max=0.0)}, "damage is for networks that edit"),
        ({"network": SeparatorConfig(), "frame_share": 0.5}, "frame_share is Coconet's"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        replace(configuration("paper"), **change)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (UNetConfig, {"n_features": 3}, "n_features must be 0, 7 or 44"),
        (
            UNetConfig,
            {"lowest_pitch": 100, "n_pitches": 32},
            "n_pitches must be 28 at most above",
        ),
        (UNetConfig, {"n_pitches": 48}, "n_pitches must be a multiple of 32"),
        (CoconetConfig, {"lowest_pitch": 100}, "n_pitches must be 28 at most"),
        (SeparatorConfig, {"lowest_pitch": 100}, "n_pitches must be 28 at most"),
        (DamageConfig, {"note_share": 0.7, "line_share": 0.5}, "note_share and line_share must be 1 together at most"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(kind: type, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind(**given)


def test_whole_numbers_pass_for_numbers() -> None:
    assert replace(configuration("paper"), warmup=0, learning_rate=1).learning_rate == 1


def test_configurations_survive_json() -> None:
    for name in CONFIGURATIONS:
        config = configuration(name)
        assert from_json(json.loads(json.dumps(to_json(config)))) == config
    with pytest.raises(ValueError, match="there are: paper, chorale, hearing, own, nade, coconet"):
        configuration("sonata")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"momentum": 0.9}, "a configuration has no setting called momentum; there are: network, damage"),
        ({"network": {"layers": 3}}, "the network has no setting called layers; there are: n_planes"),
        ({"network": {"n_voices": 4, "layers": 3}}, "the network has no setting called layers; there are: n_voices"),
        ({"damage": {"noise": 0.1}}, "damage has no setting called noise; there are: noise_max"),
        ({"network": [1]}, "the network must be a JSON object"),
    ],
)
def test_keys_that_are_no_fields_are_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        from_json(to_json(configuration("paper")) | change)


@pytest.mark.parametrize("data", [None, [], "chorale", {}, {"network": {}}, {"damage": {}}])
def test_what_is_no_configuration_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="a configuration"):
        from_json(data)

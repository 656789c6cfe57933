"""HTTP keeps to its own description, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ripieno.models.runtime import Model
from ripieno.studio.server import Studio, make_app
from ripieno.studio.store import Store
from tests.studio.conftest import Knowing, Served, serving

DOCUMENT = (Path(__file__).parents[2] / "docs" / "studio-protocol.md").read_text(encoding="utf-8")
SCHEMA = schemathesis.openapi.from_dict(make_app(Studio(Store(":memory:"))).openapi())
OPERATIONS = [operation.ok() for operation in SCHEMA.get_all_operations()]  # type: ignore[union-attr]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> Iterator[Served]:
    model = Model("knowing", "0", {"format": 1}, 28, 64, 32, 1, Knowing())
    store = Store(tmp_path_factory.mktemp("pieces") / "studio.sqlite")
    with serving(Studio(store, lambda: model)) as served:
        yield served
    store.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_is_asked_is_answered_as_described(asked: Served, operation) -> None:
    piece = asked.new_piece()
    modes = schemathesis.GenerationMode
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE)))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases, st.booleans())
    def ask(case, of_a_piece: bool) -> None:
        if of_a_piece and "piece" in (case.path_parameters or {}):
            case.path_parameters["piece"] = piece
        case.call_and_validate(base_url=asked.address, checks=CHECKS)

    ask()


def test_every_address_is_in_the_documents() -> None:
    for operation in OPERATIONS:
        assert f"{operation.method.upper()} {operation.path.replace('{form}', '{format}')}" in DOCUMENT

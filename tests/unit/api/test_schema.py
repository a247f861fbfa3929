"""Generated requests against the OpenAPI document."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import openapi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from served_app import served_app

EXAMPLES_MAX = 6
CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
SWITCHES = ("/account/keys/{key_id}/disable", "/account/keys/{key_id}/rotate")
"""These could end the very key that asks."""


@pytest.fixture
def served(tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The address of a running service over a real database, and a key."""
    monkeypatch.chdir(tmp_path)
    with served_app(tmp_path, empty_database) as served:
        yield served


def test_no_request_meets_an_undocumented_answer(served: tuple[str, str]) -> None:
    """Generated requests to every endpoint never get 500, and every response matches the OpenAPI document."""
    url, key = served
    schema = openapi.from_url(f"{url}/openapi.json", timeout=120)  # bounds what hangs; a busy machine is no failure
    asked: set[str] = set()

    def ask(case: Any) -> None:
        asked.add(case.operation.label)
        answer = case.call_and_validate(headers={"x-api-key": key}, checks=list(CHECKS), timeout=120)
        assert answer.status_code != 500  # 503 is described: not every renderer runs everywhere

    for result in schema.get_all_operations():
        operation = result.ok()  # pyright: ignore[reportAttributeAccessIssue]
        if operation.path.endswith(SWITCHES) or operation.path == "/readyz":
            continue
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode)
            test = hypothesis.given(strategy)(ask)
            checked = hypothesis.settings(
                max_examples=EXAMPLES_MAX,
                database=None,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]
                phases=[hypothesis.Phase.generate],
            )(test)
            with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # an endpoint that takes whatever comes  # pyright: ignore[reportAttributeAccessIssue]
                checked()
    assert len(asked) >= 25

"""Generated requests against the OpenAPI document of each dialect."""

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
    response_schema_conformance,
    status_code_conformance,
)

from bodydouble.api.dialects import CRUN, DIALECTS
from served_app import served_app

EXAMPLES_MAX = 6
CHECKS = (status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture
def served(tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The address of a running service over a real database, and a key."""
    monkeypatch.chdir(tmp_path)
    with served_app(tmp_path, empty_database) as served:
        yield served


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != CRUN.name])
def test_no_request_in_a_dialect_meets_an_undocumented_answer(name: str, served: tuple[str, str]) -> None:
    """Generated requests to every endpoint of a dialect never get 500, and every response matches its document."""
    url, key = served
    schema = openapi.from_url(f"{url}{DIALECTS[name].prefix}/openapi.json", timeout=120)
    asked: set[str] = set()

    def ask(case: Any) -> None:
        asked.add(case.operation.label)
        if isinstance(case.body, dict) and "enable_sync_mode" in case.body:
            case.body["enable_sync_mode"] = False  # no worker would end the wait
        headers = {"x-api-key": key, "X-DashScope-Async": "enable"}
        answer = case.call_and_validate(headers=headers, checks=list(CHECKS), timeout=120)
        assert answer.status_code != 500

    operations = [result.ok() for result in schema.get_all_operations()]  # pyright: ignore[reportAttributeAccessIssue]
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            test = hypothesis.given(operation.as_strategy(generation_mode=mode))(ask)
            checked = hypothesis.settings(
                max_examples=EXAMPLES_MAX,
                database=None,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]
                phases=[hypothesis.Phase.generate],
            )(test)
            with contextlib.suppress(hypothesis.errors.Unsatisfiable):  # pyright: ignore[reportAttributeAccessIssue]
                checked()
    assert len(asked) == len(operations)

"""Generated requests against the OpenAPI document."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
import uvicorn
from schemathesis import openapi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bodydouble.bootstrap.admin_services import open_admin_services
from bodydouble.bootstrap.application import build_app
from bodydouble.settings import Settings

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


class Server(uvicorn.Server):
    """A server that does not handle signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@pytest.fixture
def served(tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The address of a running service over a real database, and a key."""
    monkeypatch.chdir(tmp_path)
    app = build_app(
        Settings(data=tmp_path / "data", models=tmp_path, reads_per_minute=1_000_000, creates_per_minute=1_000_000),
        empty_database,
    )
    server = Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", _make_key(tmp_path, empty_database)
    finally:
        server.should_exit = True
        thread.join()


def _make_key(folder: Path, database: str) -> str:
    """Its own connections: those of the service belong to the service's thread."""

    async def made() -> str:
        async with open_admin_services(Settings(data=folder / "data"), database) as admin:
            account = await admin.accounts.open_account("tester", Decimal(10_000), "for the test")
            return (await admin.accounts.create_key(account.id)).secret

    return asyncio.run(made())


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

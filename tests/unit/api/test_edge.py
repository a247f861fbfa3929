"""Behaviour common to all requests: keys, envelopes, request ids, health, OpenAPI."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from bodydouble.api.callback_formats import CALLBACK_FORMATS
from bodydouble.api.dialects import DIALECTS
from bodydouble.api.errors import STATUSES
from bodydouble.service import Caller, Services
from bodydouble.store import EmbeddedPostgres
from bodydouble.tasks import errors
from bodydouble.tasks.account import Account, make_api_key
from bodydouble.tasks.dialect import DialectName
from databases import lose_database

pytestmark = pytest.mark.anyio

BALANCE = "/api/v1/client/account/balance"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": make_api_key()},
        {"x-api-key": "ak_short"},
        {"x-api-key": "ak_" + "Z" * 32},
        {"Authorization": "Bearer " + make_api_key()},
        {"Authorization": "Basic YTpi"},
    ],
)
async def test_without_a_good_key_there_is_nothing(anonymous: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """A missing, an unknown and a malformed key get the same 401."""
    answer = await anonymous.get(BALANCE, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"code": 401, "message": "Missing or invalid API key", "data": None}


async def test_a_key_may_come_in_either_header(anonymous: httpx.AsyncClient, key: str) -> None:
    """Header names are case-insensitive, and the key also works as bearer token."""
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        answer = await anonymous.get(BALANCE, headers=headers)
        assert answer.json() == {"code": 200, "message": "success", "data": {"balance": 100}}


async def test_a_disabled_key_is_403(client: httpx.AsyncClient, services: Services, account: Account) -> None:
    """A disabled key gets 403, unlike an unknown one."""
    owner = Caller(account=account)
    (key,) = await services.accounts.keys(owner)
    await services.accounts.set_key_disabled(owner, key.id, disabled=True)
    answer = await client.get(BALANCE)
    assert (answer.status_code, answer.json()["code"]) == (403, 403)


async def test_unknown_paths_and_methods_are_in_the_envelope(client: httpx.AsyncClient) -> None:
    """404 and 405 are JSON envelopes too."""
    missing = await client.get("/api/v1/client/nothing")
    assert (missing.status_code, missing.json()) == (404, {"code": 404, "message": "Not Found", "data": None})
    wrong = await client.get("/api/v1/client/job/CreateTask")
    assert (wrong.status_code, wrong.json()["code"]) == (405, 405)


async def test_a_missing_query_parameter_is_named(client: httpx.AsyncClient) -> None:
    """TaskInfo without an id is a 422 that names it."""
    answer = await client.get("/api/v1/client/job/TaskInfo")
    assert answer.json() == {
        "code": 422, "message": "Missing Params or Type Error", "data": None, "errors": ["task_id: Field required"],
    }  # fmt: skip


async def test_problem_json_where_it_is_asked_for(client: httpx.AsyncClient) -> None:
    """The response is an RFC 9457 problem with the same message and lines."""
    answer = await client.get("/api/v1/client/job/TaskInfo", headers={"accept": "application/problem+json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": 422,
        "detail": "Missing Params or Type Error", "errors": ["task_id: Field required"],
    } | {"title": answer.json()["title"]}  # fmt: skip


async def test_request_ids_are_echoed_or_made(anonymous: httpx.AsyncClient) -> None:
    """A valid id is returned; an invalid one is replaced."""
    good = await anonymous.get("/healthz", headers={"x-request-id": "abc-123"})
    assert good.headers["x-request-id"] == "abc-123"
    for given in ("", "a b", "x" * 65, "a\tb"):
        answer = await anonymous.get("/healthz", headers={"x-request-id": given})
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"]), given


async def test_an_unexpected_error_is_an_envelope_without_details(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error is 500 with a request id and without internal details."""

    async def broken(account: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(services.accounts, "balance", broken)
    answer = await client.get(BALANCE)
    assert (answer.status_code, answer.json()["code"]) == (500, 500)
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"]


async def test_a_lost_database_is_an_envelope(
    client: httpx.AsyncClient, empty_database: str, postgres: EmbeddedPostgres
) -> None:
    """Without database, requests get 500 and readiness 503, while the process stays alive."""
    lose_database(postgres, empty_database)
    answer = await client.get(BALANCE)
    assert (answer.status_code, answer.json()["code"]) == (500, 500)
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert "database" in ready.json()["checks"]
    assert ready.json()["checks"]["database"] != "ok"
    assert (await client.get("/healthz")).status_code == 200


async def test_readiness_names_what_is_missing_and_what_mends_it(anonymous: httpx.AsyncClient) -> None:
    """Without the model files the service is not ready, and names the command that installs them."""
    answer = await anonymous.get("/readyz")
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert (checks["database"], checks["files"]) == ("ok", "ok")
    assert "bodydouble models install" in checks["models"]


async def test_readiness_shows_reasons_to_the_operator_alone(
    anonymous: httpx.AsyncClient, app: FastAPI, tmp_path: Path
) -> None:
    """Other clients see which check fails, but no internal message; the token gives access to it."""
    elsewhere = {"x-forwarded-for": "203.0.113.7"}
    checks = (await anonymous.get("/readyz", headers=elsewhere)).json()["checks"]
    assert checks["models"] == "unavailable; the log of the service has the reason"
    assert str(tmp_path) not in str(checks)
    app.state.metrics_token = "token"
    for headers, shown in ((elsewhere, False), (elsewhere | {"authorization": "Bearer token"}, True)):
        checks = (await anonymous.get("/readyz", headers=headers)).json()["checks"]
        assert ("bodydouble models install" in checks["models"]) is shown


@pytest.mark.parametrize(
    "path", ["job/Tasks?model=%00", "job/Tasks?cursor=a%00", "job/Models/a%00b", "job/CancelTask?task_id=%00"]
)
async def test_the_character_nul_in_a_url_is_422(client: httpx.AsyncClient, path: str) -> None:
    """The request is rejected before PostgreSQL, which cannot store NUL."""
    method = "POST" if "Cancel" in path else "GET"
    answer = await client.request(method, f"/api/v1/client/{path}")
    assert (answer.status_code, answer.json()["errors"]) == (422, ["request: contains the character NUL"])


@pytest.mark.parametrize("path", ["/api/v1/client/job/CreateTask", "/api/v1/client/account/keys"])
async def test_a_client_that_hangs_up_is_499(app: FastAPI, key: str, path: str) -> None:
    """A disconnect within the body is one log line of level info, without a response or an error."""
    messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"x-api-key", key.encode())], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
        "scheme": "http", "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    with structlog.testing.capture_logs() as logs:
        await app(scope, receive, send)
    assert sent == []
    assert [(line["event"], line["log_level"], line["status"]) for line in logs] == [("request", "info", 499)]


def test_every_kind_of_error_has_its_answer() -> None:
    """The table has every kind of error, and only internal errors are 500."""
    assert set(STATUSES) == set(errors.Kind)
    tree = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.BodydoubleError)]
    ours = {
        errors.BodydoubleError,
        errors.ModelPackMissing,
        errors.RendererLost,
        errors.Cancelled,
        errors.WorkspaceDamaged,
        errors.StorageUnavailable,
        errors.InspectionUnavailable,
        errors.SigningFailed,
        errors.ResultNotStorable,
    }
    assert {error for error in tree if STATUSES[error.kind] == 500} == ours


def test_every_dialect_is_listed_under_its_name() -> None:
    """The lists of dialects and of callback formats have the names that settings accept, as far as they are built."""
    assert {name: dialect.name for name, dialect in DIALECTS.items()} == {name: name for name in DIALECTS}
    without_callbacks = {DialectName.DASHSCOPE}  # its tasks have no callback address
    assert DIALECTS.keys() - without_callbacks == CALLBACK_FORMATS.keys()
    assert DIALECTS.keys() <= set(DialectName)


async def test_the_api_describes_itself(anonymous: httpx.AsyncClient) -> None:
    """OpenAPI 3.1 with both ways to send a key, short operation ids, named bodies and only resolvable references."""
    document = (await anonymous.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert {s["type"] for s in document["components"]["securitySchemes"].values()} == {"apiKey", "http"}
    assert document["servers"] == [{"url": "/", "description": "This service"}]
    operations = [o for path in document["paths"].values() for o in path.values()]
    ids = [o["operationId"] for o in operations]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z][A-Za-z]{5,24}", name) for name in ids)
    assert all(o["description"] for o in operations)
    create = document["paths"]["/api/v1/client/job/CreateTask"]["post"]
    assert create["security"]
    content = create["requestBody"]["content"]["application/json"]
    assert content["examples"]["wan/2-2-animate-replace"]["value"]["model"] == "wan/2-2-animate-replace"
    schemas = document["components"]["schemas"]
    assert content["schema"] == {"$ref": "#/components/schemas/CreateTask"}
    assert schemas["CreateTaskReplace"]["properties"]["input"] == {"$ref": "#/components/schemas/ReplaceInput"}
    assert schemas["ReplaceInput"]["properties"]["resolution"]["enum"] == ["480P", "580P", "720P"]
    assert not [name for name in schemas if name.startswith("Envelope_")]
    for reference in re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', httpx.Response(200, json=document).text):
        assert reference in schemas
    hook = document["webhooks"]["taskEnded"]["post"]
    assert hook["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/TaskInfoData"}
    assert {p["name"] for p in hook["parameters"]} == {"webhook-id", "webhook-timestamp", "webhook-signature"}


async def test_every_operation_has_code_samples(anonymous: httpx.AsyncClient) -> None:
    """Each is shown as curl, Python and TypeScript; the Python compiles and calls methods that the client has."""
    from bodydouble_client import Account, Client, TaskHandle

    document = (await anonymous.get("/openapi.json")).json()
    known = {name for kind in (Client, Account, TaskHandle) for name in vars(kind)}
    for path in document["paths"].values():
        for operation in path.values():
            samples = {sample["lang"]: sample["source"] for sample in operation["x-codeSamples"]}
            assert [*samples] == ["shell", "python", "typescript"]
            compile(samples["python"], operation["operationId"], "exec")
            assert (
                set(re.findall(r"(?:client|account|\))\.([a-z_]+)\(", samples["python"])) - {"json", "download"}
                <= known
            )


async def test_the_reference_needs_nobody_else(anonymous: httpx.AsyncClient) -> None:
    """The page and its scripts come from this origin; a style sheet needs the page's nonce, a script has to be ours."""
    page = await anonymous.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"(src|href)=['\"]?(https?:)?//", page.text)
    policy = page.headers["content-security-policy"]
    (nonce,) = re.findall('csp-nonce" content="([^"]+)"', page.text)
    assert f"default-src 'none'; script-src 'self'; style-src 'nonce-{nonce}';" in policy
    assert "connect-src 'self'" in policy
    assert nonce not in (await anonymous.get("/docs")).text
    for script in re.findall('src="([^"]+)"', page.text):
        asset = await anonymous.get(script)
        assert asset.headers["content-type"].startswith("text/javascript")
        assert "immutable" in asset.headers["cache-control"]
        plain = await anonymous.get(script, headers={"accept-encoding": "identity"})
        assert (plain.content, plain.headers.get("content-encoding")) == (asset.content, None)


async def test_keys_are_nowhere_in_the_database_or_the_log(
    client: httpx.AsyncClient, key: str, empty_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a log line nor a table holds the key that was used."""
    import psycopg

    await client.get(BALANCE)
    with psycopg.connect(empty_database) as connection:
        rows = connection.execute("select * from api_key").fetchall()
    assert key not in repr(rows)
    assert key[3:] not in "".join(capsys.readouterr())


async def test_the_secret_is_for_its_owner_only(app: FastAPI, tmp_path: Path) -> None:
    """Other users of the machine cannot read the secret that signs URLs."""
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o077 == 0

"""One call: its request, its retries, its errors."""

import inspect
import logging
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import httpx
import pytest

from bodydouble_client import (
    AsyncClient,
    AsyncTaskHandle,
    AuthenticationError,
    Client,
    ClientError,
    ConnectionFailed,
    FeatureUnavailable,
    InsufficientCredits,
    InvalidRequest,
    Maintenance,
    NotFound,
    RateLimited,
    ServerError,
    TaskHandle,
)
from bodydouble_client.retries import BACKOFF_SECONDS_MAX, backoff_seconds, parse_retry_after
from fake_service import KEY, URL, bad, good, stream

BALANCE = "account/balance"
CREATE = "job/CreateTask"


def test_importing_the_client_imports_nothing_heavy():
    """Importing the client loads no numerical, codec or web framework."""
    heavy = "numpy, av, cv2, fastapi, pydantic, scipy, asyncpg, dbos, structlog, ai_edge_litert"
    code = f"import sys, bodydouble_client; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_request_carries_the_key_and_a_new_id(face, service):
    """Each request is authenticated, names the client, and can be found in the service's log."""
    service.on(BALANCE, good({"balance": 12.5}))
    assert [face.do(lambda c: c.balance()) for _ in range(2)] == [Decimal("12.5")] * 2
    first, second = service.requests
    assert str(first.url) == f"{URL}/api/v1/client/account/balance"
    assert first.headers["x-api-key"] == KEY
    assert first.headers["user-agent"].startswith("bodydouble-python/")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize("suffix", ["", "/", "/api/v1/client", "/api/v1/client/"])
def test_the_address_may_be_written_in_several_ways(suffix, make, service):
    """base_url may end with the API's path or a slash."""
    service.on(BALANCE, good({"balance": 1}))
    make(base_url=URL + suffix).do(lambda c: c.balance())
    assert service.requests[0].url.path == "/api/v1/client/account/balance"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_key_and_address_come_from_the_environment(kind, monkeypatch):
    """Missing arguments come from BODYDOUBLE_API_KEY and BODYDOUBLE_BASE_URL; the default address is this machine."""
    monkeypatch.setenv("BODYDOUBLE_API_KEY", KEY)
    monkeypatch.delenv("BODYDOUBLE_BASE_URL", raising=False)
    assert kind().base_url == "http://127.0.0.1:8000"
    monkeypatch.setenv("BODYDOUBLE_BASE_URL", URL)
    assert kind().base_url == URL
    assert KEY not in repr(kind())


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_unusable_arguments_are_rejected_by_the_constructor(kind, monkeypatch):
    """A missing key, a malformed key and a malformed address raise errors that say what to do."""
    monkeypatch.delenv("BODYDOUBLE_API_KEY", raising=False)
    with pytest.raises(AuthenticationError, match="BODYDOUBLE_API_KEY"):
        kind()
    for unusable in ("ak_…", "  "):
        with pytest.raises(AuthenticationError, match="API key"):
            kind(unusable)
    with pytest.raises(ValueError, match="not an http or https URL"):
        kind(KEY, "service.example")


ERRORS = [
    (bad(401), AuthenticationError),
    (bad(403), AuthenticationError),
    (bad(402), InsufficientCredits),
    (bad(404, "Task not found"), NotFound),
    (bad(404, "Task not found", status=200), NotFound),  # as the hosted service may answer
    (bad(422), InvalidRequest),
    (bad(429), RateLimited),
    (bad(455, status=503), Maintenance),
    (bad(500), ServerError),
    (bad(505, status=503), FeatureUnavailable),
    (httpx.Response(413, text="too large"), InvalidRequest),
    (httpx.Response(502, html="<h1>Bad gateway</h1>"), ServerError),
    (httpx.Response(301, headers={"location": "https://elsewhere.example"}), ServerError),
    (httpx.Response(200, html="<h1>Welcome to nginx</h1>"), ServerError),
    (httpx.Response(200, json=[1]), ServerError),
    (httpx.ConnectError("refused"), ConnectionFailed),
    (httpx.ReadTimeout(""), ConnectionFailed),
]


@pytest.mark.parametrize(("answer", "kind"), ERRORS, ids=lambda v: getattr(v, "__name__", ""))
def test_each_answer_raises_its_class(answer, kind, make, service):
    """The envelope's code decides, else the HTTP status; every error has code, message and request id."""
    service.on(BALANCE, answer)
    with pytest.raises(kind) as caught:
        make(max_retries=0).do(lambda c: c.balance())
    assert type(caught.value) is kind
    assert isinstance(caught.value, ClientError)
    assert caught.value.request_id == service.requests[0].headers["x-request-id"]
    assert caught.value.message
    assert caught.value.request_id in str(caught.value)  # pyright: ignore[reportOperatorIssue]


def test_a_rejected_request_lists_its_problems(face, service):
    """``errors`` has one line for each problem, and the exception's text contains them all."""
    lines = ["resolution: Input should be '480P', '580P' or '720P'", "seed: Unknown field"]
    refusal = bad(422, "Missing Params or Type Error", errors=lines, headers={"x-request-id": "r-7"})
    service.on(CREATE, refusal)
    with pytest.raises(InvalidRequest) as caught:
        face.submit()
    assert caught.value.errors == tuple(lines)
    assert str(caught.value) == f"Missing Params or Type Error: {'; '.join(lines)} (code 422, request r-7)"


def test_errors_survive_pickling():
    """An unpickled error has the same class, text and attributes."""
    error = RateLimited("slowly", code=429, request_id="r")
    error.retry_after = 3.0
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.retry_after) == (RateLimited, str(error), 3.0)


PASSING = [
    bad(429),
    bad(455, status=503),
    bad(455, status=200),
    httpx.Response(502),
    httpx.Response(503),
    httpx.Response(504),
    bad(500, headers={"retry-after": "0.5"}),  # a service that says when to come back wants us back
    bad(507, headers={"retry-after": "0.5"}),
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("closed"),
    httpx.ReadTimeout(""),
]


@pytest.mark.parametrize("answer", PASSING, ids=repr)
def test_temporary_errors_are_retried(answer, face, service, clock):
    """Lost connections, limits, maintenance and a proxy's 5xx are retried with growing pauses."""
    service.on(BALANCE, answer, answer, answer, good({"balance": 3}))
    assert face.do(lambda c: c.balance()) == 3
    assert len(clock.pauses) == 3
    if "retry-after" not in getattr(answer, "headers", {}):
        assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(clock.pauses))


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 405, 422, 500, 501, 505])
def test_permanent_errors_are_not_retried(code, face, service, clock):
    """A refusal is raised at once."""
    service.on(BALANCE, bad(code))
    with pytest.raises(ClientError):
        face.do(lambda c: c.balance())
    assert (len(service.requests), clock.pauses) == (1, [])


def test_retries_are_limited(make, service, clock, caplog):
    """After ``max_retries`` retries the error is raised; each pause was logged."""
    caplog.set_level(logging.INFO, "bodydouble_client")
    service.on(BALANCE, httpx.ConnectError("refused"))
    with pytest.raises(ConnectionFailed, match="refused"):
        make(max_retries=6).do(lambda c: c.balance())
    assert (len(service.requests), len(clock.pauses)) == (7, 6)
    assert max(clock.pauses) <= BACKOFF_SECONDS_MAX
    assert len(caplog.messages) == 6
    assert KEY not in caplog.text


def test_retry_after_is_respected(face, service, clock):
    """The service's pause is waited in full, plus at most one tenth."""
    service.on(BALANCE, bad(429, headers={"retry-after": "20"}), good({"balance": 3}))
    face.do(lambda c: c.balance())
    assert 20 <= clock.pauses[0] <= 22


def test_a_long_retry_after_is_raised(face, service, clock):
    """A call does not sleep for an hour: the error contains the pause."""
    service.on(BALANCE, bad(455, status=503, headers={"retry-after": "3600"}))
    with pytest.raises(Maintenance) as caught:
        face.do(lambda c: c.balance())
    assert (caught.value.retry_after, clock.pauses) == (3600, [])


def test_retry_after_may_be_a_date():
    """Both forms of RFC 9110 are read; anything else is None."""
    soon = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    assert soon is not None
    assert 3000 < soon <= 3600
    assert [parse_retry_after(v) for v in ("7", "-1", "soon", "", None, "nan", "inf")] == [7, 0, *[None] * 5]


def test_pauses_differ_between_clients():
    """Clients that failed together do not retry together."""
    assert len({backoff_seconds(3) for _ in range(50)}) > 40
    assert len({backoff_seconds(1, 10.0) for _ in range(50)}) > 40


def test_one_create_has_one_idempotency_key(face, service):
    """All attempts of a create carry the same key and body, so that the service creates one task."""
    service.on(CREATE, httpx.ReadTimeout(""), httpx.Response(502), bad(422, status=409), good({"task_id": "t-1"}))
    assert face.submit().id == "t-1"
    assert len(service.requests) == 4
    assert len({r.headers["idempotency-key"] for r in service.requests}) == 1
    assert len({r.content for r in service.requests}) == 1


def test_two_creates_have_two_idempotency_keys(face, service):
    """A repeated call creates another task, unless the program passes a key."""
    service.on(CREATE, good({"task_id": "t-1"}))
    for more in ({}, {}, {"idempotency_key": "order-17"}, {"idempotency_key": "order-17"}):
        face.submit(**more)
    keys = [r.headers["idempotency-key"] for r in service.requests]
    assert len(set(keys[:2])) == 2
    assert keys[2:] == ["order-17"] * 2


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout(""), httpx.ReadError("reset"), httpx.Response(502), PASSING[-1]], ids=repr
)
def test_a_create_without_idempotency_is_not_retried_after_a_lost_answer(answer, make, service):
    """The hosted service might charge twice: the error is raised instead."""
    service.on(CREATE, answer, good({"task_id": "t-2"}))
    with pytest.raises(ClientError):
        make(base_url="https://api.crun.ai").submit()
    assert len(service.requests) == 1


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), bad(429), bad(455, status=503)], ids=repr)
def test_a_create_that_was_not_processed_is_retried(answer, make, service):
    """No connection, a limit or maintenance: nothing was created, so a retry is safe without a key."""
    service.on(CREATE, answer, good({"task_id": "t-2"}))
    assert make(idempotent_creates=False).submit().id == "t-2"


def test_the_body_of_a_create_follows_the_contract(face, service):
    """It has files, resolution, further options and the callback."""
    service.on(CREATE, good({"task_id": "t-1"}))
    face.submit(resolution="480P", callback_url="https://me.example/hook", seed=7, person=[0.5, 0.5])
    assert (
        service.requests[0].read()
        == httpx.Request(
            "POST",
            URL,
            json={
                "model": "wan/2-2-animate-replace",
                "input": {
                    "img_urls": ["https://a.example/p.png"],
                    "video_urls": ["https://a.example/v.mp4"],
                    "resolution": "480P",
                    "seed": 7,
                    "person": [0.5, 0.5],
                },
                "callback_url": "https://me.example/hook",
            },
        ).read()
    )


def test_estimate_and_models(face, service):
    """Prices are exact decimals; a model has its price list and, requested alone, its schema."""
    entry = {"model": "wan/2-2-animate-replace", "provider": "Wan", "price": {"720P": 12.5}, "new_field": 1}
    service.on("job/estimate-credits", good({"credits": 62.5, "estimated": True}))
    service.on("job/Models", good({"total": 1, "models": [entry]}))
    service.on("job/Models/wan/2-2-animate-replace", good(entry | {"input_schema": {"type": "object"}}))
    price = face.do(lambda c: c.estimate("https://a.example/p.png", "https://a.example/v.mp4"))
    assert (price.credits, price.estimated) == (Decimal("62.5"), True)
    (model,) = face.do(lambda c: c.models(modality="video"))
    assert service.requests[1].url.query == b"modality=video"
    assert (model.name, model.price["720P"], model.raw["new_field"]) == (entry["model"], Decimal("12.5"), 1)
    assert face.do(lambda c: c.model(entry["model"])).input_schema == {"type": "object"}


@pytest.mark.parametrize(("one", "other"), [(Client, AsyncClient), (TaskHandle, AsyncTaskHandle)])
def test_both_clients_have_the_same_calls(one, other):
    """Both kinds have the same methods, arguments and defaults, and every method is documented."""

    def calls(kind):
        return {
            name: [(p.name, p.kind, p.default) for p in inspect.signature(call).parameters.values()]
            for name, call in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }

    assert calls(one) == calls(other)
    assert all(inspect.getdoc(call) for name, call in inspect.getmembers(other, inspect.isfunction) if name[0] != "_")


def test_closing_leaves_a_borrowed_http_client_open():
    """A client does not close the program's ``http_client``."""
    own = httpx.Client(transport=httpx.MockTransport(lambda r: stream()))
    with Client(KEY, URL, http_client=own):
        pass
    assert not own.is_closed

"""One call: its request, its tries, its errors."""

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

from bodydouble.client import (
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
from bodydouble.client.retries import BACKOFF_SECONDS_MAX, backoff_seconds, parse_retry_after
from fake_service import KEY, URL, bad, good, stream

BALANCE = "account/balance"
CREATE = "job/CreateTask"


def test_importing_the_client_imports_nothing_heavy():
    """A program that only speaks to a service does not pay for numpy, a codec or a web framework."""
    heavy = "numpy, av, cv2, fastapi, pydantic, scipy, asyncpg, dbos, structlog, ai_edge_litert"
    code = f"import sys, bodydouble.client; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_call_carries_the_key_and_an_id_of_its_own(face, service):
    """Each request is authenticated, says who speaks, and can be found in the service's log."""
    service.on(BALANCE, good({"balance": 12.5}))
    assert [face.do(lambda c: c.balance()) for _ in range(2)] == [Decimal("12.5")] * 2
    first, second = service.requests
    assert str(first.url) == f"{URL}/api/v1/client/account/balance"
    assert first.headers["x-api-key"] == KEY
    assert first.headers["user-agent"].startswith("bodydouble-python/")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize("suffix", ["", "/", "/api/v1/client", "/api/v1/client/"])
def test_the_address_may_be_written_in_several_ways(suffix, make, service):
    """With or without the API's path: the same endpoint."""
    service.on(BALANCE, good({"balance": 1}))
    make(base_url=URL + suffix).do(lambda c: c.balance())
    assert service.requests[0].url.path == "/api/v1/client/account/balance"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_key_and_address_come_from_the_environment(kind, monkeypatch):
    """What is not given is taken from BODYDOUBLE_API_KEY and BODYDOUBLE_BASE_URL; without an address, this machine."""
    monkeypatch.setenv("BODYDOUBLE_API_KEY", KEY)
    monkeypatch.delenv("BODYDOUBLE_BASE_URL", raising=False)
    assert kind().base_url == "http://127.0.0.1:8000"
    monkeypatch.setenv("BODYDOUBLE_BASE_URL", URL)
    assert kind().base_url == URL
    assert KEY not in repr(kind())


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_cannot_work_is_said_before_anything_is_sent(kind, monkeypatch):
    """No key and no address are told with the way out."""
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
def test_each_answer_is_its_own_error(answer, kind, make, service):
    """The envelope's code decides, else the HTTP status; every error has code, message and the request's id."""
    service.on(BALANCE, answer)
    with pytest.raises(kind) as caught:
        make(max_retries=0).do(lambda c: c.balance())
    assert type(caught.value) is kind
    assert isinstance(caught.value, ClientError)
    assert caught.value.request_id == service.requests[0].headers["x-request-id"]
    assert caught.value.message
    assert caught.value.request_id in str(caught.value)


def test_a_refused_request_says_what_is_wrong(face, service):
    """``errors`` has a line for each problem, and the text of the exception has them all."""
    lines = ["resolution: Input should be '480P', '580P' or '720P'", "seed: Unknown field"]
    refusal = bad(422, "Missing Params or Type Error", errors=lines, headers={"x-request-id": "r-7"})
    service.on(CREATE, refusal)
    with pytest.raises(InvalidRequest) as caught:
        face.submit()
    assert caught.value.errors == tuple(lines)
    assert str(caught.value) == f"Missing Params or Type Error: {'; '.join(lines)} (code 422, request r-7)"


def test_errors_survive_pickling():
    """An error that crosses to another process keeps what it knows."""
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
def test_what_passes_is_tried_again(answer, face, service, clock):
    """Lost connections, limits, maintenance and a proxy's 5xx: pauses that grow, then the answer."""
    service.on(BALANCE, answer, answer, answer, good({"balance": 3}))
    assert face.do(lambda c: c.balance()) == 3
    assert len(clock.pauses) == 3
    if "retry-after" not in getattr(answer, "headers", {}):
        assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(clock.pauses))


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 405, 422, 500, 501, 505])
def test_what_does_not_pass_is_not_tried_again(code, face, service, clock):
    """A refusal is told at once."""
    service.on(BALANCE, bad(code))
    with pytest.raises(ClientError):
        face.do(lambda c: c.balance())
    assert (len(service.requests), clock.pauses) == (1, [])


def test_tries_end(make, service, clock, caplog):
    """After ``max_retries`` further tries the error is raised; each pause was logged."""
    caplog.set_level(logging.INFO, "bodydouble.client")
    service.on(BALANCE, httpx.ConnectError("refused"))
    with pytest.raises(ConnectionFailed, match="refused"):
        make(max_retries=6).do(lambda c: c.balance())
    assert (len(service.requests), len(clock.pauses)) == (7, 6)
    assert max(clock.pauses) <= BACKOFF_SECONDS_MAX
    assert len(caplog.messages) == 6
    assert KEY not in caplog.text


def test_retry_after_is_kept(face, service, clock):
    """The service's own pause is waited in full, by at most a tenth more."""
    service.on(BALANCE, bad(429, headers={"retry-after": "20"}), good({"balance": 3}))
    face.do(lambda c: c.balance())
    assert 20 <= clock.pauses[0] <= 22


def test_a_long_retry_after_is_the_programs_to_wait(face, service, clock):
    """Nobody sleeps for an hour inside a call: the error says how long."""
    service.on(BALANCE, bad(455, status=503, headers={"retry-after": "3600"}))
    with pytest.raises(Maintenance) as caught:
        face.do(lambda c: c.balance())
    assert (caught.value.retry_after, clock.pauses) == (3600, [])


def test_retry_after_may_be_a_date():
    """Both forms of RFC 9110 are read; nonsense is none."""
    soon = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert soon is not None
    assert 25 < soon <= 30
    assert [parse_retry_after(v) for v in ("7", "-1", "soon", "", None, "nan", "inf")] == [7, 0, *[None] * 5]


def test_pauses_differ_between_clients():
    """Clients that failed together do not come back together."""
    assert len({backoff_seconds(3) for _ in range(50)}) > 40
    assert len({backoff_seconds(1, 10.0) for _ in range(50)}) > 40


def test_one_create_has_one_idempotency_key(face, service):
    """All tries of a create carry the same key and body, so that the service makes one task of them."""
    service.on(CREATE, httpx.ReadTimeout(""), httpx.Response(502), bad(422, status=409), good({"task_id": "t-1"}))
    assert face.submit().id == "t-1"
    assert len(service.requests) == 4
    assert len({r.headers["idempotency-key"] for r in service.requests}) == 1
    assert len({r.content for r in service.requests}) == 1


def test_two_creates_have_two_idempotency_keys(face, service):
    """The same call again is another task, unless the caller names it."""
    service.on(CREATE, good({"task_id": "t-1"}))
    for more in ({}, {}, {"idempotency_key": "order-17"}, {"idempotency_key": "order-17"}):
        face.submit(**more)
    keys = [r.headers["idempotency-key"] for r in service.requests]
    assert len(set(keys[:2])) == 2
    assert keys[2:] == ["order-17"] * 2


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout(""), httpx.ReadError("reset"), httpx.Response(502), PASSING[-1]], ids=repr
)
def test_a_create_is_not_repeated_blindly_where_keys_are_unknown(answer, make, service):
    """Against the hosted service, a create whose answer was lost could be charged twice: it is told, not repeated."""
    service.on(CREATE, answer, good({"task_id": "t-2"}))
    with pytest.raises(ClientError):
        make(base_url="https://api.crun.ai").submit()
    assert len(service.requests) == 1


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), bad(429), bad(455, status=503)], ids=repr)
def test_a_create_that_surely_was_not_done_is_repeated_anywhere(answer, make, service):
    """No connection, a limit, maintenance: nothing was made, so trying again is safe without a key."""
    service.on(CREATE, answer, good({"task_id": "t-2"}))
    assert make(idempotent_creates=False).submit().id == "t-2"


def test_a_create_says_what_was_asked(face, service):
    """The body is the contract's: files, resolution, further options and the callback."""
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
    """Prices are exact decimals; a model has its price list and, asked for alone, its schema."""
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
    """Whoever knows one of them knows the other: every name, every argument, every default."""

    def calls(kind):
        return {
            name: [(p.name, p.kind, p.default) for p in inspect.signature(call).parameters.values()]
            for name, call in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }

    assert calls(one) == calls(other)
    assert all(inspect.getdoc(call) for name, call in inspect.getmembers(other, inspect.isfunction) if name[0] != "_")


def test_closing_leaves_a_borrowed_http_client_open():
    """What the program brought along is the program's to close."""
    own = httpx.Client(transport=httpx.MockTransport(lambda r: stream()))
    with Client(KEY, URL, http_client=own):
        pass
    assert not own.is_closed

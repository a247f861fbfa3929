"""One try of a callback, against receivers that take it, refuse it and misbehave."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bodydouble.outbound import CallbackSender, GuardedClient, RequestLimits, parse_networks
from bodydouble.tasks.delivery import CallbackMessage, DeliveryTry, Outcome
from receivers import Handler, answering, receiving, trapping

pytestmark = pytest.mark.anyio

OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8
BODY = json.dumps({"task_id": "a", "result": {"message": "Grüße"}}, ensure_ascii=False).encode()
LIMITS = RequestLimits(seconds_max=60, connect_seconds_max=60, stall_seconds_max=60, bytes_max=1000)
ID = UUID("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d")


@pytest.fixture(scope="module")
def client() -> GuardedClient:
    """May reach the loopback."""
    return GuardedClient(parse_networks("127.0.0.0/8"))


async def send(client: GuardedClient, handler: Handler, limits: RequestLimits = LIMITS) -> DeliveryTry:
    """One try to a receiver of this handler."""
    async with receiving(handler) as receiver:
        return await CallbackSender(client, limits).send(
            receiver.url("/hook"), ID, CallbackMessage(body=BODY, secrets=[NEW])
        )


async def test_a_dialect_can_sign_in_the_header_of_the_standard(client: GuardedClient) -> None:
    """The headers of a message replace those of Standard Webhooks; the others stay."""
    own = CallbackMessage(body=BODY, secrets=[NEW], headers={"webhook-signature": "v3,abc"})
    async with receiving(answering({"/hook": b"HTTP/1.1 204 No Content\r\n\r\n"})) as receiver:
        await CallbackSender(client, LIMITS).send(receiver.url("/hook"), ID, own)
    head = receiver.heads[0].decode().lower()
    assert head.count("webhook-signature:") == 1
    assert "webhook-signature: v3,abc" in head
    assert f"webhook-id: {ID}" in head


async def test_a_callback_is_signed_by_the_standard(client: GuardedClient) -> None:
    """What arrives is verified by the standard's own library, with each secret that signs and with no other."""
    bodies: list[bytes] = []

    async def take(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await reader.readexactly(len(BODY)))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with receiving(take) as receiver:
        tried = await CallbackSender(client, LIMITS).send(
            receiver.url("/hook?a=b"), ID, CallbackMessage(body=BODY, secrets=[NEW, OLD])
        )
    assert (tried.http_status, tried.error, tried.outcome) == (204, None, Outcome.DELIVERED)
    assert tried.milliseconds >= 0
    lines = receiver.heads[0].decode().split("\r\n")
    assert lines[0] == "POST /hook?a=b HTTP/1.1"
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == str(ID)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (NEW, OLD):
        assert Webhook(secret).verify(bodies[0], headers)["task_id"] == "a"
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b3Ro" * 8).verify(bodies[0], headers)


async def test_the_time_is_the_trys_own(client: GuardedClient) -> None:
    """A try after a day is signed with its own moment: receivers refuse old ones."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
    async with receiving(answering({"/": b"HTTP/1.1 200 OK\r\n\r\n"})) as receiver:
        await CallbackSender(client, LIMITS, lambda: moment).send(
            receiver.url("/"), ID, CallbackMessage(body=BODY, secrets=[NEW])
        )
    head = receiver.heads[0].lower()
    assert f"webhook-timestamp: {int(moment.timestamp())}\r\n".encode() in head
    assert Webhook(NEW).sign(str(ID), moment, BODY.decode()).lower().encode() in head


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (202, "delivered"), (299, "delivered"), (301, "retry"), (302, "retry"), (304, "retry"),
     (307, "retry"), (400, "retry"), (401, "retry"), (404, "retry"), (410, "gone"), (429, "retry"), (500, "retry"),
     (503, "retry")],
)  # fmt: skip
async def test_the_status_decides(client: GuardedClient, status: int, outcome: str) -> None:
    """2xx is receipt, 410 the wish for no more, everything else is tried again."""
    answer = f"HTTP/1.1 {status} Whatever\r\ncontent-length: 0\r\n\r\n".encode()
    tried = await send(client, answering({"/hook": answer}))
    assert (tried.http_status, tried.outcome.value) == (status, outcome)


@pytest.mark.parametrize(
    "location", [b"/elsewhere", b"http://127.0.0.1:{port}/", b"http://169.254.169.254/", b"http:x"]
)
async def test_no_redirect_is_followed(client: GuardedClient, location: bytes) -> None:
    """A signed body goes where it was meant to, and the log says why it did not arrive."""
    async with trapping() as trap, receiving(_redirect(location.replace(b"{port}", b"%d" % trap.port))) as receiver:
        tried = await CallbackSender(client, LIMITS).send(
            receiver.url("/hook"), ID, CallbackMessage(body=BODY, secrets=[NEW])
        )
        assert trap.visits == 0
    assert len(receiver.heads) == 1
    assert (tried.http_status, tried.outcome) == (302, Outcome.RETRY)
    assert "no redirect" in str(tried.error)


def _redirect(location: bytes) -> Handler:
    return answering({"/hook": b"HTTP/1.1 302 Found\r\nlocation: " + location + b"\r\ncontent-length: 0\r\n\r\n"})


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(100_000),
        b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nnot packed at all",
    ],
)
async def test_what_follows_the_status_does_not_matter(client: GuardedClient, answer: bytes) -> None:
    """A receiver that took the callback took it, whatever it says then."""
    tried = await send(client, answering({"/hook": answer}))
    assert (tried.http_status, tried.error, tried.outcome) == (200, None, Outcome.DELIVERED)


async def test_a_receiver_that_never_ends_its_answer_is_left(client: GuardedClient) -> None:
    """The time limit holds for the body too, and the receipt stands."""

    async def endless(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.Event().wait()

    tried = await send(client, endless, RequestLimits(seconds_max=1))
    assert (tried.http_status, tried.error, tried.outcome) == (200, None, Outcome.DELIVERED)


async def test_a_receiver_that_says_nothing_is_tried_again(client: GuardedClient) -> None:
    """No answer in time is a failed try with its reason."""

    async def never(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    tried = await send(client, never, RequestLimits(seconds_max=0.1))
    assert (tried.http_status, tried.outcome) == (None, Outcome.RETRY)
    assert "longer than 0.1 s" in str(tried.error)
    assert tried.milliseconds > 0


async def test_a_receiver_inside_is_not_called() -> None:
    """Callbacks go through the same guard as downloads."""
    async with receiving(answering({})) as receiver:
        tried = await CallbackSender(GuardedClient(), LIMITS).send(
            receiver.url("/"), uuid4(), CallbackMessage(body=BODY, secrets=[NEW])
        )
    assert receiver.heads == []
    assert tried.outcome is Outcome.RETRY
    assert "not a public address" in str(tried.error)

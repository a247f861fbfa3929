"""Callbacks from a store to receivers that are down, slow, gone, or redirect."""

import asyncio
from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook

from bodydouble.outbound import CallbackSender, GuardedClient
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.delivery import CallbackMessage, Delivery, DeliveryStatus, DeliveryTry, Outcome
from bodydouble.tasks.errors import StorageUnavailable
from deliveries import ALICE, BOB, OPTIONS, SECRET, MemoryStore, make_dispatcher, message_of, until, working
from receivers import Handler, receiving, trapping

pytestmark = pytest.mark.anyio


def answering_in_turn(*statuses: int) -> tuple[Handler, dict[str, list[dict[str, str]]]]:
    """Answers each task's first call with the first status, and so on; keeps the verified headers of each task."""
    seen: dict[str, list[dict[str, str]]] = {}

    async def handle(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = head.decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        task = Webhook(SECRET).verify(body, headers)["task_id"]
        calls = seen.setdefault(task, [])
        calls.append(headers)
        status = statuses[min(len(calls), len(statuses)) - 1]
        writer.write(f"HTTP/1.1 {status} X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".encode())

    return handle, seen


async def test_a_receiver_that_was_down_loses_nothing() -> None:
    """Every callback arrives once the receiver is up, under one id, with a valid signature at each try."""
    store = MemoryStore()
    handle, seen = answering_in_turn(500, 503, 404, 200)
    async with receiving(handle) as receiver, working(make_dispatcher(store)):
        ids = [store.add(receiver.url("/hook")) for _ in range(20)]
        await store.until(DeliveryStatus.DELIVERED)
    assert len(seen) == 20
    for delivery in ids:
        calls = seen[str(store.rows[delivery].task)]
        assert [headers["webhook-id"] for headers in calls] == [str(delivery)] * 4
        assert [tried.http_status for tried in store.log[delivery]] == [500, 503, 404, 200]


async def test_a_receiver_that_does_not_listen_is_tried_again() -> None:
    """A refused connection is a failed try, up to the limit, with its reason in the log."""
    store = MemoryStore()
    async with receiving(answering_in_turn(200)[0]) as receiver:
        url = receiver.url("/hook")
    delivery = store.add(url)
    options = replace(OPTIONS, tries_max=3)
    async with working(make_dispatcher(store, options)):
        await store.until(DeliveryStatus.EXHAUSTED)
    assert [tried.http_status for tried in store.log[delivery]] == [None] * 3
    assert "cannot be connected to" in str(store.log[delivery][0].error)


async def test_gone_is_gone() -> None:
    """A receiver that answers 410 is not called again."""
    store = MemoryStore()
    handle, seen = answering_in_turn(500, 410, 200)
    async with receiving(handle) as receiver, working(make_dispatcher(store)):
        delivery = store.add(receiver.url("/hook"))
        await store.until(DeliveryStatus.GONE)
        await until(lambda: store.rows[delivery].next_try_at is None)
    assert len(seen[str(store.rows[delivery].task)]) == 2


async def test_a_redirect_is_a_failed_try() -> None:
    """It is not followed: each further try goes to the same address, up to the limit."""
    store = MemoryStore()
    handle, _ = answering_in_turn(302)
    async with receiving(handle) as receiver, working(make_dispatcher(store, replace(OPTIONS, tries_max=3))):
        delivery = store.add(receiver.url("/hook"))
        await store.until(DeliveryStatus.EXHAUSTED)
    assert [head.split()[1] for head in receiver.heads] == [b"/hook"] * 3
    assert [tried.http_status for tried in store.log[delivery]] == [302] * 3


async def test_an_inner_address_is_never_called() -> None:
    """An address that the guard refuses is a failed try with its reason."""
    store = MemoryStore()
    sender = CallbackSender(GuardedClient())
    async with trapping() as trap, working(make_dispatcher(store, replace(OPTIONS, tries_max=2), transport=sender)):
        delivery = store.add(f"http://127.0.0.1:{trap.port}/")
        await store.until(DeliveryStatus.EXHAUSTED)
        assert trap.visits == 0
    assert "not a public address" in str(store.log[delivery][0].error)


async def test_a_slow_receiver_holds_nobody_back() -> None:
    """A receiver that never answers, with a long backlog, does not delay another account's callbacks."""
    store = MemoryStore()
    under_way = most = 0

    async def never(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.Event().wait()

    handle, _ = answering_in_turn(200)
    options = replace(OPTIONS, claims_max=10)
    async with receiving(never) as slow, receiving(handle, "127.0.0.2") as quick:
        for _ in range(100):
            store.add(slow.url("/"), ALICE)
        async with working(make_dispatcher(store, options)):
            await until(lambda: under_way == 4)
            mine = [store.add(quick.url("/"), BOB) for _ in range(30)]
            await until(lambda: all(store.rows[d].status is DeliveryStatus.DELIVERED for d in mine))
    assert most == 4
    assert all(store.log[d] == [] for d in store.rows if store.rows[d].account == ALICE)


async def test_an_accounts_many_slow_hosts_take_no_more_than_its_share() -> None:
    """An account with many slow hosts uses no more sends than its limit: a limit per host alone would not hold."""
    store = MemoryStore()
    sending = Counter[AccountId]()
    most = Counter[AccountId]()

    class Slow:
        async def send(self, url: str, delivery_id: UUID, message: CallbackMessage) -> DeliveryTry:
            account = store.rows[delivery_id].account
            sending[account] += 1
            most[account] = max(most[account], sending[account])
            await asyncio.Event().wait()
            raise AssertionError

    for number in range(100):
        store.add(f"http://host{number}.example/", ALICE)
    async with working(make_dispatcher(store, replace(OPTIONS, drain_seconds_max=0), transport=Slow())):
        await until(lambda: sending[ALICE] == 8)
        store.add("http://bob.example/", BOB)
        await until(lambda: sending[BOB] == 1)
    assert most[ALICE] == 8


async def test_an_outage_of_the_store_is_survived() -> None:
    """Neither a database outage nor a fault of its adapter ends the loop or loses a try."""
    store = MemoryStore(faults=[StorageUnavailable("away"), ValueError("a fault"), StorageUnavailable("away")])
    handle, seen = answering_in_turn(500, 200)

    async def cut(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        store.faults += [StorageUnavailable("away")] * 3
        await handle(head, reader, writer)

    async with receiving(cut) as receiver, working(make_dispatcher(store)):
        delivery = store.add(receiver.url("/hook"))
        await store.until(DeliveryStatus.DELIVERED)
    assert [tried.http_status for tried in store.log[delivery]] == [500, 200]
    assert len(seen[str(store.rows[delivery].task)]) == 2


async def test_a_try_that_was_not_recorded_is_made_again_under_the_same_id() -> None:
    """If the store stays away past the lease, the receiver sees the delivery again, under the same id."""
    store = MemoryStore()
    handle, seen = answering_in_turn(200)
    away = True

    async def cut(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        store.faults += [StorageUnavailable("away")] * 50 if away else []
        await handle(head, reader, writer)

    options = replace(OPTIONS, lease_seconds=0.3, send_seconds_max=0.2, poll_seconds=0.05)
    async with receiving(cut) as receiver, working(make_dispatcher(store, options)):
        delivery = store.add(receiver.url("/hook"))
        await until(lambda: bool(seen))
        await until(lambda: not store.faults or len(store.faults) < 40)
        away = False
        store.faults.clear()
        await store.until(DeliveryStatus.DELIVERED)
    assert {headers["webhook-id"] for calls in seen.values() for headers in calls} == {str(delivery)}


async def test_a_callback_of_a_deleted_task_is_not_sent() -> None:
    """It ends as gone, and the log says why."""

    async def nothing(delivery: Delivery) -> CallbackMessage | None:
        return None

    store = MemoryStore()
    handle, seen = answering_in_turn(200)
    async with receiving(handle) as receiver, working(make_dispatcher(store, message_of=nothing)):
        delivery = store.add(receiver.url("/hook"))
        await store.until(DeliveryStatus.GONE)
    assert seen == {}
    assert store.log[delivery][0].error == "the task was deleted."


async def test_a_callback_that_cannot_be_made_is_given_up_and_stops_no_other() -> None:
    """An internal fault counts as a try, and its details are not stored."""
    store = MemoryStore()
    handle, _ = answering_in_turn(200)
    poison = uuid4()

    async def sometimes(delivery: Delivery) -> CallbackMessage | None:
        if delivery.id == poison:
            raise KeyError("inner secret")
        return await message_of(delivery)

    async with receiving(handle) as receiver:
        poison = store.add(receiver.url("/hook"))
        good = store.add(receiver.url("/hook"))
        async with working(make_dispatcher(store, replace(OPTIONS, tries_max=2), message_of=sometimes)):
            await store.until(DeliveryStatus.DELIVERED, DeliveryStatus.EXHAUSTED)
    assert store.rows[poison].status is DeliveryStatus.EXHAUSTED
    assert store.rows[good].status is DeliveryStatus.DELIVERED
    assert "inner" not in str(store.log[poison])


async def test_being_told_to_stop_hands_over_what_is_under_way() -> None:
    """A try that is cut off is repeated by another dispatcher after its lease, under the same id."""
    store = MemoryStore()
    handle, seen = answering_in_turn(200)
    called = asyncio.Event()
    answer = False

    async def later(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        if not answer:
            await asyncio.Event().wait()
        await handle(head, reader, writer)

    options = replace(OPTIONS, lease_seconds=1, send_seconds_max=0.9, drain_seconds_max=0)
    async with receiving(later) as receiver:
        delivery = store.add(receiver.url("/hook"))
        async with working(make_dispatcher(store, options)):
            await called.wait()
        assert store.log[delivery] == []
        answer = True
        async with working(make_dispatcher(store, options)):
            await store.until(DeliveryStatus.DELIVERED)
    assert [headers["webhook-id"] for calls in seen.values() for headers in calls] == [str(delivery)]


async def test_being_told_to_stop_lets_a_try_end() -> None:
    """A try that is answered in time is recorded before the dispatcher ends."""
    store = MemoryStore()
    handle, _ = answering_in_turn(200)
    called, go = asyncio.Event(), asyncio.Event()

    async def held(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await go.wait()
        await handle(head, reader, writer)

    stop = asyncio.Event()
    async with receiving(held) as receiver:
        delivery = store.add(receiver.url("/hook"))
        running = asyncio.create_task(make_dispatcher(store, replace(OPTIONS, drain_seconds_max=60)).run(stop))
        await called.wait()
        stop.set()
        go.set()
        await running
    assert store.rows[delivery].status is DeliveryStatus.DELIVERED


async def test_what_waits_longer_than_its_lease_is_left_to_others() -> None:
    """No try starts that could outlast its lease, so no two dispatchers send one delivery at once."""
    store = MemoryStore()
    slow = store.add("http://one.example/slow")
    other = store.add("http://one.example/other")

    class Sender:
        async def send(self, url: str, delivery_id: UUID, message: CallbackMessage) -> DeliveryTry:
            if delivery_id == slow:
                await asyncio.Event().wait()
            return DeliveryTry(http_status=200, error=None, milliseconds=1, outcome=Outcome.DELIVERED)

    options = replace(OPTIONS, sends_per_host_max=1, lease_seconds=0.9, send_seconds_max=0.5, tries_max=1)
    async with working(make_dispatcher(store, options, transport=Sender())):
        await store.until(DeliveryStatus.DELIVERED, DeliveryStatus.EXHAUSTED)
    assert store.rows[other].status is DeliveryStatus.DELIVERED
    assert store.claims[other] >= 2, "its first lease was too short after the slow send"


def test_a_lease_has_to_last_for_a_try() -> None:
    """Options under which no try could start are rejected."""
    with pytest.raises(ValueError, match="lease_seconds"):
        replace(OPTIONS, lease_seconds=10, send_seconds_max=10)


async def test_dispatchers_share_the_work() -> None:
    """Two dispatchers on one store make each try once."""
    store = MemoryStore()
    handle, seen = answering_in_turn(200)
    async with receiving(handle) as receiver:
        for _ in range(50):
            store.add(receiver.url("/hook"))
        async with working(make_dispatcher(store, replace(OPTIONS, claims_max=5))), working(make_dispatcher(store)):
            await store.until(DeliveryStatus.DELIVERED)
    assert len(seen) == 50
    assert all(len(calls) == 1 for calls in seen.values())

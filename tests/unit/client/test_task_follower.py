"""Following a task by events and by polling, through broken connections."""

import json

import httpx
import pytest

from bodydouble_client import ConnectionFailed, NotFound, ServerError, WaitTimeout
from bodydouble_client.asynchronous.task_follower import OUTAGE_SECONDS_MAX
from fake_service import bad, event, good, stream, task_data

INFO, EVENTS = "job/TaskInfo", "job/TaskEvents"


def _render(progress: float, **more):
    return task_data(stage="render", progress=progress, **more)


def _seen(updates):
    return [(u.status.value, u.progress, u.version) for u in updates]


def test_events_are_yielded_as_they_arrive(face, service):
    """Each event is an update with the row's version; the final one ends the iteration without a further request."""
    service.on(
        EVENTS,
        stream(
            event(1, **task_data("pending", progress=0, queue_position=2)),
            b": heartbeat\n\n",
            event(2, **_render(0.5)) + event(3, "done", **task_data("success", progress=1)),
        ),
    )
    updates = face.collect(lambda c: c.task("t-1").events())
    assert _seen(updates) == [("pending", 0, "1"), ("running", 0.5, "2"), ("success", 1, "3")]
    assert [u.is_done for u in updates] == [False, False, True]
    assert (updates[0].queue_position, updates[1].stage) == (2, "render")
    assert len(service.requests) == 1
    assert service.requests[0].url.query == b"task_id=t-1"
    assert service.requests[0].headers["accept"] == "text/event-stream"


@pytest.mark.parametrize("broken", [httpx.ReadError("reset"), httpx.RemoteProtocolError("closed"), None], ids=repr)
def test_a_broken_stream_continues_after_the_last_event(broken, face, service):
    """The next connection names the last event; no update is repeated or missing."""
    service.on(
        EVENTS,
        stream(event(1, **_render(0.1)), event(2, **_render(0.2)), *([broken] if broken else [])),
        httpx.ConnectError("refused"),
        stream(event(3, **_render(0.3)), event(4, "done", **task_data("success"))),
    )
    updates = face.collect(lambda c: c.task("t-1").events())
    assert [u.version for u in updates] == ["1", "2", "3", "4"]
    assert [r.headers.get("last-event-id") for r in service.requests] == [None, "2", "2"]


def test_a_partial_event_is_dropped(face, service):
    """The next connection sends the event again, complete."""
    half = event(2, **_render(0.2))[:40]
    service.on(
        EVENTS,
        stream(event(1, **_render(0.1)), half, httpx.ReadError("reset")),
        stream(event(2, **_render(0.2)), event(3, "done", **task_data("success"))),
    )
    updates = face.collect(lambda c: c.task("t-1").events())
    assert [u.version for u in updates] == ["1", "2", "3"]
    assert service.requests[1].headers["last-event-id"] == "1"


@pytest.mark.parametrize(
    "answer",
    [bad(404, "Not Found"), httpx.Response(405), bad(505, status=503), httpx.Response(200, text="<html>")],
    ids=repr,
)
def test_without_events_the_service_is_polled(answer, face, service, clock):
    """Each change that a poll sees is yielded once, as on the hosted service."""
    answers = [task_data("pending")] * 2 + [task_data("running")] * 30 + [task_data("success")]
    service.on(EVENTS, answer).on(INFO, *map(good, answers))
    updates = face.collect(lambda c: c.task("t-1").events())
    assert _seen(updates) == [("pending", 0, None), ("running", 0, None), ("success", 1, None)]
    assert len(service.to(EVENTS)) == 1
    assert (clock.pauses[0], clock.pauses[1]) == (0, 0.5)
    assert clock.pauses[1:] == sorted(clock.pauses[1:])
    assert clock.pauses[-1] > 0.5


def test_a_blocked_stream_is_replaced_by_polling(face, service):
    """After two connections without a byte, not even a heartbeat, a proxy must hold the events back."""
    service.on(EVENTS, stream(httpx.ReadTimeout("silent"))).on(INFO, good(task_data("success")))
    assert _seen(face.collect(lambda c: c.task("t-1").events())) == [("success", 1, None)]
    assert len(service.to(EVENTS)) == 2


def test_polling_is_conditional(face, service):
    """The last answer's ETag is sent with the next request; 304 is not an update."""
    service.on(
        INFO,
        good(task_data("running"), etag='"v1"'),
        httpx.Response(304, headers={"etag": '"v1"'}),
        good(task_data("success"), etag='"v2"'),
    )
    assert len(face.collect(lambda c: c.task("t-1").events())) == 2
    assert [r.headers.get("if-none-match") for r in service.to(INFO)] == [None, '"v1"', '"v1"']


def test_a_new_signature_is_not_an_update(face, service):
    """The preview's URL differs in every answer; only its first appearance is an update."""
    urls = [None, "https://s/p?s=1", "https://s/p?s=2", "https://s/p?s=3"]
    service.on(INFO, *(good(_render(0.5, preview_url=u)) for u in urls), good(task_data("success")))
    updates = face.collect(lambda c: c.task("t-1").events())
    assert [u.task.preview_url for u in updates] == [None, "https://s/p?s=1", None]


def test_a_restart_of_the_service_only_delays_a_wait(face, service, clock):
    """A wait survives minutes of refused connections, 5xx and limits, and respects the service's pauses."""
    away = [httpx.ConnectError("refused")] * 20 + [httpx.Response(502)] * 5 + [bad(500)]
    service.on(EVENTS, bad(404, "Not Found"))
    service.on(INFO, good(task_data()), *away, bad(429, headers={"retry-after": "30"}), good(task_data("success")))
    assert face.do(lambda c: c.task("t-1").wait()).credits > 0
    assert any(30 <= pause <= 33 for pause in clock.pauses)


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), bad(500)], ids=repr)
def test_a_long_outage_ends_the_wait(answer, face, service, clock):
    """After five minutes without an answer the last error is raised."""
    began = clock.now
    service.on(EVENTS, bad(404, "Not Found")).on(INFO, good(task_data()), answer)
    with pytest.raises((ConnectionFailed, ServerError)):
        face.do(lambda c: c.task("t-1").wait())
    assert OUTAGE_SECONDS_MAX < clock.now - began < OUTAGE_SECONDS_MAX + 20


def test_an_unknown_task_raises_at_once(face, service, clock):
    """NotFound is raised without a pause."""
    service.on(EVENTS, bad(404, "Task not found")).on(INFO, bad(404, "Task not found"))
    with pytest.raises(NotFound, match="Task not found"):
        face.do(lambda c: c.task("t-0").wait())
    assert sum(clock.pauses) == 0


@pytest.mark.parametrize("timeout", [0, 3, 44])
def test_a_wait_ends_in_time(timeout, face, service, clock):
    """At the timeout exactly; the error names the task and its status."""
    service.on(INFO, good(_render(0.5)))
    began = clock.now
    with pytest.raises(WaitTimeout, match="and is running") as caught:
        face.do(lambda c: c.task("t-1").wait(timeout=timeout))
    assert clock.now - began == pytest.approx(timeout)
    assert caught.value.task_id == "t-1"
    assert isinstance(caught.value, TimeoutError)


def test_near_the_deadline_the_client_polls(face, service, clock):
    """A blocking read cannot be interrupted, so the stream is closed before the deadline."""

    def first(request: httpx.Request) -> httpx.Response:
        clock.now += 20  # the event takes its time
        return stream(event(1, **_render(0.5)), event(2, "done", **task_data("success")))

    service.on(EVENTS, first).on(INFO, good(_render(0.6)))
    began = clock.now
    with pytest.raises(WaitTimeout):
        face.do(lambda c: c.task("t-1").wait(timeout=60))
    assert clock.now - began == pytest.approx(60)
    assert len(service.to(EVENTS)) == 1


def test_an_iterator_may_be_left_early(face, service):
    """Leaving the loop closes the connection; another iterator starts from the beginning."""
    service.on(EVENTS, stream(*(event(n, **_render(n / 10)) for n in range(1, 9))))
    assert len(face.collect(lambda c: c.task("t-1").events(), most=2)) == 2
    assert len(face.collect(lambda c: c.task("t-1").events(), most=3)) == 3


def test_an_event_without_a_task_is_an_error(face, service):
    """An event with other data raises ServerError."""
    service.on(EVENTS, stream(b'event: progress\ndata: {"x": 1}\n\n'))
    with pytest.raises(ServerError, match="not a task"):
        face.collect(lambda c: c.task("t-1").events())


def test_unknown_events_and_fields_are_ignored(face, service):
    """A newer service works; ``raw`` contains all fields."""
    more = json.dumps(task_data("success", mood="good"))
    service.on(EVENTS, stream(b"event: gossip\ndata: ?\n\n", f"event: done\ndata: {more}\n\n".encode()))
    (update,) = face.collect(lambda c: c.task("t-1").events())
    assert update.task.raw["mood"] == "good"

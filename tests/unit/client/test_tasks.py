"""Creating, awaiting, listing, cancelling and deleting tasks."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from bodydouble_client import (
    AsyncClient,
    Client,
    FeatureUnavailable,
    InvalidRequest,
    NotFound,
    ResultWarning,
    ServerError,
    TaskCancelled,
    TaskFailed,
    TaskInfo,
    TaskStatus,
)
from fake_service import bad, event, good, stream, task_data

INFO, EVENTS, CREATE = "job/TaskInfo", "job/TaskEvents", "job/CreateTask"
PICTURE, VIDEO = "https://a.example/p.png", "https://a.example/v.mp4"


def test_run_waits_for_the_result(face, service):
    """Two addresses give a result with media, media info, warnings and price."""
    service.on(CREATE, good({"task_id": "t-1"}))
    service.on(EVENTS, stream(event(1, **task_data()), event(2, "done", **task_data("success"))))
    result = face.do(lambda c: c.run(PICTURE, VIDEO, resolution="480P"))
    assert (result.task_id, result.credits) == ("t-1", Decimal("12.5"))
    assert list(result.media_urls) == ["http://service.example/files/one.mp4?s=1"]
    assert result.media_info["frames"] == 48
    assert result.warnings == (ResultWarning(code="dim", message="It is dim."),)
    assert "s=1" not in repr(result) + repr(result.task)


def test_subscribe_reports_every_change(face, service):
    """``on_update`` gets what ``events`` yields, including the last update."""
    told = []
    service.on(CREATE, good({"task_id": "t-1"}))
    first, last = event(1, **task_data(progress=0.5)), event(2, "done", **task_data("success"))
    service.on(EVENTS, stream(first, last))
    face.do(lambda c: c.subscribe(PICTURE, VIDEO, on_update=told.append))
    assert [(u.status, u.progress) for u in told] == [("running", 0.5), ("success", 1)]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_wait_names_the_task(interruption, face, service):
    """Ctrl-C, or an error in the program's callback, passes through with the task's id as a note."""

    def stop(update):
        raise interruption

    service.on(CREATE, good({"task_id": "t-1"})).on(EVENTS, stream(event(1, **task_data())))
    with pytest.raises(interruption) as caught:
        face.do(lambda c: c.subscribe(PICTURE, VIDEO, on_update=stop))
    assert "task t-1" in "".join(caught.value.__notes__)


def test_a_callback_may_be_a_coroutine_function(service, clock):
    """The asynchronous client awaits it."""
    told = []
    service.on(CREATE, good({"task_id": "t-1"})).on(INFO, good(task_data("success")))

    async def tell(update):
        await asyncio.sleep(0)
        told.append(update.status)

    async def main():
        http = httpx.AsyncClient(transport=httpx.MockTransport(service))
        async with AsyncClient("ak_0", "http://service.example", http_client=http) as client:
            await client.subscribe(PICTURE, VIDEO, on_update=tell)

    asyncio.run(main())
    assert told == [TaskStatus.SUCCESS]


def test_a_blocking_client_works_inside_an_event_loop(service, clock):
    """It works in a notebook, where a loop is running."""
    service.on(EVENTS, stream(event(1, **task_data()), event(2, "done", **task_data("success"))))

    async def cell():
        client = Client(
            "ak_0", "http://service.example", http_client=httpx.Client(transport=httpx.MockTransport(service))
        )
        return [u.status for u in client.task("t-1").events()]

    assert asyncio.run(cell()) == ["running", "success"]


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({"code": 501, "message": "Nobody is in the video"}, TaskFailed),
        ({"code": 402, "message": "25 credits are needed"}, TaskFailed),
        ({"code": 499, "message": "Cancelled"}, TaskCancelled),
        (None, TaskFailed),
    ],
)
def test_a_failed_task_raises(result, kind, face, service):
    """The error has the result's code and message, and the task."""
    service.on(INFO, good(task_data("failed") | {"result": result}))
    with pytest.raises(kind) as caught:
        face.do(lambda c: c.task("t-1").wait())
    assert type(caught.value) is kind
    assert caught.value.code == (result or {}).get("code")
    assert caught.value.task.id == "t-1"
    assert caught.value.message


def test_a_handle_keeps_its_result(face, service):
    """``result`` and a second ``wait`` send no request after status, events or wait saw the success."""
    service.on(INFO, good(task_data()), good(task_data("success")))
    handle = face.do(lambda c: c.task("t-1"))
    assert handle.result is None
    assert face.do(lambda c: handle.status()).status == "running"
    assert handle.result is None
    assert face.do(lambda c: handle.wait()).task_id == "t-1"
    asked = len(service.requests)
    assert handle.result.credits == face.do(lambda c: handle.wait()).credits  # pyright: ignore[reportAttributeAccessIssue]
    assert len(service.requests) == asked


def test_cancel_says_whether_it_came_in_time(face, service):
    """False if the task was finished already."""
    service.on("job/CancelTask", good({"task_id": "t-1", "cancelling": True}), good({"cancelling": False}))
    assert [face.do(lambda c: c.task("t-1").cancel()) for _ in range(2)] == [True, False]
    assert (service.requests[0].method, service.requests[0].url.query) == ("POST", b"task_id=t-1")


def test_delete_reports_the_services_refusal(face, service):
    """A running task is refused with the service's message."""
    service.on("job/DeleteTask", good({"task_id": "t-1", "deleted": True}), bad(422, "no", errors=["cancel it first"]))
    face.do(lambda c: c.delete("t-1"))
    with pytest.raises(InvalidRequest, match="cancel it first"):
        face.do(lambda c: c.delete("t-1"))


def test_a_retried_delete_may_find_nothing(face, service):
    """If the first answer was lost, the retry's NotFound means success."""
    service.on("job/DeleteTask", httpx.ReadTimeout(""), bad(404, "Task not found"))
    face.do(lambda c: c.delete("t-1"))
    assert len(service.requests) == 2


def test_tasks_are_listed_in_pages(face, service):
    """Cursor and filters are sent with each page; a page is requested when it is needed."""
    page = [task_data() | {"task_id": f"t-{n}"} for n in range(4)]
    service.on(
        "job/Tasks",
        good({"tasks": page[:2], "next_cursor": "c/1+"}),
        good({"tasks": [], "next_cursor": "c2"}),
        good({"tasks": page[2:], "next_cursor": None}),
    )
    after = datetime(2026, 1, 2, tzinfo=UTC)
    found = face.collect(lambda c: c.tasks(status="running", created_after=after, created_before=9, page_size=2))
    assert [t.id for t in found] == ["t-0", "t-1", "t-2", "t-3"]
    queries = [dict(r.url.params) for r in service.requests]
    filters = {"limit": "2", "status": "running", "created_after": str(int(after.timestamp())), "created_before": "9"}
    assert queries == [filters, filters | {"cursor": "c/1+"}, filters | {"cursor": "c2"}]
    service.requests.clear()
    service.on("job/Tasks", good({"tasks": page, "next_cursor": "c"}))
    assert len(face.collect(lambda c: c.tasks(), most=2)) == 2
    assert len(service.requests) == 1


@pytest.mark.parametrize("call", [lambda c: c.task("t").cancel(), lambda c: c.delete("t")], ids=["cancel", "delete"])
def test_a_missing_endpoint_is_not_a_missing_task(call, face, service):
    """The former raises FeatureUnavailable, the latter NotFound."""
    with pytest.raises(FeatureUnavailable, match=r"http://service\.example has no"):
        face.do(call)
    service.on("job/CancelTask", bad(404, "Task not found")).on("job/DeleteTask", bad(404, "Task not found"))
    with pytest.raises(NotFound):
        face.do(call)


def test_a_service_without_lists_raises(face):
    """As the hosted service."""
    with pytest.raises(FeatureUnavailable, match="has no Tasks"):
        face.collect(lambda c: c.tasks())


def test_a_task_of_the_hosted_service_is_read():
    """The documented fields are sufficient; the others are None."""
    task = TaskInfo.from_data(task_data("success"))
    assert (task.progress, task.stage, task.queue_position, task.expires_at) == (None,) * 4
    assert (task.created_at, task.duration_seconds) == (datetime.fromtimestamp(1_700_000_000, UTC), 9)
    assert task.is_over


@pytest.mark.parametrize("data", [None, [], {}, {"task_id": "t"}, {"task_id": "t", "status": "odd"}, {"result": 3}])
def test_invalid_data_is_not_a_task(data):
    """An answer without an id or with an unknown status raises ServerError."""
    with pytest.raises(ServerError, match="not a task"):
        TaskInfo.from_data(data)


def test_warnings_may_be_plain_text():
    """An older service's warnings are strings."""
    data = task_data("success")
    data["result"]["media_info"]["warnings"] = ["It is dim."]
    assert TaskInfo.from_data(data).warnings == (ResultWarning(code="", message="It is dim."),)

"""Callbacks forwarded to a program on this machine."""

import json
from dataclasses import replace

import httpx

from bodydouble.bootstrap.callback_forwarding import EndedTasks, forward
from bodydouble_client import TaskInfo, TaskStatus, verify_webhook

SECRET = "whsec_" + "A" * 43 + "="


def task(number: int, status: TaskStatus) -> TaskInfo:
    return TaskInfo.from_data({"task_id": f"t-{number}", "status": status.value})


class Tasks:
    """Satisfies ``TaskSource``: a list that a test changes."""

    def __init__(self, *tasks: TaskInfo) -> None:
        self.tasks = {task.id: task for task in tasks}
        self.shown = [task.id for task in tasks]

    def recent(self) -> list[TaskInfo]:
        return [self.tasks[name] for name in self.shown]

    def read(self, task_id: str) -> TaskInfo:
        return self.tasks[task_id]


def test_each_task_that_ends_is_found_once() -> None:
    """Tasks that ended before are left out; one that left the newest page is followed to its end."""
    tasks = Tasks(task(1, TaskStatus.SUCCESS), task(2, TaskStatus.RUNNING))
    ended = EndedTasks(tasks)
    assert list(ended.find()) == []
    tasks.shown = []
    tasks.tasks["t-2"] = task(2, TaskStatus.FAILED)
    assert [found.id for found in ended.find()] == ["t-2"]
    tasks.shown = ["t-3", "t-1"]
    tasks.tasks["t-3"] = task(3, TaskStatus.SUCCESS)
    assert [found.id for found in ended.find()] == ["t-3"], "it began and ended between two looks"
    assert list(ended.find()) == []


def test_a_forwarded_callback_has_a_valid_signature() -> None:
    """The client's own check accepts it, and the line says what came back."""
    seen: list[TaskInfo] = []

    def receive(request: httpx.Request) -> httpx.Response:
        seen.append(verify_webhook(request.content, dict(request.headers), SECRET))
        assert json.loads(request.content)["status"] == "success"
        return httpx.Response(204)

    with httpx.Client(transport=httpx.MockTransport(receive)) as http:
        said = forward(task(1, TaskStatus.SUCCESS), "http://localhost:3000/hook", SECRET, http)
    assert said == "t-1 success: 204"
    assert [replace(found, raw={}).id for found in seen] == ["t-1"]


def test_a_program_that_does_not_answer_is_named() -> None:
    """The line says which address failed; nothing is raised."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with httpx.Client(transport=httpx.MockTransport(refuse)) as http:
        said = forward(task(1, TaskStatus.FAILED), "http://localhost:3000/hook", SECRET, http)
    assert said == "t-1 failed: http://localhost:3000/hook does not answer (ConnectError)"

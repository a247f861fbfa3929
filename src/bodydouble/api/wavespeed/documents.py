"""A task as a prediction. Workers import this module, so it imports nothing of the web framework."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bodydouble.api.wavespeed.names import FIELDS, MODELS
from bodydouble.api.wavespeed.paths import BASE, MODEL
from bodydouble.service.views import TaskView
from bodydouble.tasks.dialect import DialectName, dialect_request
from bodydouble.tasks.task import Task, TaskId, TaskStatus

STATUSES: Mapping[TaskStatus, str] = {
    TaskStatus.PENDING: "created",
    TaskStatus.RUNNING: "processing",
    TaskStatus.SUCCESS: "completed",
    TaskStatus.FAILED: "failed",
}


def prediction(view: TaskView, base_url: str) -> dict[str, Any]:
    """``data`` of a response, and with ``input`` the body of a webhook."""
    task, outputs = view.task, list(view.media_urls)
    milliseconds = _inference_milliseconds(task)
    return {
        "id": str(task.id),
        "model": MODEL,
        "input": _input(task),
        "outputs": outputs,
        "urls": _addresses(task.id, base_url),
        "has_nsfw_contents": [False] * len(outputs),
        "status": status_of(task),
        "created_at": _iso(task.created_at),
        "error": error_of(task),
        "executionTime": milliseconds,
        "timings": {"inference": milliseconds},
    }


def status_of(task: Task) -> str:
    """The vendor's status."""
    return "cancelled" if task.was_cancelled else STATUSES[task.status]


def error_of(task: Task) -> str:
    """Why the prediction has no output; empty if it has, or may have."""
    if task.status is not TaskStatus.FAILED or task.result is None:
        return ""
    return FIELDS.translate(task.result.message)


def _addresses(task_id: TaskId, base_url: str) -> dict[str, str]:
    return {"get": f"{base_url}{BASE}/predictions/{task_id}/result"}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _input(task: Task) -> dict[str, Any]:
    files = {"image": task.inputs["img_urls"][0], "video": task.inputs["video_urls"][0]}
    asked = dialect_request(task)
    if asked is not None and asked.name is DialectName.WAVESPEED:
        return files | dict(asked.input)
    mode = next(mode for mode, model in MODELS.items() if model == task.model)
    return files | {"mode": mode, "resolution": str(task.inputs["resolution"]).lower()}


def _inference_milliseconds(task: Task) -> int:
    if task.started_at is None or task.completed_at is None:
        return 0
    return round((task.completed_at - task.started_at).total_seconds() * 1000)

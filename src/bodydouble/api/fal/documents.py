"""Tasks as fal's JSON documents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bodydouble.api.fal.names import APPLICATION, FIELDS, PREFIX
from bodydouble.service.views import TaskView
from bodydouble.tasks.dialect import START_TIMEOUT, dialect_request
from bodydouble.tasks.task import TERMINAL, ResultCode, Task, TaskResult, TaskStatus

QUEUE = f"{PREFIX}/queue"
IGNORED = "ignored_headers"
"""Option of a request: headers that change nothing here."""

FAILURES = {
    ResultCode.INSUFFICIENT_CREDITS: (403, "user_locked"),
    ResultCode.INVALID_INPUT: (422, "value_error"),
    ResultCode.CANCELLED: (499, "client_cancelled"),
    ResultCode.GENERATION_FAILED: (500, "internal_server_error"),
}
"""Code of a failed task → HTTP status of its result and type of the error."""


def request_addresses(base_url: str, request_id: str) -> dict[str, str]:
    """The addresses of a request in the queue."""
    address = f"{base_url}{QUEUE}/{APPLICATION}/requests/{request_id}"
    return {"response_url": address, "status_url": f"{address}/status", "cancel_url": f"{address}/cancel"}


def status_document(view: TaskView, base_url: str, *, with_logs: bool, logs_from: int = 0) -> dict[str, Any]:
    """The state of a request. ``logs_from``: the first line of the log that is wanted."""
    task = view.task
    document: dict[str, Any] = {"request_id": str(task.id)} | request_addresses(base_url, str(task.id))
    if task.status is TaskStatus.PENDING:
        return {"status": "IN_QUEUE", "queue_position": view.queue_position or 0} | document
    logs = log_lines(view)[logs_from:] if with_logs else None
    if task.status not in TERMINAL:
        return {"status": "IN_PROGRESS", "logs": logs} | document
    document |= {"status": "COMPLETED", "logs": logs, "metrics": {"inference_time": _inference_seconds(task)}}
    if task.status is TaskStatus.FAILED:
        document |= {"error": _message(task.result), "error_type": failure_of(task)[1]}
    return document


def log_lines(view: TaskView) -> list[dict[str, Any]]:
    """The log of a task: one line for what was ignored, one for each completed stage, one for the result's warnings."""
    task = view.task
    request = dialect_request(task)
    ignored: Sequence[str] = request.options.get(IGNORED, ()) if request else ()
    lines = [_line(task.created_at, f"{name} changes nothing here") for name in ignored]
    lines += [_line(stage.started_at, f"{stage.stage}: {stage.seconds:.1f} s") for stage in view.stages or ()]
    if task.completed_at is not None:
        lines += [_line(task.completed_at, warning, "WARN") for warning in task.warnings]
    return lines


def _line(moment: datetime, message: str, level: str = "INFO") -> dict[str, Any]:
    return {"message": message, "level": level, "source": "bodydouble", "timestamp": moment.isoformat()}


def _inference_seconds(task: Task) -> float | None:
    if task.started_at is None or task.completed_at is None:
        return None
    return round((task.completed_at - task.started_at).total_seconds(), 3)


def result_document(view: TaskView, size_bytes: int | None = None) -> dict[str, Any]:
    """The output of a successful request. ``size_bytes`` of the video; None if it was not looked up."""
    url = view.media_urls[0] if view.media_urls else None
    video, inputs = None, view.task.inputs
    if url is not None:
        name = urlsplit(url).path.rsplit("/", 1)[-1]
        video = {"url": url, "content_type": "video/mp4", "file_name": name, "file_size": size_bytes}
    return {"video": video, "prompt": inputs.get("prompt") or "", "seed": inputs.get("seed") or 0}


def failure_of(task: Task) -> tuple[int, str]:
    """HTTP status and error type of a failed request."""
    assert task.result is not None
    request = dialect_request(task)
    if task.was_cancelled and request and task.started_at is None:
        limit: float | None = request.options.get(START_TIMEOUT)
        waited = task.completed_at - task.created_at if task.completed_at else None
        if limit is not None and waited is not None and waited.total_seconds() >= limit:
            return 504, "startup_timeout"
    return FAILURES.get(task.result.code, FAILURES[ResultCode.GENERATION_FAILED])


def failure_document(task: Task) -> dict[str, Any]:
    """The output of a failed request."""
    return {"detail": [detail(_message(task.result), failure_of(task)[1])], "error_type": failure_of(task)[1]}


def _message(result: TaskResult | None) -> str:
    return FIELDS.translate(result.message) if result else ""


def detail(message: str, kind: str) -> dict[str, Any]:
    """One problem, at the field that the message names in the vendor's words or ours."""
    field, text = FIELDS.split(message)
    return {"loc": ["body", field] if field else ["body"], "msg": text, "type": kind}

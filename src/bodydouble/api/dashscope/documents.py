"""A task as the dialect shows it."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from bodydouble.api.dashscope.models import FIELDS, MODELS, RESOLUTIONS
from bodydouble.service import TaskView
from bodydouble.service.document import unix_milliseconds
from bodydouble.tasks.dialect import DialectName, dialect_request
from bodydouble.tasks.task import ResultCode, Task, TaskStatus

BEIJING = timezone(timedelta(hours=8))
"""The vendor's times have no zone and are those of Beijing."""
STATUSES: Mapping[TaskStatus, str] = {
    TaskStatus.PENDING: "PENDING",
    TaskStatus.RUNNING: "RUNNING",
    TaskStatus.SUCCESS: "SUCCEEDED",
    TaskStatus.FAILED: "FAILED",
}
CODES: Mapping[ResultCode, str] = {
    ResultCode.INSUFFICIENT_CREDITS: "Arrearage",
    ResultCode.INVALID_INPUT: "InvalidParameter",
    ResultCode.GENERATION_FAILED: "InternalError",
}
RATIOS: Mapping[str, str] = {"wan-std": "standard", "wan-pro": "pro"}
"""Service mode → ``usage.video_ratio``."""


def task_output(view: TaskView) -> dict[str, Any]:
    """``output`` of a task query."""
    task = view.task
    output: dict[str, Any] = {
        "task_id": str(task.id),
        "task_status": task_status(task),
        "submit_time": _local(task.created_at),
    }
    if task.started_at is not None:
        output["scheduled_time"] = _local(task.started_at)
    if task.completed_at is not None:
        output["end_time"] = _local(task.completed_at)
    if view.media_urls:
        # The vendor's other models have the address at the second place, and the SDK's 2.x jobs read only that.
        output |= {"results": {"video_url": view.media_urls[0]}, "video_url": view.media_urls[0]}
    if task.result is not None and task.result.code in CODES:
        output |= {"code": CODES[task.result.code], "message": FIELDS.translate(task.result.message)}
    return output


def usage(task: Task) -> dict[str, Any] | None:
    """``usage`` of a task that has succeeded."""
    if task.result is None or task.result.code is not ResultCode.SUCCESS:
        return None
    seconds = task.result.media_info.get("duration_s", 0)
    return {"video_duration": seconds, "video_count": 1, "video_ratio": RATIOS[_mode(task)]}


def listed(task: Task) -> dict[str, Any]:
    """One entry of the list of tasks."""
    return {
        "task_id": str(task.id),
        "status": task_status(task),
        "model_name": model_name(task),
        "gmt_create": unix_milliseconds(task.created_at),
        "start_time": unix_milliseconds(task.started_at),
        "end_time": unix_milliseconds(task.completed_at),
    }


def task_status(task: Task) -> str:
    """The vendor's status."""
    return "CANCELED" if task.was_cancelled else STATUSES[task.status]


def model_name(task: Task) -> str:
    """The vendor's name of the task's model."""
    return next(name for name, ours in MODELS.items() if ours == task.model)


def _mode(task: Task) -> str:
    request = dialect_request(task)
    if request is not None and request.name is DialectName.DASHSCOPE:
        return str(request.options["mode"])
    return "wan-std" if task.inputs["resolution"] == RESOLUTIONS["wan-std"] else "wan-pro"


def _local(moment: datetime) -> str:
    return moment.astimezone(BEIJING).isoformat(sep=" ", timespec="milliseconds").removesuffix("+08:00")

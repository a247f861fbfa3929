"""A task as the dialect shows it. Workers import this module, so it imports nothing of the web framework."""

from collections.abc import Mapping
from typing import Any

from bodydouble.api.kie.names import FIELDS
from bodydouble.service.document import to_json, unix_milliseconds
from bodydouble.service.views import TaskView
from bodydouble.tasks.task import Task, TaskStatus

STATES: Mapping[TaskStatus, str] = {
    TaskStatus.PENDING: "queuing",
    TaskStatus.RUNNING: "generating",
    TaskStatus.SUCCESS: "success",
    TaskStatus.FAILED: "fail",
}


def record(view: TaskView) -> dict[str, Any]:
    """``data`` of recordInfo and of a callback."""
    task = view.task
    failed = task.status is TaskStatus.FAILED and task.result is not None
    took = (task.completed_at - task.created_at).total_seconds() if task.completed_at else None
    return {
        "taskId": str(task.id),
        "task_id": str(task.id),  # the vendor's example of a verifier reads this one
        "model": task.model,
        "state": STATES[task.status],
        "param": to_json(_request(task)).decode(),
        "resultJson": to_json({"resultUrls": list(view.media_urls)}).decode() if view.media_urls else "",
        "failCode": str(int(task.result.code)) if failed and task.result else "",
        "failMsg": FIELDS.translate(task.result.message) if failed and task.result else "",
        "costTime": None if took is None else round(took * 1000),
        "creditsConsumed": task.credits if task.status is TaskStatus.SUCCESS else 0,
        "progress": round(task.progress.fraction * 100),
        "createTime": unix_milliseconds(task.created_at),
        "updateTime": unix_milliseconds(task.completed_at or task.started_at or task.created_at),
        "completeTime": unix_milliseconds(task.completed_at),
    }


def _request(task: Task) -> dict[str, Any]:
    """The request in the vendor's terms, also of a task that was not created with it."""
    request: dict[str, Any] = {
        "model": task.model,
        "input": {
            "video_url": task.inputs["video_urls"][0],
            "image_url": task.inputs["img_urls"][0],
            "resolution": str(task.inputs["resolution"]).lower(),
        },
    }
    return request | ({"callBackUrl": task.callback_url} if task.callback_url else {})

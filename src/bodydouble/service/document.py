"""A task as JSON: what TaskInfo answers, and what a callback carries."""

import json
from decimal import Decimal
from typing import Any

from bodydouble.service.views import TaskView
from bodydouble.tasks.catalogue import find_model
from bodydouble.tasks.task import TERMINAL, TaskStatus


def to_json(document: object) -> bytes:
    """UTF-8, without spaces; exact decimals become numbers."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def task_data(view: TaskView) -> dict[str, Any]:
    """TaskInfo's ``data``, which is a callback's body too."""
    task = view.task
    model = find_model(task.model)
    over = task.status in TERMINAL
    result: dict[str, Any] | None = None
    if task.result is not None:
        result = {"code": int(task.result.code), "message": task.result.message}
        if task.status is TaskStatus.SUCCESS:
            result |= {
                "media_urls": list(view.media_urls),
                "media_info": dict(task.result.media_info),
                "usage": {"credits": task.credits},
            }
    took = (task.completed_at - task.started_at).total_seconds() if task.completed_at and task.started_at else None
    return {
        "task_id": str(task.id),
        "provider": model.provider,
        "model_version": model.model_version,
        "status": task.status.value,
        "param": dict(task.param),
        "create_at": int(task.created_at.timestamp()),
        "complete_at": int(task.completed_at.timestamp()) if over and task.completed_at else None,
        "duration_s": None if took is None else round(took),
        "credits": task.credits,
        "source": task.source.value,
        "result": result,
        "progress": round(task.progress.fraction, 4),
        "stage": task.progress.stage,
        "segment": task.progress.segment,
        "segments": task.progress.segments,
        "queue_position": view.queue_position,
    }

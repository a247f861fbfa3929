"""A task as JSON, for TaskInfo and callbacks."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from bodydouble.service.views import TaskView
from bodydouble.tasks.catalogue import find_model
from bodydouble.tasks.task import TERMINAL, TaskStatus


def to_json(document: object) -> bytes:
    """Compact JSON in UTF-8; decimals become numbers."""
    return orjson.dumps(document, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def unix(moment: datetime | None) -> int | None:
    """Whole seconds since 1970, the format of all times in our own API."""
    return None if moment is None else int(moment.timestamp())


def unix_milliseconds(moment: datetime | None) -> int | None:
    """Milliseconds since 1970, as some vendors' APIs have them."""
    return None if moment is None else round(moment.timestamp() * 1000)


def task_data(view: TaskView) -> dict[str, Any]:
    """TaskInfo's ``data``, also the body of a callback."""
    task = view.task
    model = find_model(task.model)
    over = task.status in TERMINAL
    result: dict[str, Any] | None = None
    if task.result is not None:
        result = {"code": int(task.result.code), "message": task.result.message}
        if task.status is TaskStatus.SUCCESS:
            result |= {
                "media_urls": list(view.media_urls),
                "media_info": task.result.media_info,
                "usage": {"credits": task.credits},
            }
    took = (task.completed_at - task.started_at).total_seconds() if task.completed_at and task.started_at else None
    document: dict[str, Any] = {
        "task_id": str(task.id),
        "provider": model.provider,
        "model_version": model.model_version,
        "status": task.status.value,
        "param": task.param,
        "create_at": unix(task.created_at),
        "complete_at": unix(task.completed_at) if over else None,
        "duration_s": None if took is None else round(took),
        "credits": task.credits,
        "source": task.source.value,
        "result": result,
        "progress": round(task.progress.fraction, 4),
        "stage": task.progress.stage,
        "segment": task.progress.segment,
        "segments": task.progress.segments,
        "queue_position": view.queue_position,
        "preview_url": view.preview_url,
        "preview_video_url": view.preview_video_url,
        "expires_at": unix(task.media_expires_at),
        "deadline": unix(task.deadline_at),
    }
    if view.stages is not None:
        document["stages"] = [
            {"stage": s.stage, "started_at": round(s.started_at.timestamp(), 3), "seconds": round(s.seconds, 3)}
            for s in view.stages
        ]
    return document

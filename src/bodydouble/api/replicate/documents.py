"""Tasks as Replicate's predictions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bodydouble.api.replicate.names import FIELDS, NAMES, ROOT, VERSIONS
from bodydouble.service.views import TaskView
from bodydouble.tasks.dialect import DialectName, dialect_request
from bodydouble.tasks.task import TERMINAL, Task, TaskStatus

START_WEBHOOK, LOGS_WEBHOOK = "start_webhook", "logs_webhook"
"""Options of a request: addresses to call when the task starts, and at each of its stages. SQL functions know them."""
IGNORED = "ignored_inputs"
"""Option of a request: inputs that change nothing."""
BAR_CHARACTERS = 10
"""Width of the progress bar in a log."""
STATUSES = {
    TaskStatus.PENDING: "starting",
    TaskStatus.RUNNING: "processing",
    TaskStatus.SUCCESS: "succeeded",
    TaskStatus.FAILED: "failed",
}


def prediction_document(view: TaskView, base_url: str) -> dict[str, Any]:
    """The task as Replicate's API shows it: a prediction."""
    task = view.task
    request = dialect_request(task)
    own = request is not None and request.name is DialectName.REPLICATE
    model = request.model if request is not None and own else NAMES[task.model]
    address = f"{base_url}{ROOT}/predictions/{task.id}"
    failed = task.status is TaskStatus.FAILED and task.result is not None
    return {
        "id": str(task.id),
        "model": model,
        "version": VERSIONS[model],
        "input": _input(task, dict(request.input) if request is not None and own else None),
        "logs": logs_of(view),
        "output": view.media_urls[0] if view.media_urls else None,
        "data_removed": task.media_deleted_at is not None,
        "error": FIELDS.translate(task.result.message) if failed and task.result else None,
        "status": _status(task),
        "created_at": _time(task.created_at),
        "started_at": _time(task.started_at),
        "completed_at": _time(task.completed_at) if task.status in TERMINAL else None,
        "metrics": _metrics(task),
        "urls": {"get": address, "cancel": f"{address}/cancel", "web": f"{base_url}/tasks/{task.id}"},
    }


def _status(task: Task) -> str:
    return "canceled" if task.was_cancelled else STATUSES[task.status]


def _input(task: Task, sent: dict[str, Any] | None) -> dict[str, Any]:
    """The input as sent, or as this dialect would send it; always with the addresses of the files."""
    inputs = task.inputs
    if sent is None:
        resolution = str(inputs["resolution"]).removesuffix("P")
        sent = {"resolution": resolution, "seed": inputs.get("seed"), "merge_audio": inputs.get("keep_audio")}
    return sent | {"video": inputs["video_urls"][0], "character_image": inputs["img_urls"][0]}


def logs_of(view: TaskView) -> str:
    """The log: what was ignored, the completed stages, and the progress as a line of tqdm, which the clients parse."""
    task = view.task
    request = dialect_request(task)
    ignored: Sequence[str] = request.options.get(IGNORED, ()) if request else ()
    lines = [f"{name} changes nothing here" for name in ignored]
    lines += [f"{stage.stage}: {stage.seconds:.1f} s" for stage in view.stages or ()]
    if task.status is not TaskStatus.PENDING and task.status is not TaskStatus.FAILED:
        percent = int(task.progress.fraction * 100)
        bar = "█" * (percent * BAR_CHARACTERS // 100)
        lines.append(f"{percent}%|{bar:<{BAR_CHARACTERS}}| {percent}/100")
    return "\n".join([*lines, *task.warnings])


def _metrics(task: Task) -> dict[str, float]:
    if task.completed_at is None:
        return {}
    metrics = {"total_time": (task.completed_at - task.created_at).total_seconds()}
    if task.started_at is not None:
        metrics["predict_time"] = (task.completed_at - task.started_at).total_seconds()
    return metrics


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")

"""From the wire to the use cases and back."""

from typing import Any

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

from bodydouble.api.envelope import describe_problems
from bodydouble.api.inputs import INPUTS
from bodydouble.service import Submission, TaskView
from bodydouble.tasks.catalogue import CATALOGUE, ModelSpec, find_model
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.task import TERMINAL, TaskStatus


class CreateTaskBody(BaseModel):
    """Body of CreateTask and of the estimates."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description=f"One of: {', '.join(CATALOGUE)}")
    input: dict[str, Any] = Field(description="The model's input; see Models/{model} for its JSON Schema.")
    callback_url: AnyHttpUrl | None = Field(None, description="POSTed to once the task is over.")


def parse_submission(raw: dict[str, Any]) -> Submission:
    """Check a body down to the model's own input.

    Raises:
        InvalidParams: one line for each problem.
    """
    try:
        body = CreateTaskBody.model_validate(raw)
    except ValidationError as error:
        raise InvalidParams(describe_problems(None, [dict(e) for e in error.errors()])) from None
    if body.model not in INPUTS:
        raise InvalidParams([f"model: Unknown model '{body.model}'; there are: {', '.join(INPUTS)}"])
    try:
        inputs = INPUTS[body.model].model_validate(body.input)
    except ValidationError as error:
        raise InvalidParams(describe_problems(body.model, [dict(e) for e in error.errors()])) from None
    return Submission(
        model=body.model,
        param=raw,
        inputs=inputs.model_dump(mode="json"),
        callback_url=str(body.callback_url) if body.callback_url else None,
    )


def task_data(view: TaskView) -> dict[str, Any]:
    """A task as TaskInfo answers it."""
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


def model_data(model: ModelSpec, renderers: list[str]) -> dict[str, Any]:
    """An entry of the catalogue as Models answers it."""
    return {
        "model": model.name,
        "provider": model.provider,
        "model_version": model.model_version,
        "title": model.title,
        "description": model.description,
        "model_type": model.model_type,
        "modality": model.modality,
        "operations": list(model.operations),
        "quality_tier": model.quality_tier,
        "speed_tier": model.speed_tier,
        "supports_reference": model.supports_reference,
        "supports_native_audio": model.supports_native_audio,
        "routing_priority": model.routing_priority,
        "enabled": bool(renderers),
        "renderers": renderers,
        "price": dict(model.credits_per_second),
    }

"""From the wire to the use cases and back."""

from typing import Any

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

from bodydouble.api.envelope import describe_problems
from bodydouble.api.inputs import INPUTS
from bodydouble.service import Submission
from bodydouble.tasks.catalogue import CATALOGUE, ModelSpec
from bodydouble.tasks.errors import InvalidParams


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

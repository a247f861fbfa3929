"""Conversion between crun's wire format and service values."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bodydouble.api.crun.envelope import WRONG_INPUT
from bodydouble.api.inputs import INPUTS, plain_inputs
from bodydouble.api.request_bodies import validate
from bodydouble.api.translation import CallbackUrl
from bodydouble.service import Submission
from bodydouble.tasks.catalogue import CATALOGUE, ModelSpec
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.operation import renderer_feature


class CreateTaskBody(BaseModel):
    """Body of CreateTask and of the two price estimates."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=100, description=f"One of: {', '.join(CATALOGUE)}")
    input: dict[str, Any] = Field(description="Input of the model; `Models/{model}` returns its JSON Schema.")
    callback_url: CallbackUrl | None = Field(None, description="URL that receives a POST when the task has ended.")


def parse_submission(raw: dict[str, Any]) -> Submission:
    """Validate a body, including the model's input.

    Raises:
        InvalidParams: with one line for each problem.
    """
    body = validate(CreateTaskBody, raw)
    if body.model not in INPUTS:
        raise InvalidParams([f"model: Unknown model '{body.model}'; there are: {', '.join(INPUTS)}"])
    inputs = validate(INPUTS[body.model], body.input, WRONG_INPUT.format(model=body.model))
    return Submission(
        model=body.model,
        param=raw,
        inputs=plain_inputs(inputs),
        callback_url=str(body.callback_url) if body.callback_url else None,
    )


def model_data(model: ModelSpec, renderers: Mapping[str, Sequence[str]], off: Set[str]) -> dict[str, Any]:
    """A model of the catalogue as ``Models`` returns it.

    ``renderers``: mode → those available on this installation. ``off`` has the models and renderers that the operator
    switched off.
    """
    available = [name for name in renderers[model.mode] if renderer_feature(name) not in off]
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
        "enabled": bool(available) and model.name not in off,
        "renderers": available,
        "price": dict(model.credits_per_second),
    }


EXAMPLES: dict[str, dict[str, Any]] = {
    "wan/2-2-animate-replace": {
        "model": "wan/2-2-animate-replace",
        "callback_url": "https://your-domain.com/api/callback",
        "input": {
            "img_urls": ["https://example.com/portrait.jpg"],
            "video_urls": ["https://example.com/source-video.mp4"],
            "resolution": "720P",
        },
    },
    "wan/2-2-animate-move": {
        "model": "wan/2-2-animate-move",
        "callback_url": "https://your-domain.com/api/callback",
        "input": {
            "img_urls": ["https://example.com/portrait.jpg"],
            "video_urls": ["https://example.com/dance.mp4"],
            "resolution": "720P",
        },
    },
}

"""From the wire to the use cases and back."""

from collections.abc import Sequence, Set
from typing import Annotated, Any

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field

from bodydouble.api.bodies import validate
from bodydouble.api.inputs import INPUTS
from bodydouble.service import Submission
from bodydouble.tasks.catalogue import CATALOGUE, ModelSpec
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.operation import renderer_feature


def _without_credentials(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username is not None or url.password is not None:
        raise ValueError("must not hold a user name or password")
    return url


CallbackUrl = Annotated[AnyHttpUrl, Field(max_length=2000), AfterValidator(_without_credentials)]


class CreateTaskBody(BaseModel):
    """Body of CreateTask and of the estimates."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description=f"One of: {', '.join(CATALOGUE)}")
    input: dict[str, Any] = Field(description="The model's input; see Models/{model} for its JSON Schema.")
    callback_url: CallbackUrl | None = Field(None, description="POSTed to once the task is over.")


def parse_submission(raw: dict[str, Any]) -> Submission:
    """Check a body down to the model's own input.

    Raises:
        InvalidParams: one line for each problem.
    """
    body = validate(CreateTaskBody, raw)
    if body.model not in INPUTS:
        raise InvalidParams([f"model: Unknown model '{body.model}'; there are: {', '.join(INPUTS)}"])
    inputs = validate(INPUTS[body.model], body.input, body.model)
    return Submission(
        model=body.model,
        param=raw,
        inputs=inputs.model_dump(mode="json"),
        callback_url=str(body.callback_url) if body.callback_url else None,
    )


def model_data(model: ModelSpec, renderers: Sequence[str], off: Set[str]) -> dict[str, Any]:
    """An entry of the catalogue as Models answers it.

    ``renderers`` are those of this installation; ``off`` is what the operator switched off: models and renderers.
    """
    usable = [name for name in renderers if name in model.renderers and renderer_feature(name) not in off]
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
        "enabled": bool(usable) and model.name not in off,
        "renderers": usable,
        "price": dict(model.credits_per_second),
    }

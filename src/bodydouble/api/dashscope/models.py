"""Models and inputs of the dialect, and their translation to ours."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bodydouble.api.dashscope.paths import OBJECTS
from bodydouble.api.field_names import FieldNames
from bodydouble.api.inputs import URL_BYTES_MAX, URL_MESSAGE
from bodydouble.api.request_bodies import validate
from bodydouble.api.translation import log_without_effect, only, translated
from bodydouble.service import Submission
from bodydouble.tasks.catalogue import WAN_2_2_ANIMATE_MOVE, WAN_2_2_ANIMATE_REPLACE
from bodydouble.tasks.dialect import DialectName, DialectRequest
from bodydouble.tasks.errors import NotFound

MODELS: Mapping[str, str] = {
    "wan2.2-animate-mix": WAN_2_2_ANIMATE_REPLACE.name,
    "wan2.2-animate-move": WAN_2_2_ANIMATE_MOVE.name,
}
"""The vendor's name → ours."""
RESOLUTIONS: Mapping[str, str] = {"wan-std": "480P", "wan-pro": "720P"}
"""Service mode → resolution. The vendor's modes differ in quality and price, as our resolutions do."""
FIELDS = FieldNames({"img_urls": "input.image_url", "video_urls": "input.video_url", "resolution": "parameters.mode"})
OSS = "oss://"
"""Scheme of addresses of uploads."""

WITHOUT_EFFECT = frozenset({"check_image", "extend_prompt", "function"})
NO_WATERMARK = only(False, "the operator decides whether results have a visible label")
NO_PROMPT = "this model takes no prompt"


def _media_address(value: str) -> str:
    if not value.startswith(("http://", "https://", OSS)):
        raise ValueError(f"{URL_MESSAGE.split(',')[0]}, or an {OSS} address of an upload")
    return value


MediaAddress = Annotated[str, Field(max_length=URL_BYTES_MAX), AfterValidator(_media_address)]


class AnimateInput(BaseModel):
    """``input`` of both models."""

    model_config = ConfigDict(extra="forbid", title="DashScopeInput")

    image_url: MediaAddress = Field(description="Picture of the character.")
    video_url: MediaAddress = Field(description="The driving video.")
    watermark: Annotated[bool, NO_WATERMARK] = False
    # The SDK's method for all video models sends these for every model.
    prompt: Annotated[str | None, only(None, NO_PROMPT)] = Field(None, description="Not used by these models.")
    extend_prompt: bool = Field(True, description="Has no effect: there is no prompt.")
    function: str | None = Field(None, max_length=100, description="Has no effect: the path names the function.")


class AnimateParameters(BaseModel):
    """``parameters`` of both models."""

    model_config = ConfigDict(extra="forbid", title="DashScopeParameters")

    mode: Literal["wan-std", "wan-pro"] = Field(description="wan-std: 480p. wan-pro: 720p.")
    check_image: bool = Field(True, description="Has no effect on the result: pictures are always checked.")
    watermark: Annotated[bool, NO_WATERMARK] = False


class CreateBody(BaseModel):
    """Body of a create request."""

    model_config = ConfigDict(extra="forbid", title="DashScopeCreate")

    model: str = Field(max_length=100, description=f"One of: {', '.join(MODELS)}")
    input: AnimateInput
    parameters: AnimateParameters


EXAMPLE: Mapping[str, Any] = {
    "model": "wan2.2-animate-mix",
    "input": {
        "image_url": "https://example.com/portrait.jpg",
        "video_url": "https://example.com/source-video.mp4",
    },
    "parameters": {"check_image": True, "mode": "wan-std"},
}


def parse(raw: Mapping[str, Any], base_url: str) -> Submission:
    """The submission of a body. ``oss://`` addresses become addresses below ``base_url``.

    Raises NotFound for an unknown model, InvalidParams.
    """
    model = raw.get("model")
    if isinstance(model, str) and model not in MODELS:
        raise NotFound(f"Model '{model[:100]}' does not exist; there are: {', '.join(MODELS)}", model=model)
    body = validate(CreateBody, raw)
    log_without_effect(
        DialectName.DASHSCOPE, body.input.model_fields_set | body.parameters.model_fields_set, WITHOUT_EFFECT
    )
    rest = body.input.model_dump(exclude={"image_url", "video_url"}, exclude_unset=True)
    return translated(
        MODELS[body.model],
        {
            "img_urls": [_http_address(body.input.image_url, base_url)],
            "video_urls": [_http_address(body.input.video_url, base_url)],
            "resolution": RESOLUTIONS[body.parameters.mode],
        },
        DialectRequest(
            name=DialectName.DASHSCOPE,
            model=body.model,
            input=rest,
            options=body.parameters.model_dump(exclude_unset=True),
        ),
    )


def _http_address(address: str, base_url: str) -> str:
    return f"{base_url}{OBJECTS}/{quote(address.removeprefix(OSS))}" if address.startswith(OSS) else address

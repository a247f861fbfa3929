"""The models of fal.ai that we serve, and their inputs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bodydouble.api.fal.names import APPLICATION
from bodydouble.api.inputs import MediaUrl, refuse_bool
from bodydouble.api.request_bodies import validate
from bodydouble.api.translation import only, translated
from bodydouble.service import Submission
from bodydouble.tasks.catalogue import WAN_2_2_ANIMATE_MOVE, WAN_2_2_ANIMATE_REPLACE
from bodydouble.tasks.dialect import DialectName, DialectRequest

ENDPOINTS: Mapping[str, str] = {
    f"{APPLICATION}/v2.2-14b/animate/replace": WAN_2_2_ANIMATE_REPLACE.name,
    f"{APPLICATION}/v2.2-14b/animate/move": WAN_2_2_ANIMATE_MOVE.name,
}
"""Endpoint → our model."""
QUALITIES: Mapping[str, str] = {"low": "small", "medium": "standard", "high": "high", "maximum": "high"}
Whole = Annotated[int, BeforeValidator(refuse_bool)]
Number = Annotated[float, BeforeValidator(refuse_bool)]


class AnimateInput(BaseModel):
    """Input of both endpoints. An input that cannot be served is accepted only with the value that asks for nothing."""

    model_config = ConfigDict(extra="forbid")

    video_url: MediaUrl = Field(description="The driving video: an http, https or data URL.")
    image_url: MediaUrl = Field(description="The picture of the character: an http, https or data URL.")
    resolution: Literal["480p", "580p", "720p"] = "480p"
    num_inference_steps: Whole = Field(20, ge=2, le=40)
    guidance_scale: Number = Field(1, ge=1, le=10)
    shift: Number = Field(5, ge=1, le=10)
    seed: Whole | None = Field(None, ge=0, le=2**63 - 1)
    video_quality: Literal["low", "medium", "high", "maximum"] = Field(
        "high", description="`maximum` is the same as `high`."
    )
    use_turbo: Annotated[bool, only(False, "no turbo mode is offered; use fewer num_inference_steps")] = False
    enable_safety_checker: Annotated[bool, only(False, "this service does not check what media show")] = False
    enable_output_safety_checker: Annotated[bool, only(False, "this service does not check what media show")] = False
    video_write_mode: Annotated[
        Literal["fast", "balanced", "small"], only("balanced", "there is one way to write a video")
    ] = "balanced"
    return_frames_zip: Annotated[bool, only(False, "frames are not returned as an archive")] = False


def parse(endpoint: str, raw: Mapping[str, Any], options: Mapping[str, Any], webhook: str | None) -> Submission:
    """The submission of a request. Raises InvalidParams."""
    given = validate(AnimateInput, raw)
    inputs = {
        "img_urls": [given.image_url],
        "video_urls": [given.video_url],
        "resolution": given.resolution.upper(),
        "num_inference_steps": given.num_inference_steps,
        "guidance_scale": given.guidance_scale,
        "shift": given.shift,
        "seed": given.seed,
        "quality": QUALITIES[given.video_quality],
    }
    remembered = {name: value for name, value in raw.items() if name not in ("image_url", "video_url")}
    request = DialectRequest(name=DialectName.FAL, model=endpoint, input=remembered, options=options)
    return translated(ENDPOINTS[endpoint], inputs, request, webhook)

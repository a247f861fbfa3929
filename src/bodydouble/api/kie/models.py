"""Inputs of the models, and their translation to ours."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bodydouble.api.inputs import MediaUrl
from bodydouble.api.request_bodies import validate
from bodydouble.api.translation import CallbackUrl, translated
from bodydouble.service import Submission
from bodydouble.tasks.catalogue import CATALOGUE
from bodydouble.tasks.dialect import DialectName, DialectRequest
from bodydouble.tasks.errors import InvalidParams


class AnimateInput(BaseModel):
    """``input`` of both models."""

    model_config = ConfigDict(extra="forbid", title="KieInput")

    video_url: MediaUrl = Field(description="The driving video.")
    image_url: MediaUrl = Field(description="Picture of the character.")
    resolution: Literal["480p", "580p", "720p"] = "480p"


class CreateBody(BaseModel):
    """Body of createTask."""

    model_config = ConfigDict(extra="forbid", title="KieCreateTask")

    model: str = Field(max_length=100, description=f"One of: {', '.join(CATALOGUE)}")
    callBackUrl: CallbackUrl | None = Field(None, description="Receives a POST when the task has ended.")  # noqa: N815 - the vendor's name
    input: AnimateInput


EXAMPLE: Mapping[str, Any] = {
    "model": "wan/2-2-animate-replace",
    "callBackUrl": "https://your-domain.com/api/callback",
    "input": {
        "video_url": "https://example.com/source-video.mp4",
        "image_url": "https://example.com/portrait.jpg",
        "resolution": "480p",
    },
}


def parse(raw: Mapping[str, Any]) -> Submission:
    """The submission of a body. Raises InvalidParams."""
    body = validate(CreateBody, raw)
    if body.model not in CATALOGUE:
        raise InvalidParams([f"model: Unknown model '{body.model}'; there are: {', '.join(CATALOGUE)}"])
    return translated(
        body.model,
        {
            "img_urls": [body.input.image_url],
            "video_urls": [body.input.video_url],
            "resolution": body.input.resolution.upper(),
        },
        DialectRequest(
            name=DialectName.KIE,
            model=body.model,
            input=body.input.model_dump(exclude={"image_url", "video_url"}, exclude_unset=True),
        ),
        str(body.callBackUrl) if body.callBackUrl else None,
    )

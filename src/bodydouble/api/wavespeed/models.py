"""The model and its inputs, and their translation to ours."""

import random
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bodydouble.api.inputs import MediaUrl, refuse_bool
from bodydouble.api.request_bodies import validate
from bodydouble.api.translation import CallbackUrl, translated
from bodydouble.api.wavespeed.names import MODELS
from bodydouble.api.wavespeed.paths import MODEL
from bodydouble.service import Submission
from bodydouble.service.json_input import reject_nul
from bodydouble.tasks.dialect import DialectName, DialectRequest

SEED_MAX = 2**31 - 1
"""Largest seed of WaveSpeed's API."""
RANDOM = -1
"""Value of ``seed`` that asks for a random one."""


class AnimateInput(BaseModel):
    """Body of a request for the model."""

    model_config = ConfigDict(extra="forbid", title="WaveSpeedAnimate")

    image: MediaUrl = Field(description="Picture of the character.")
    video: MediaUrl = Field(description="The driving video.")
    prompt: str = Field("", max_length=2000, description="Description of the scene, for the wan renderer.")
    mode: Literal["animate", "replace"] = "animate"
    resolution: Literal["480p", "720p"] = "480p"
    seed: Annotated[int, BeforeValidator(refuse_bool)] = Field(
        RANDOM, ge=RANDOM, le=SEED_MAX, description="-1: a random seed."
    )
    enable_sync_mode: bool = Field(False, description="Respond when the prediction has ended.")
    webhook_url: CallbackUrl | None = Field(None, description="Same as the query parameter `webhook`.")


class Webhook(BaseModel):
    """Query of a request for the model."""

    model_config = ConfigDict(extra="forbid")

    webhook: CallbackUrl | None = None


EXAMPLE: Mapping[str, Any] = {
    "image": "https://example.com/portrait.jpg",
    "video": "https://example.com/source-video.mp4",
    "mode": "replace",
    "resolution": "480p",
    "seed": -1,
}


def parse(body: AnimateInput, query: Mapping[str, str]) -> Submission:
    """The submission of a body. Raises InvalidParams."""
    reject_nul(query.values())
    webhook = validate(Webhook, query).webhook or body.webhook_url
    seed = random.randint(0, SEED_MAX) if body.seed == RANDOM else body.seed  # noqa: S311 - of a renderer
    return translated(
        MODELS[body.mode],
        {
            "img_urls": [body.image],
            "video_urls": [body.video],
            "resolution": body.resolution.upper(),
            "seed": seed,
            "prompt": body.prompt or None,
        },
        DialectRequest(
            name=DialectName.WAVESPEED,
            model=MODEL,
            input=body.model_dump(exclude={"image", "video", "enable_sync_mode", "webhook_url"}, exclude_unset=True),
        ),
        str(webhook) if webhook else None,
    )

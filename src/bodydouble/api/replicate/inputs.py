"""Bodies of requests for predictions."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bodydouble.api.inputs import MediaUrl, refuse_bool
from bodydouble.api.replicate.documents import IGNORED, LOGS_WEBHOOK, START_WEBHOOK
from bodydouble.api.replicate.names import MODELS, VERSIONS
from bodydouble.api.request_bodies import validate
from bodydouble.api.translation import CallbackUrl, only, translated
from bodydouble.service import Submission
from bodydouble.tasks.dialect import DialectName, DialectRequest
from bodydouble.tasks.errors import InvalidParams

Whole = Annotated[int, BeforeValidator(refuse_bool)]
Event = Literal["start", "output", "logs", "completed"]
UNSERVED = "'{version}' is no version of a model that is served here; there are: {known}"
PINNED_REPLACE = "33ec6b98"
"""Beginning of the version of wan-2.2-animate-replace that Replicate's own page shows in its examples."""


class AnimateInput(BaseModel):
    """Input of both models."""

    model_config = ConfigDict(extra="forbid")

    video: MediaUrl = Field(description="The driving video.")
    character_image: MediaUrl = Field(description="The picture of the character.")
    resolution: Literal["720", "480"] = "720"
    seed: Whole | None = Field(None, ge=0, le=2**63 - 1)
    merge_audio: bool = Field(True, description="Keep the audio of the video.")
    go_fast: bool = Field(False, description="Changes nothing here: the operator chooses the speed.")
    refert_num: Literal[1, 5] | None = Field(None, description="Deprecated by the vendor; changes nothing.")
    frames_per_second: Whole | None = Field(None, ge=5, le=60, description="Deprecated by the vendor; changes nothing.")


class PredictionBody(BaseModel):
    """Body of a request for a prediction."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any]
    version: str | None = Field(None, max_length=200)
    webhook: CallbackUrl | None = None
    webhook_completed: CallbackUrl | None = None
    webhook_events_filter: list[Event] | None = Field(None, max_length=8)
    stream: Annotated[bool, only(False, "the output of these models is no stream")] | None = None


def model_of_version(version: str) -> str:
    """The model that a version, or a model with or without a version, names. Raises InvalidParams."""
    name = version.split(":")[0]
    if name in MODELS:
        return name
    for known, identifier in VERSIONS.items():
        if version == identifier:
            return known
    if re.fullmatch(rf"{PINNED_REPLACE}[0-9a-f]{{56}}", version):
        return next(iter(MODELS))
    raise InvalidParams([f"version: {UNSERVED.format(version=version, known=', '.join(MODELS))}"])


def parse(model: str | None, raw: Mapping[str, Any]) -> Submission:
    """The submission of a request for ``model``; None: the body names a version. Raises InvalidParams."""
    body = validate(PredictionBody, raw)
    if model is None:
        if body.version is None:
            raise InvalidParams(["version: Field required"])
        model = model_of_version(body.version)
    elif body.version is not None and model_of_version(body.version) != model:
        raise InvalidParams([f"version: is a version of another model than {model}"])
    given = validate(AnimateInput, body.input, "input.")
    inputs = {
        "img_urls": [given.character_image],
        "video_urls": [given.video],
        "resolution": f"{given.resolution}P",
        "seed": given.seed,
        "keep_audio": given.merge_audio,
    }
    options: dict[str, Any] = {}
    if ignored := [name for name in ("refert_num", "frames_per_second") if getattr(given, name) is not None]:
        options[IGNORED] = ignored
    if given.go_fast:
        options[IGNORED] = [*options.get(IGNORED, ()), "go_fast"]
    webhook, at_end = _webhooks(body, options)
    remembered = {name: value for name, value in body.input.items() if name not in ("video", "character_image")}
    request = DialectRequest(name=DialectName.REPLICATE, model=model, input=remembered, options=options)
    submission = translated(MODELS[model], inputs, request, webhook if at_end else None)
    return submission if at_end else dataclasses.replace(submission, event_url=webhook)


def _webhooks(body: PredictionBody, options: dict[str, Any]) -> tuple[str | None, bool]:
    """The address of the webhook, and whether it is called at the end; ``options`` gets that of the other events."""
    address = body.webhook or body.webhook_completed
    if address is None:
        return None, False
    events = set(body.webhook_events_filter or ("output", "completed")) if body.webhook else {"completed"}
    if "start" in events:
        options[START_WEBHOOK] = str(address)
    if "logs" in events:
        options[LOGS_WEBHOOK] = str(address)
    return str(address), bool(events & {"output", "completed"})

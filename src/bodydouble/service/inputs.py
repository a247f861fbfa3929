"""A validated request for a task, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble.tasks.errors import InvalidParams

FILE_FIELDS = ("img_urls", "video_urls")
"""Fields of every model's input with the address of one file each."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A validated request for a task. ``inputs`` has every field, with defaults."""

    model: str
    param: Mapping[str, Any]  # the request as sent
    inputs: Mapping[str, Any]
    callback_url: str | None = None
    event_url: str | None = None  # called before the end only, as a dialect's options in ``param`` say


def require_consent(submission: Submission) -> None:
    """Raises InvalidParams if the request does not say how the people shown agreed."""
    if not str(submission.inputs.get("consent", "")).strip():
        raise InvalidParams(["consent: required by this installation; say how the people shown agreed"])

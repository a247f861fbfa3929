"""A validated request for a task, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FILE_FIELDS = ("img_urls", "video_urls")
"""Fields of every model's input with the address of one file each."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A validated request for a task. ``inputs`` has every field, with defaults."""

    model: str
    param: Mapping[str, Any]  # the request as sent
    inputs: Mapping[str, Any]
    callback_url: str | None = None

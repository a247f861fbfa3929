"""The validated input of a model, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FILE_FIELDS = ("img_urls", "video_urls")
"""The fields of every model's input that name files, one address each."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A request to create a task, validated by the edge: ``inputs`` has every field, defaults filled in."""

    model: str
    param: Mapping[str, Any]  # the request as sent
    inputs: Mapping[str, Any]
    callback_url: str | None = None

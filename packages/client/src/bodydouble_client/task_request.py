"""Requests of a program: a new task, or a selection of existing ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bodydouble_client.media import Media
from bodydouble_client.task_status import TaskStatus

DEFAULT_MODEL = "wan/2-2-animate-replace"
DEFAULT_RESOLUTION = "720P"


@dataclass(frozen=True, kw_only=True)
class TaskRequest:
    """A task to create."""

    image: Media
    video: Media
    model: str = DEFAULT_MODEL
    resolution: str = DEFAULT_RESOLUTION
    callback_url: str | None = None
    idempotency_key: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def body(self, image_url: str, video_url: str) -> dict[str, Any]:
        """The JSON of CreateTask and estimate-credits."""
        files = {"img_urls": [image_url], "video_urls": [video_url], "resolution": self.resolution}
        body: dict[str, Any] = {"model": self.model, "input": files | dict(self.options)}
        return body | ({"callback_url": self.callback_url} if self.callback_url else {})


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which tasks to list; None means no restriction."""

    status: TaskStatus | str | None = None
    model: str | None = None
    source: str | None = None
    created_after: datetime | int | None = None
    created_before: datetime | int | None = None
    page_size: int = 50

    def params(self, cursor: str | None) -> dict[str, str | int]:
        """The query parameters of one page."""
        wanted = {
            "limit": self.page_size,
            "status": str(self.status) if self.status else None,
            "model": self.model,
            "source": self.source,
            "created_after": unix_seconds(self.created_after),
            "created_before": unix_seconds(self.created_before),
            "cursor": cursor,
        }
        return {name: value for name, value in wanted.items() if value is not None}


def unix_seconds(moment: datetime | int | None) -> int | None:
    """The API's form of a time."""
    return int(moment.timestamp()) if isinstance(moment, datetime) else moment

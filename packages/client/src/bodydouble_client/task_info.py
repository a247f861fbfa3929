"""Tasks, prices and models as the service reports them. Unknown fields are kept in ``raw``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, cast

from bodydouble_client.errors import ServerError
from bodydouble_client.task_status import TERMINAL, TaskStatus


@dataclass(frozen=True, kw_only=True)
class ResultWarning:
    """One way in which the result is worse than requested."""

    code: str  # for programs
    message: str  # for people


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """A task's state when it was read. Fields that the service does not report are None."""

    id: str
    status: TaskStatus
    provider: str = ""
    model_version: str = ""
    param: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)  # the request as sent
    source: str = "api"  # playground: created in the console
    credits: Decimal = Decimal(0)  # reserved while pending or running, charged once successful, 0 once failed
    created_at: datetime | None = None  # all times are in UTC
    completed_at: datetime | None = None
    deadline: datetime | None = None  # a task that is not finished by then fails
    expires_at: datetime | None = None  # the media are deleted then; None until the task is finished
    duration_seconds: float | None = None  # of the execution
    progress: float | None = None  # 0 to 1, only grows
    stage: str | None = None  # a ``tasks.stages.Stage``; a later service may have further ones
    segment: int | None = None  # 0-based index, less than ``segments``, within the stage
    segments: int | None = None
    queue_position: int | None = None  # tasks ahead of this one; None once it is not pending
    preview_url: str | None = field(default=None, repr=False)  # a picture of the rendered part, while it runs
    preview_video_url: str | None = field(default=None, repr=False)  # the rendered part as a small MP4; it grows
    result_code: int | None = None
    result_message: str | None = None
    # Any HTTP client can GET these without a key until they expire: keep them out of logs.
    media_urls: Sequence[str] = field(default=(), repr=False)
    media_info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)  # everything that the service sent

    @property
    def is_over(self) -> bool:
        """Whether the task is finished, successfully or not."""
        return self.status in TERMINAL

    @property
    def warnings(self) -> Sequence[ResultWarning]:
        """Where the result is worse than requested."""
        return tuple(_read_warning(entry) for entry in self.media_info.get("warnings") or ())

    @classmethod
    def from_data(cls, data: object) -> "TaskInfo":
        """Read TaskInfo's ``data``, which is also a callback's body. Raises ServerError if it is not a task."""
        if not isinstance(data, dict):
            raise ServerError(f"The answer is not a task: {str(data)[:100]!r}")
        raw = cast("dict[str, Any]", data)
        try:
            result: dict[str, Any] = raw.get("result") or {}
            return cls(
                id=str(raw["task_id"]),
                status=TaskStatus(raw["status"]),
                provider=raw.get("provider") or "",
                model_version=raw.get("model_version") or "",
                param=raw.get("param") or {},
                source=raw.get("source") or "api",
                credits=exact_decimal(raw.get("credits") or 0),
                created_at=_moment(raw.get("create_at")),
                completed_at=_moment(raw.get("complete_at")),
                deadline=_moment(raw.get("deadline")),
                expires_at=_moment(raw.get("expires_at")),
                duration_seconds=raw.get("duration_s"),
                progress=raw.get("progress"),
                stage=raw.get("stage"),
                segment=raw.get("segment"),
                segments=raw.get("segments"),
                queue_position=raw.get("queue_position"),
                preview_url=raw.get("preview_url"),
                preview_video_url=raw.get("preview_video_url"),
                result_code=result.get("code"),
                result_message=result.get("message"),
                media_urls=tuple(result.get("media_urls") or ()),
                media_info=result.get("media_info") or {},
                raw=raw,
            )
        except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise ServerError(
                f"The answer is not a task ({type(error).__name__}: {error}): {str(raw)[:100]}"
            ) from error


@dataclass(frozen=True, kw_only=True)
class TaskUpdate:
    """One change of a task, from ``events()`` and ``on_update``."""

    task: TaskInfo
    version: str | None = None  # increases with every change; None if the service was polled

    @property
    def status(self) -> TaskStatus:
        """pending, running, success or failed."""
        return self.task.status

    @property
    def progress(self) -> float:
        """0 to 1. If the service does not report it: 0, and 1 after success."""
        return 1.0 if self.status is TaskStatus.SUCCESS else self.task.progress or 0.0

    @property
    def stage(self) -> str | None:
        """queued, fetch, probe, perceive, prepare, render, mux or done; None where the service does not tell."""
        return self.task.stage

    @property
    def queue_position(self) -> int | None:
        """The number of tasks ahead of this one."""
        return self.task.queue_position

    @property
    def is_done(self) -> bool:
        """Whether this is the last update."""
        return self.task.is_over


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of a task."""

    credits: Decimal
    estimated: bool  # the video's length is unknown: the price of five seconds
    resolution: str | None = None  # class of the output, less than the requested one if the file is smaller

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Price":
        """Read estimate-credits' ``data``."""
        return cls(
            credits=exact_decimal(data["credits"]),
            estimated=bool(data.get("estimated")),
            resolution=data.get("resolution"),
        )


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """An entry of the catalogue."""

    name: str
    provider: str
    modality: str
    operations: Sequence[str]
    enabled: bool
    price: Mapping[str, Decimal]  # credits per second of output, by resolution
    input_schema: Mapping[str, Any] | None = None  # JSON Schema of the model's input; from ``model()`` only
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "ModelInfo":
        """Read an entry of Models."""
        prices: dict[str, Any] = data.get("price") or {}
        return cls(
            name=str(data["model"]),
            provider=str(data.get("provider") or ""),
            modality=str(data.get("modality") or ""),
            operations=tuple(data.get("operations") or ()),
            enabled=bool(data.get("enabled", True)),
            price={resolution: exact_decimal(price) for resolution, price in prices.items()},
            input_schema=data.get("input_schema"),
            raw=data,
        )


def exact_decimal(value: object) -> Decimal:
    """The decimal number as written in JSON, without binary rounding."""
    return Decimal(str(value))


def _read_warning(entry: object) -> ResultWarning:
    """The warning of an entry of ``media_info``, which is an object, or a text without a code."""
    if not isinstance(entry, dict):
        return ResultWarning(code="", message=str(entry))
    values = cast("Mapping[str, Any]", entry)
    return ResultWarning(code=str(values.get("code", "")), message=str(values.get("message", "")))


def _moment(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, timezone.utc)

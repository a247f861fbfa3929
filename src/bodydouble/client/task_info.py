"""A task, a price and a model as the service answers them, read with tolerance: unknown fields are kept in ``raw``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict, cast

from bodydouble.client.errors import ServerError
from bodydouble.tasks.task import TERMINAL, TaskStatus


class ReplaceOptions(TypedDict, total=False):
    """Further input of ``wan/2-2-animate-replace``; whatever is left out has the service's default."""

    seed: int  # the same seed and inputs give the same video
    num_inference_steps: int  # 2 to 40 (renderer wan)
    guidance_scale: float  # 0 to 20 (renderer wan)
    shift: float  # 0 to 20 (renderer wan)
    prompt: str
    person: int | Sequence[float]  # whom to replace: an index by size, 0 the largest, or a point [x, y] in 0 to 1
    keep_audio: bool  # default true
    renderer: Literal["auto", "wan", "puppet"]


@dataclass(frozen=True, kw_only=True)
class ResultWarning:
    """Something that the renderer could not do as well as asked."""

    code: str  # for programs
    message: str  # for people


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """A task as it stood when it was read. What a service does not tell is None."""

    id: str
    status: TaskStatus
    provider: str = ""
    model_version: str = ""
    param: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)  # the request as sent
    source: str = "api"  # playground: made in the console
    credits: Decimal = Decimal(0)  # reserved while pending or running, charged once successful, 0 once failed
    created_at: datetime | None = None  # all times are in UTC
    completed_at: datetime | None = None
    deadline: datetime | None = None  # not over by then: it fails
    expires_at: datetime | None = None  # the media go then; None until the task is over
    duration_seconds: float | None = None  # of the execution
    progress: float | None = None  # 0 to 1, only grows
    stage: str | None = None  # a ``tasks.stages.Stage``; a later service may have further ones
    segment: int | None = None  # 0-based, of ``segments``, within the stage
    segments: int | None = None
    queue_position: int | None = None  # how many go before; None once it is not pending
    preview_url: str | None = field(default=None, repr=False)  # a picture of the work so far, while it runs
    result_code: int | None = None
    result_message: str | None = None
    # Any HTTP client can GET these without a key until they expire: not for logs.
    media_urls: Sequence[str] = field(default=(), repr=False)
    media_info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)  # all that the service sent

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status in TERMINAL

    @property
    def warnings(self) -> Sequence[ResultWarning]:
        """What the renderer could not do as well as asked."""
        found: list[Any] = list(self.media_info.get("warnings") or ())
        return tuple(
            ResultWarning(code=str(w.get("code", "")), message=str(w.get("message", "")))
            if isinstance(w, dict)
            else ResultWarning(code="", message=str(w))
            for w in found
        )

    @classmethod
    def from_data(cls, data: object) -> "TaskInfo":
        """Read TaskInfo's ``data``, which is also a callback's body. Raises ServerError: this is no task."""
        if not isinstance(data, dict):
            raise ServerError(f"This is no task: {str(data)[:100]!r}")
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
                credits=exact(raw.get("credits") or 0),
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
                result_code=result.get("code"),
                result_message=result.get("message"),
                media_urls=tuple(result.get("media_urls") or ()),
                media_info=result.get("media_info") or {},
                raw=raw,
            )
        except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise ServerError(f"This is no task ({type(error).__name__}: {error}): {str(raw)[:100]}") from error


@dataclass(frozen=True, kw_only=True)
class TaskUpdate:
    """One step in a task's life, as ``events()`` and ``on_update`` tell it."""

    task: TaskInfo
    version: str | None = None  # of the task's row; None where the service was polled

    @property
    def status(self) -> TaskStatus:
        """pending, running, success or failed."""
        return self.task.status

    @property
    def progress(self) -> float:
        """0 to 1; where the service does not tell, 0 until it has succeeded."""
        return 1.0 if self.status is TaskStatus.SUCCESS else self.task.progress or 0.0

    @property
    def stage(self) -> str | None:
        """queued, fetch, probe, perceive, prepare, render, mux or done; None where the service does not tell."""
        return self.task.stage

    @property
    def queue_position(self) -> int | None:
        """How many tasks go before this one."""
        return self.task.queue_position

    @property
    def is_done(self) -> bool:
        """Whether this is the last update."""
        return self.task.is_over


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a task would cost."""

    credits: Decimal
    estimated: bool  # nobody has seen the video yet: the price of five seconds

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Price":
        """Read estimate-credits' ``data``."""
        return cls(credits=exact(data["credits"]), estimated=bool(data.get("estimated")))


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """An entry of the catalogue."""

    name: str
    provider: str
    modality: str
    operations: Sequence[str]
    enabled: bool
    price: Mapping[str, Decimal]  # credits for a second of output, by resolution
    input_schema: Mapping[str, Any] | None = None  # JSON Schema of the model's input; from ``model()`` only
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "ModelInfo":
        """Read an entry of Models."""
        return cls(
            name=str(data["model"]),
            provider=str(data.get("provider") or ""),
            modality=str(data.get("modality") or ""),
            operations=tuple(data.get("operations") or ()),
            enabled=bool(data.get("enabled", True)),
            price={resolution: exact(price) for resolution, price in (data.get("price") or {}).items()},
            input_schema=data.get("input_schema"),
            raw=data,
        )


def exact(value: object) -> Decimal:
    """A JSON number as the decimal that it was written as."""
    return Decimal(str(value))


def _moment(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)

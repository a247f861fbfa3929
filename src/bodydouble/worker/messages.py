"""The messages between a supervisor and its child process.

The supervisor sends one request at a time. The child sends events while it works, and one reply.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodydouble.messages import MessageCodec
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode


@dataclass(frozen=True, kw_only=True)
class ShotOrder:
    """The shot that a child makes, and the settings that it needs."""

    workspace: Path
    image: Path
    video: Path
    models: Path | None  # a prepared model pack; None: the user's cache
    runner: Path | None  # socket of the process with the renderer's networks; None: the renderer needs none
    short_side: int  # pixels
    point: tuple[float, float] | None  # on the person to replace, 0-1 of width and height; None: choose by rank
    rank: int  # of the person by size, 0 is the largest
    renderer: str
    mode: str
    options: Mapping[str, Any]  # of the renderer, opaque here
    keep_audio: bool
    quality: str  # of ``media.Quality``
    dynamic_range: str  # "source" or "sdr"
    limits: Mapping[str, Any]  # fields of ``media.MediaLimits``
    renderer_settings: Mapping[str, Any]  # what the operator set for each renderer
    perception: Mapping[str, Any]  # fields of ``perception.options.PerceptionOptions``
    task_id: str = ""
    label: str = "none"  # visible, of ``renderers.shot_inputs``
    label_producer: str = ""
    signing: Mapping[str, Any] | None = None  # of ``provenance.options.SigningOptions``; None: results are not signed


@dataclass(frozen=True, kw_only=True)
class Open:
    """Open the shot in its workspace. The first request to each child."""

    order: ShotOrder


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Check both inputs; answered with ``Probed``."""


@dataclass(frozen=True, kw_only=True)
class Perceive:
    """Find and track the person."""


@dataclass(frozen=True, kw_only=True)
class Prepare:
    """Do the renderer's work for the whole shot; answered with ``Prepared``."""


@dataclass(frozen=True, kw_only=True)
class Render:
    """Render and encode one segment."""

    segment: int  # 0-based


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Join segments and sound into the result; answered with ``Finished``."""


Request = Open | Probe | Perceive | Prepare | Render | Finish
REQUESTS: MessageCodec[Request] = MessageCodec(Request)


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The child is not frozen."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """A line for the worker's log."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the task is; the fields of ``tasks.task.TaskProgress``."""

    stage: Stage
    fraction: float
    segment: int | None = None
    segments: int | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """The request was performed and has no value."""


@dataclass(frozen=True, kw_only=True)
class Probed:
    """The result of the probe."""

    duration_seconds: float
    short_side: int  # of the output, pixels


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The result of the preparation."""

    segments: int


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The result is in the workspace."""

    media_info: Mapping[str, Any]  # as the API shows it
    digest: str  # of the file, see ``tasks.digests``


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The request failed and would fail again: the task ends."""

    code: ResultCode
    message: str  # for the task's owner
    trace: str  # for the log


@dataclass(frozen=True, kw_only=True)
class DiskFull:
    """The disk has no room; it may have later."""

    message: str


@dataclass(frozen=True, kw_only=True)
class RunnerLost:
    """The process with the renderer's networks ended; another one may succeed."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """Files of the workspace changed or disappeared; another child makes them again."""

    reason: str


Event = Beat | Note | Progress
Value = Done | Probed | Prepared | Finished
Reply = Value | Failed | DiskFull | RunnerLost | Damaged
FromChild = Event | Reply
FROM_CHILD: MessageCodec[FromChild] = MessageCodec(FromChild)

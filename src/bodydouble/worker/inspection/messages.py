"""The messages between an inspection child and the process that uses it: one request, one reply, as JSON lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodydouble.messages import MessageCodec


@dataclass(frozen=True, kw_only=True)
class InspectPicture:
    """Check the reference image ``path``, which the input field ``field`` names."""

    path: Path
    field: str
    limits: Mapping[str, Any]  # fields of ``media.MediaLimits``
    cpu_seconds_max: int


@dataclass(frozen=True, kw_only=True)
class InspectVideo:
    """Check the driving video ``path``, which the input field ``field`` names."""

    path: Path
    field: str
    limits: Mapping[str, Any]  # fields of ``media.MediaLimits``
    cpu_seconds_max: int


@dataclass(frozen=True, kw_only=True)
class ReadMarks:
    """Read what the file ``path``, of any format, says about its origin."""

    path: Path
    field: str
    trust_anchors: str  # certificates of trusted authorities, in PEM form
    cpu_seconds_max: int


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The child has imported the decoders and set its limits."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The file can be used."""

    duration_seconds: float  # 0 for a picture
    width: int  # pixels, as displayed
    height: int
    plays_in_browsers: bool = True


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The file's marks of its origin."""

    marks: Mapping[str, Any]  # of ``provenance.marks.read_marks``


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """The file cannot be used; the message names the field."""

    message: str


@dataclass(frozen=True, kw_only=True)
class OutOfMemory:
    """The inspection needs more memory than the child may use."""


@dataclass(frozen=True, kw_only=True)
class Crashed:
    """The inspection raised an unexpected error."""

    trace: str  # for the log


Request = InspectPicture | InspectVideo | ReadMarks
REQUESTS: MessageCodec[Request] = MessageCodec(Request)
Reply = Ready | Accepted | Marks | Rejected | OutOfMemory | Crashed
REPLIES: MessageCodec[Reply] = MessageCodec(Reply)

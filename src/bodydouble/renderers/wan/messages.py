"""The messages between a task's child and the process that holds the networks, and between the ranks of that process.

Arrays travel beside a message, under names (``wire.Pictures``). One connection is one job.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodydouble.messages import MessageCodec
from bodydouble.renderers.wan.engine import CharacterSpec, Sampling, SegmentRequest
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.wire import Pictures


@dataclass(frozen=True, kw_only=True)
class Load:
    """Wait until the networks are loaded; answered with ``Loaded``."""


@dataclass(frozen=True, kw_only=True)
class SetCharacter:
    """Encode the job's character. Beside it: ``picture``."""

    prompt: str
    negative_prompt: str
    height: int
    width: int
    sampling: Sampling

    @classmethod
    def of(cls, spec: CharacterSpec) -> "tuple[SetCharacter, Pictures]":
        """The message for ``spec``, and the arrays that travel with it."""
        fields = {f.name: getattr(spec, f.name) for f in dataclasses.fields(cls)}
        return cls(**fields), {"picture": spec.picture}

    def spec(self, pictures: Pictures) -> CharacterSpec:
        """The argument that ``of`` made this message of."""
        return CharacterSpec(
            picture=pictures["picture"], **{f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        )


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Generate a segment. Its arrays are those of ``SegmentVideo`` and ``carried``; the reply's array is ``frames``."""

    seed: int
    index: int

    @classmethod
    def of(cls, request: SegmentRequest) -> "tuple[Generate, Pictures]":
        """The message for ``request``, and the arrays that travel with it."""
        video = {f.name: getattr(request.video, f.name) for f in dataclasses.fields(request.video)}
        arrays: dict[str, NDArray[np.uint8] | None] = {**video, "carried": request.carried}
        return cls(seed=request.seed, index=request.index), {k: v for k, v in arrays.items() if v is not None}

    def segment_request(self, pictures: Pictures) -> SegmentRequest:
        """The argument that ``of`` made this message of."""
        names = [f.name for f in dataclasses.fields(SegmentVideo)]
        video: dict[str, Any] = {name: pictures.get(name) for name in names}
        return SegmentRequest(
            video=SegmentVideo(**video), carried=pictures.get("carried"), seed=self.seed, index=self.index
        )


@dataclass(frozen=True, kw_only=True)
class Rest:
    """The job is over: forget its character. Rank 0 sends it to the other ranks."""


RankRequest = SetCharacter | Generate | Rest
RANK_REQUESTS: MessageCodec[RankRequest] = MessageCodec(RankRequest)
Request = Load | SetCharacter | Generate
REQUESTS: MessageCodec[Request] = MessageCodec(Request)


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The process is not frozen."""


@dataclass(frozen=True, kw_only=True)
class Loading:
    """Progress of ``Load``."""

    fraction: float  # 0-1


@dataclass(frozen=True, kw_only=True)
class Step:
    """Progress of ``Generate``."""

    done: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The networks are loaded."""

    face_side: int  # of the face pictures, in pixels


@dataclass(frozen=True, kw_only=True)
class Done:
    """The request was performed."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The request cannot be performed with the operator's settings; the process continues."""

    reason: str  # of a ``BodydoubleError``
    message: str


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A fault: the process ends after this message."""

    reason: str


Event = Beat | Loading | Step
Reply = Loaded | Done | Refused | Lost
FromRunner = Event | Reply
FROM_RUNNER: MessageCodec[FromRunner] = MessageCodec(FromRunner)

"""The renderer Protocol: prepare a shot once, then render it segment by segment.

A renderer sees the driving video only through ``Footage``, the person only through ``PersonTrack`` and mattes, and
answers finished frames: the person replaced, every pixel outside the matte the source's own; or, in mode animate, the
character in its own picture, moving as the person does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from bodydouble.perception.arrays import Image
from bodydouble.perception.footage import Footage, Mattes
from bodydouble.perception.track import PersonTrack


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything a renderer works from. ``track`` is smoothed and whole: about 8 kB a frame."""

    reference: Image  # the character, upright, as decoded; in mode animate of the finished frames' size
    footage: Footage
    mattes: Mattes
    track: PersonTrack
    mode: str = "replace"  # replace: the person of the video; animate: the character moves in its own picture


@dataclass(frozen=True, kw_only=True)
class RenderWarning:
    """Something that the renderer cannot do well with these inputs."""

    code: str  # stable, e.g. reference_without_face
    message: str  # for people


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Frames ``start`` to ``stop`` (exclusive), rendered and stored as one. In mode replace never spans a cut."""

    index: int
    start: int
    stop: int


StepReporter: TypeAlias = Callable[[float], None]
"""Told the fraction 0-1 of the running call; raises ``Cancelled`` where the caller asked to stop."""


class PreparedShot(Protocol):
    """A shot that is ready to be rendered."""

    segments: list[Segment]
    warnings: list[RenderWarning]

    def render(self, segment: Segment, carry: bytes | None, report: StepReporter) -> Iterator[Image]:
        """The finished frames of ``segment``, in order, of the footage's size; in mode animate of the reference's.

        ``carry`` is what ``carry_after`` answered for the segment before (None for the first one). Whatever ``report``
        raises ends the work at the next step.
        """
        ...

    def carry_after(self, segment: Segment) -> bytes | None:
        """The state that the next segment needs from this one; None if segments do not depend on each other."""
        ...


@runtime_checkable
class PlacesCharacter(Protocol):
    """A prepared shot that says where the character of mode animate will be. Labels then do not cover its face."""

    @property
    def placed(self) -> PersonTrack:
        """Box and face of the character in pixels of the finished frames."""
        ...


class Renderer(Protocol):
    """Makes shots. Deterministic: the same scene, options and settings give the same bytes."""

    name: str

    def prepare(self, scene: Scene, folder: Path, report: StepReporter) -> PreparedShot:
        """Everything that is computed once a shot (cut-out, rig, plate, colour).

        What is expensive is kept in ``folder`` and found there again after a restart; a file there is either
        whole or absent.

        Raises:
            NobodyFound: nobody in the reference image.
        """
        ...

"""How perception and the renderers read a video: frames and mattes, streamed."""

from collections.abc import Iterator
from typing import Protocol

from bodydouble.perception.arrays import Image, Matte


class Footage(Protocol):
    """Random access to the driving video at working size; decodes as a stream."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def frame_rate(self) -> float:
        """Frames per second; the average where the rate varies."""
        ...

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        """Index and image of the frames ``start``, ``start + step`` … below ``stop``, in order, one at a time."""
        ...


class Mattes(Protocol):
    """The tracked person's matte in each frame."""

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Matte]]:
        """Index and matte of each frame, like ``Footage.read``; all zero where the person is absent."""
        ...

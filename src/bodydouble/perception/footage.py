"""What perception and renderers see of a video: frames and mattes, streamed."""

from collections.abc import Iterator
from typing import Protocol

from bodydouble.perception.arrays import Image, Matte


class Footage(Protocol):
    """Random access to the driving video at working size, streaming underneath."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def frame_rate(self) -> float:
        """Frames a second, the average where the rate varies."""
        ...

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        """Frames ``start``, ``start + step`` … below ``stop`` with their index, in order, one at a time."""
        ...


class Mattes(Protocol):
    """The tracked person's matte for each frame."""

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Matte]]:
        """As ``Footage.read``; all zero where the person is absent."""
        ...

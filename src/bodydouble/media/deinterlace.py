"""Progressive frames from interlaced ones."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av.error
from av.filter import Graph

BWDIF = "mode=send_frame:parity=auto:deint=interlaced"
"""Options of the filter: one frame for each frame, at the moment of its first field; progressive frames stay as is."""
INTERLACED_FIELD_ORDERS = range(2, 6)
"""AV_FIELD_TT to AV_FIELD_BT of libav: field orders that a container declares for interlaced video."""


def is_interlaced(stream: Any, frames: Iterable[Any]) -> bool:
    """Whether the stream's header or one of its decoded frames says that two moments share a frame."""
    return stream.codec_context.field_order in INTERLACED_FIELD_ORDERS or any(f.interlaced_frame for f in frames)


def deinterlaced(frames: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """The same (index, frame) pairs, with interlaced frames made progressive by bwdif.

    A frame depends on its neighbours only, so reading from one frame earlier gives the same result.
    """
    graph: _Bwdif | None = None
    shape: tuple[Any, ...] = ()
    for index, frame in frames:
        now = (frame.width, frame.height, frame.format.name)
        if graph is None or now != shape:
            if graph is not None:
                yield from graph.rest()
            graph, shape = _Bwdif(frame), now
        yield from graph.push(index, frame)
    if graph is not None:
        yield from graph.rest()


class _Bwdif:
    """The filter for frames of one size and format. It delays frames by one."""

    def __init__(self, frame: Any) -> None:
        graph = Graph()
        graph.threads = 1
        self._graph = graph  # the contexts do not keep it alive
        self._source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
        )
        self._sink = graph.add("buffersink")
        graph.link_nodes(self._source, graph.add("bwdif", BWDIF), self._sink).configure()

    def push(self, index: int, frame: Any) -> Iterator[tuple[int, Any]]:
        frame.pts, frame.time_base = index, Fraction(1)
        self._source.push(frame)
        yield from self._finished()

    def rest(self) -> Iterator[tuple[int, Any]]:
        self._source.push(None)
        yield from self._finished()

    def _finished(self) -> Iterator[tuple[int, Any]]:
        while True:
            try:
                frame: Any = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield round(frame.pts * frame.time_base), frame

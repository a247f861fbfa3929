"""A segment that the model generates in a thread, while other segments are read, finished and encoded."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Event

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.wan.engine import Engine, SegmentRequest, StepReport
from bodydouble.tasks.errors import Cancelled


class SegmentGeneration:
    """The generation of one segment. It starts at once, before anybody waits for it."""

    def __init__(self, thread: Executor, engine: Engine, request: SegmentRequest) -> None:
        self._report: StepReport | None = None
        self._cancelled = Event()
        self._frames: Future[NDArray[np.uint8]] = thread.submit(self._generate, engine, request)

    def _generate(self, engine: Engine, request: SegmentRequest) -> NDArray[np.uint8]:
        self._note(0, 1)
        return engine.generate(request, self._note)

    def _note(self, done: int, steps: int) -> None:
        if self._cancelled.is_set():
            raise Cancelled("the segment is no longer needed")
        if self._report is not None:
            self._report(done, steps)

    def wait(self, report: Callable[[int, int], None]) -> NDArray[np.uint8]:
        """The frames, (F, H, W, 3).

        ``report`` is told of the steps from now on, in the generation's thread. Whatever it raises ends the generation.
        """
        self._report = report
        try:
            return self._frames.result()
        finally:
            self.cancel()

    def cancel(self) -> None:
        """End the generation after the running step. Does nothing if it has ended."""
        self._cancelled.set()

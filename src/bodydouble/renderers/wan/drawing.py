"""Segments that the model draws in a thread of its own, while others are read, finished and encoded."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Event

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.wan.engine import Engine, StepReport, Take
from bodydouble.tasks.errors import Cancelled


class Drawing:
    """One segment on its way. Begun ahead, it works on whether or not somebody waits for it yet."""

    def __init__(self, thread: Executor, engine: Engine, take: Take) -> None:
        self._report: StepReport | None = None
        self._given_up = Event()
        self._frames: Future[NDArray[np.uint8]] = thread.submit(self._draw, engine, take)

    def _draw(self, engine: Engine, take: Take) -> NDArray[np.uint8]:
        self._note(0, 1)
        return engine.generate(take, self._note)

    def _note(self, done: int, steps: int) -> None:
        if self._given_up.is_set():
            raise Cancelled("the segment is not wanted any more")
        if self._report is not None:
            self._report(done, steps)

    def wait(self, report: Callable[[int, int], None]) -> NDArray[np.uint8]:
        """The frames. ``report`` is told of the steps from now on, in the drawing's thread; what it raises ends it."""
        self._report = report
        try:
            return self._frames.result()
        finally:
            self.give_up()

    def give_up(self) -> None:
        """End it after the step that is running, if it is not done."""
        self._given_up.set()

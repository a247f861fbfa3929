"""Progress of a long operation: a bar on a terminal, lines without one."""

import os
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bodydouble.cli.terminal import err, is_interactive, printable, warn
from bodydouble.tasks.stages import Stage

STAGE_TEXTS = {
    Stage.QUEUED: "waiting",
    Stage.FETCH: "fetching the inputs",
    Stage.PROBE: "checking the inputs",
    Stage.PERCEIVE: "tracking the person",
    Stage.PREPARE: "preparing the character",
    Stage.RENDER: "rendering",
    Stage.MUX: "joining video and sound",
    Stage.DONE: "done",
}
LINE_STEP = 0.1
"""Without a terminal: at least one line for each tenth of the work."""
LIBRARY_NOISE = (b"INFO: Created TensorFlow Lite",)
"""Lines that LiteRT writes to file descriptor 2 at the start of a network; it has no option against them."""


class ProgressDisplay:
    """Shows what is being done and how much of it is finished."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        self._interactive = is_interactive()
        self._progress = Progress(*columns, console=err, disable=not self._interactive)
        self._bar = self._progress.add_task("starting", total=1.0)
        self._last_text, self._last_step = "", -1
        self._cleanup = ExitStack()

    def __enter__(self) -> "ProgressDisplay":
        self._cleanup.enter_context(without_library_noise())
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the display."""
        self._progress.stop()
        self._cleanup.close()

    def note(self, text: str) -> None:
        """Print a warning that stays above the bar."""
        warn(text)

    def show(self, progress: Any) -> None:
        """``progress`` has ``stage``, ``fraction``, ``segment`` and ``segments``."""
        text = STAGE_TEXTS.get(progress.stage) or str(progress.stage)
        if progress.segments:
            text += f" {(progress.segment or 0) + 1}/{progress.segments}"
        self.update(text, progress.fraction)

    def update(self, text: str, fraction: float) -> None:
        """``text`` says what is being done; ``fraction`` (0 to 1) is the finished part of the whole."""
        text = printable(text)
        self._progress.update(self._bar, description=f"{escape(text):<28}", completed=fraction)
        step = int(fraction / LINE_STEP)
        if not self._interactive and (text != self._last_text or step > self._last_step):
            err.print(f"{fraction:4.0%} {text}", markup=False)
        self._last_text, self._last_step = text, step


@contextmanager
def without_library_noise() -> Generator[None, None, None]:
    """Drop ``LIBRARY_NOISE`` from file descriptor 2. Every other line appears above the progress bar."""
    if sys.stderr is not sys.__stderr__:  # a test's stream: descriptor 2 is not what the user sees
        yield
        return
    sys.stderr.flush()
    real = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    file = err.file
    err.file = os.fdopen(real, "w", buffering=1)
    thread = threading.Thread(target=_forward_lines, args=(reading,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real, 2)  # closes the last writing end, unless a child process still has one
        thread.join(timeout=1)
        err.file.flush()
        real_file, err.file = err.file, file
        real_file.close()


def _forward_lines(reading: int) -> None:
    with os.fdopen(reading, "rb") as stream:
        for line in stream:
            if not line.startswith(LIBRARY_NOISE):
                err.print(line.decode(errors="replace").rstrip("\n"), markup=False)

"""The supervisor's end of the model runners, the processes that hold a renderer's networks.

A runner starts when a task needs it, stays loaded between tasks, ends after a time without tasks, and is replaced after
a fault.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bodydouble.renderers.registry import Renderers
from bodydouble.worker.environment import child_environment
from bodydouble.worker.order import RunnerOrder, WorkerOptions
from bodydouble.worker.process import NO_MEMORY_STATUS, end_in_words

LOG_TAIL_CHARACTERS = 2000
SOCKET_FOLDER_BYTES_MAX = 70
"""A Unix socket's address has at most 107 bytes. Our folder's name (19) and the socket's name take the rest."""
END_SECONDS_MAX = 1.0
"""Time for a runner to end by itself after a fault that its client noticed first."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunnerLease:
    """The right of one task to use a runner, and what the task's child needs to reach it."""

    slot: "RunnerSlot"
    address: Path  # the socket on which the runner listens
    environment: Mapping[str, str]  # of the child, whose perception uses the same GPUs


class RunnerSlot:
    """Some GPUs, and the runner that uses them, if one is running."""

    def __init__(self, number: int, gpus: Sequence[str], options: WorkerOptions) -> None:
        self._options = options
        self.log_path = options.folder / f"runner-{number}.log"
        self.environment = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
        self._process: asyncio.subprocess.Process | None = None
        self._order: RunnerOrder | None = None  # of the present runner, or of the last one
        self._smaller_setups = 0  # than what was ordered, because memory ran out
        self._folder: Path | None = None
        self._idle: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The runner's process id; None if no runner is running."""
        return self._process.pid if self._process else None

    async def provide(self, order: RunnerOrder) -> Path:
        """The address of a running runner for ``order``: the present one, or a new one."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._process is not None and (self._process.returncode is not None or self._order != order):
            await self.end()
        if self._process is None:
            if self._order != order:
                self._order, self._smaller_setups = order, 0
            await self._start(order)
        assert self._folder is not None
        return self._folder / "socket"

    async def _start(self, order: RunnerOrder) -> None:
        """Start a runner. Its socket listens before the process starts, so that early connections wait."""
        self._options.folder.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="bodydouble-", dir=_socket_folder()))  # readable by this user only
        with socket.socket(socket.AF_UNIX) as listener, self.log_path.open("wb") as output:
            listener.bind(str(self._folder / "socket"))
            listener.listen()
            self._process = await asyncio.create_subprocess_exec(
                *(self._options.runner or (sys.executable, "-m", order.program)),
                str(listener.fileno()),
                json.dumps(self._to_load(order)),
                str(os.getpid()),
                pass_fds=[listener.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=child_environment(self.environment),
                start_new_session=True,  # Ctrl-C reaches only this process, which ends the runner
            )
        log.info("runner started", pid=self._process.pid, **self.environment)

    def _to_load(self, order: RunnerOrder) -> Mapping[str, Any]:
        if not self._smaller_setups:
            return order.loaded
        return {**order.loaded, "smaller_setups": self._smaller_setups}

    def start_idle_timer(self) -> None:
        """End the runner after ``runner_idle_seconds`` without a task."""
        if self._process is not None:
            self._idle = asyncio.create_task(self._end_when_idle())

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._options.runner_idle_seconds)
        log.info("the idle runner was ended", seconds=self._options.runner_idle_seconds)
        self._idle = None
        await self.end()

    async def end(self) -> None:
        """Kill the runner, if one is running."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None:
            if process.returncode == NO_MEMORY_STATUS:
                self._smaller_setups += 1
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    async def describe_end(self) -> str | None:
        """The signal that ended the runner, in words; None if no signal did.

        The runner reported other faults to its client itself.
        """
        if self._process is None:
            return None
        try:
            status = await asyncio.wait_for(self._process.wait(), END_SECONDS_MAX)
        except TimeoutError:
            return None
        tail = self.log_path.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
        log.warning("runner ended", pid=self._process.pid, status=status, output=tail)
        return end_in_words(status) if status < 0 else None


def _socket_folder() -> Path:
    """The folder for temporary files, or /tmp if a socket's address in it would be too long for the kernel."""
    folder = Path(tempfile.gettempdir())
    return folder if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES_MAX else Path("/tmp")  # noqa: S108 - only the parent of a private folder


class RunnerPool:
    """All runner slots of this worker. Use it in one event loop of a thread that lasts: runners end with the thread."""

    def __init__(self, options: WorkerOptions, gpus: Sequence[str]) -> None:
        """``gpus`` are the UUIDs of the usable GPUs; each slot gets as many as one task needs."""
        per_task = Renderers(options.renderers).gpus_per_task()
        groups = [gpus[k : k + per_task] for k in range(0, len(gpus) - per_task + 1, per_task)] or [[]]
        self._slots = [RunnerSlot(number, group, options) for number, group in enumerate(groups)]
        self._free: asyncio.LifoQueue[RunnerSlot] = asyncio.LifoQueue()  # the slot used last has a loaded runner
        for slot in reversed(self._slots):
            self._free.put_nowait(slot)

    async def lease(self, order: RunnerOrder) -> RunnerLease:
        """A runner for one task; waits until a slot is free."""
        slot = await self._free.get()
        try:
            address = await slot.provide(order)
        except BaseException:
            self._free.put_nowait(slot)
            raise
        return RunnerLease(slot=slot, address=address, environment=slot.environment)

    def give_back(self, lease: RunnerLease) -> None:
        """Return the runner when the task is done with it."""
        lease.slot.start_idle_timer()
        self._free.put_nowait(lease.slot)

    async def discard(self, lease: RunnerLease) -> str | None:
        """End the runner after a fault; the next lease gets a new one. Returns which signal ended it, if one did."""
        signal_words = await lease.slot.describe_end()
        await lease.slot.end()
        self._free.put_nowait(lease.slot)
        return signal_words

    async def close(self) -> None:
        """End all runners."""
        for slot in self._slots:
            await slot.end()

"""The supervisor's end of the processes that hold the wan renderer's networks: started when a task needs one, warm
between tasks, ended when nobody needed it for a while, replaced after a fault."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bodydouble.renderers.registry import Renderers
from bodydouble.worker.environment import child_environment
from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.process import end_in_words

LOG_TAIL_CHARACTERS = 2000
SOCKET_PLACE_BYTES_MAX = 70
"""Of the 107 that an address may have, a folder of 19 and the socket's own name take the rest."""
END_SECONDS_MAX = 1.0
"""For a runner to end by itself after a fault that its client saw first."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A runner that works for one task alone, and what the task's child is told of it."""

    place: "Place"
    address: Path  # the socket that it listens on
    environment: Mapping[str, str]  # the child's perception works on the same cards


class Place:
    """Room for one runner: its cards, and the runner that is there, if any."""

    def __init__(self, number: int, cards: Sequence[str], options: WorkerOptions) -> None:
        self._options = options
        self.log_path = options.folder / f"runner-{number}.log"
        self.environment = {"CUDA_VISIBLE_DEVICES": ",".join(cards)} if cards else {}
        self._process: asyncio.subprocess.Process | None = None
        self._loaded: Mapping[str, Any] = {}  # fields of ``WanSettings``
        self._folder: Path | None = None
        self._idle: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The runner's process, if there is one."""
        return self._process.pid if self._process else None

    async def occupy(self, wanted: Mapping[str, Any]) -> Path:
        """The address of a runner that lives and has loaded what is wanted: the warm one, or a fresh one."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._process is not None and (self._process.returncode is not None or self._loaded != wanted):
            await self.clear()
        if self._process is None:
            self._loaded = wanted
            await self._start()
        assert self._folder is not None
        return self._folder / "socket"

    async def _start(self) -> None:
        """It listens from the first moment on: who connects before it is ready waits."""
        self._options.folder.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="bodydouble-", dir=_socket_place()))  # only its owner may enter
        with socket.socket(socket.AF_UNIX) as listener, self.log_path.open("wb") as output:
            listener.bind(str(self._folder / "socket"))
            listener.listen()
            self._process = await asyncio.create_subprocess_exec(
                *self._options.runner,
                str(listener.fileno()),
                json.dumps(self._loaded),
                str(os.getpid()),
                pass_fds=[listener.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=child_environment(self.environment),
                start_new_session=True,  # Ctrl-C is for us, who end it
            )
        log.info("runner started", pid=self._process.pid, **self.environment)

    def leave_warm(self) -> None:
        """Nobody works with it now; it ends by and by if that stays so."""
        if self._process is not None:
            self._idle = asyncio.create_task(self._end_when_idle())

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._options.runner_idle_seconds)
        log.info("runner ended, nobody needed it", seconds=self._options.runner_idle_seconds)
        self._idle = None
        await self.clear()

    async def clear(self) -> None:
        """End the runner, if there is one."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    async def last_words(self) -> str | None:
        """Which signal ended the runner; None where none did. A fault that it knew of it has told its client."""
        if self._process is None:
            return None
        try:
            status = await asyncio.wait_for(self._process.wait(), END_SECONDS_MAX)
        except TimeoutError:
            return None
        tail = self.log_path.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
        log.warning("runner ended", pid=self._process.pid, status=status, output=tail)
        return end_in_words(status) if status < 0 else None


def _socket_place() -> Path:
    """The folder for temporary files, where that leaves a socket's address short enough for the kernel."""
    place = Path(tempfile.gettempdir())
    return place if len(os.fsencode(place)) <= SOCKET_PLACE_BYTES_MAX else Path("/tmp")  # noqa: S108  a folder of ours in it


class Runners:
    """All places of this worker. Runs in one event loop, in a thread that lasts: runners die with it."""

    def __init__(self, options: WorkerOptions, cards: Sequence[str]) -> None:
        """``cards`` (UUIDs) can draw; each place takes as many of them as one task is drawn with."""
        per_task = Renderers(options.renderers).gpus_per_task()
        groups = [cards[k : k + per_task] for k in range(0, len(cards) - per_task + 1, per_task)] or [[]]
        self._places = [Place(number, group, options) for number, group in enumerate(groups)]
        self._free: asyncio.LifoQueue[Place] = asyncio.LifoQueue()  # who was used last is warm
        for place in reversed(self._places):
            self._free.put_nowait(place)

    async def lease(self, wanted: Mapping[str, Any]) -> Lease:
        """A runner for one task, with what it has to load (fields of ``WanSettings``); waits until one is free."""
        place = await self._free.get()
        try:
            address = await place.occupy(wanted)
        except BaseException:
            self._free.put_nowait(place)
            raise
        return Lease(place=place, address=address, environment=place.environment)

    def give_back(self, lease: Lease) -> None:
        """The task needs it no longer."""
        lease.place.leave_warm()
        self._free.put_nowait(lease.place)

    async def discard(self, lease: Lease) -> str | None:
        """After a fault: whoever asks next gets a fresh runner. Answers which signal ended this one, if one did."""
        words = await lease.place.last_words()
        await lease.place.clear()
        self._free.put_nowait(lease.place)
        return words

    async def close(self) -> None:
        """End all of them."""
        for place in self._places:
            await place.clear()

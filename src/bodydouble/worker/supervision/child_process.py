"""The supervisor's end of a child process: start it, ask it for one operation at a time, see it die."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from bodydouble.tasks.errors import StorageFull
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import TaskProgress
from bodydouble.worker.environment import child_environment
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.process import end_in_words

LINE_BYTES_MAX = 1 << 20
LOG_TAIL_CHARACTERS = 2000

log = structlog.get_logger(__name__)


class ChildDied(Exception):
    """The child ended, or had to be ended, in the middle of an operation; or what it works with did."""


class Child:
    """One child process and the socket to it."""

    def __init__(self, process: asyncio.subprocess.Process, connection: socket.socket, log_path: Path) -> None:
        self._process, self._connection, self._log_path = process, connection, log_path
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @classmethod
    async def start(cls, command: Sequence[str], log_path: Path, environment: Mapping[str, str]) -> "Child":
        """Start ``command``, told the number of its socket; its own output goes to ``log_path``.

        ``environment`` is beside or in place of what it is told of ours. It asks the kernel to be killed with the
        thread that called this, so call it from one that lasts.
        """
        ours, theirs = socket.socketpair()
        with theirs, log_path.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=child_environment(environment),
            )
        child = cls(process, ours, log_path)
        child._reader, child._writer = await asyncio.open_connection(sock=ours, limit=LINE_BYTES_MAX)
        return child

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    async def ask(
        self,
        message: dict[str, Any],
        on_progress: Callable[[TaskProgress], None],
        *,
        silence_seconds_max: float,
        stall_seconds_max: float,
    ) -> Any:
        """Have one operation performed and answer its value.

        Raises:
            TaskFailure: the operation failed on purpose; trying again would not help.
            StorageFull: the disk has no room; it may have later.
            ChildDied: the process ended, froze or stalled; another one may succeed.
        """
        loop = asyncio.get_running_loop()
        try:
            self._writer.write(json.dumps(message).encode() + b"\n")
            await self._writer.drain()
            moved = loop.time()
            while True:
                async with asyncio.timeout(silence_seconds_max):  # wait_for of Python 3.11 may lose a cancellation
                    line = await self._reader.readline()
                if not line.endswith(b"\n"):
                    raise ChildDied(await self._last_words())
                answer = json.loads(line)
                if "progress" in answer:
                    moved = loop.time()
                    on_progress(_progress(**answer["progress"]))
                elif "note" in answer:
                    log.info(answer["note"])
                elif "done" in answer:
                    return answer["done"]
                elif "full" in answer:
                    raise StorageFull(answer["full"])
                elif "lost" in answer:
                    raise ChildDied(answer["lost"])
                elif "failed" in answer:
                    log.info("operation failed", operation=message["op"], trace=answer["trace"], **answer["failed"])
                    raise TaskFailure.from_json(answer["failed"])
                elif loop.time() - moved > stall_seconds_max:
                    raise ChildDied(f"it made no progress for {stall_seconds_max:g} s")
        except TimeoutError:
            raise ChildDied(f"it did not answer for {silence_seconds_max:g} s") from None
        except ConnectionError:
            raise ChildDied(await self._last_words()) from None

    async def _last_words(self) -> str:
        status = await self._process.wait()
        with contextlib.suppress(OSError):
            tail = self._log_path.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
            log.warning("child ended", pid=self.pid, status=status, output=tail)
        return end_in_words(status)

    async def end(self) -> None:
        """Kill it, whatever it is doing, and wait until it is gone."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()


def _progress(*, stage: str, **more: Any) -> TaskProgress:
    return TaskProgress(stage=Stage(stage), **more)

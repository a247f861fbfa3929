"""The supervisor's end of a child process: start it, send it requests, notice when it ends or freezes."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import assert_never

import structlog

from bodydouble.tasks.errors import StorageFull
from bodydouble.tasks.task import ResultCode, TaskProgress
from bodydouble.worker.environment import child_environment
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.messages import (
    FROM_CHILD,
    REQUESTS,
    Beat,
    Damaged,
    DiskFull,
    Done,
    Event,
    Failed,
    Finished,
    FromChild,
    Note,
    Prepared,
    Probed,
    Progress,
    Reply,
    Request,
    RunnerLost,
    Value,
)
from bodydouble.worker.process import end_in_words

LINE_BYTES_MAX = 1 << 20
LOG_TAIL_CHARACTERS = 2000

log = structlog.get_logger(__name__)

OnProgress = Callable[[TaskProgress], None]


class ChildDied(Exception):
    """The child, its renderer's networks or its workspace was lost during a request; another attempt may succeed."""


class ChildProcess:
    """One child process and the socket to it."""

    def __init__(self, process: asyncio.subprocess.Process, connection: socket.socket, log_path: Path) -> None:
        self._process, self._connection, self._log_path = process, connection, log_path
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @classmethod
    async def start(cls, command: Sequence[str], log_path: Path, environment: Mapping[str, str]) -> "ChildProcess":
        """Start ``command`` with the number of its socket as the last argument. Its own output goes to ``log_path``.

        ``environment`` is added to ``child_environment``. The kernel kills the child when the thread that called this
        ends, so call it from a thread that lasts.
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
        self, request: Request, on_progress: OnProgress, *, silence_seconds_max: float, stall_seconds_max: float
    ) -> Value:
        """Have the child perform one request; its value.

        Raises:
            TaskFailure: the request failed, and would fail again.
            StorageFull: the disk has no room; it may have later.
            ChildDied: the process ended, froze or stalled; another one may succeed.
        """
        loop = asyncio.get_running_loop()
        moved = loop.time()
        try:
            self._writer.write(json.dumps(REQUESTS.encode(request)).encode() + b"\n")
            await self._writer.drain()
            while True:
                async with asyncio.timeout(silence_seconds_max):  # wait_for of Python 3.11 may lose a cancellation
                    message = await self._receive()
                match message:
                    case Progress() | Note() | Beat():
                        if _take_event(message, on_progress):
                            moved = loop.time()
                        elif loop.time() - moved > stall_seconds_max:
                            raise ChildDied(f"it made no progress for {stall_seconds_max:g} s")
                    case _:
                        return _value_of(message, request)
        except TimeoutError:
            raise ChildDied(f"it did not answer for {silence_seconds_max:g} s") from None
        except ConnectionError:
            raise ChildDied(await self._describe_end()) from None

    async def _receive(self) -> FromChild:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the child closed its socket")
        return FROM_CHILD.decode(json.loads(line))

    async def _describe_end(self) -> str:
        status = await self._process.wait()
        with contextlib.suppress(OSError):
            tail = self._log_path.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
            log.warning("child ended", pid=self.pid, status=status, output=tail)
        return end_in_words(status)

    async def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()


def _take_event(event: Event, on_progress: OnProgress) -> bool:
    """Handle ``event``; true if it shows progress."""
    match event:
        case Progress(stage=stage, fraction=fraction, segment=segment, segments=segments):
            on_progress(TaskProgress(stage=stage, fraction=fraction, segment=segment, segments=segments))
            return True
        case Note():
            log.info(event.text)
        case Beat():
            pass
        case _:
            assert_never(event)
    return False


def _value_of(reply: Reply, request: Request) -> Value:
    """The value in ``reply``. Raises what the reply reports."""
    match reply:
        case Done() | Probed() | Prepared() | Finished():
            return reply
        case Failed(code=code, message=message, trace=trace):
            details = {"trace": trace} if code is ResultCode.GENERATION_FAILED else {}  # else the client's fault
            log.info("request failed", request=type(request).__name__, code=int(code), message=message, **details)
            raise TaskFailure(code, message)
        case DiskFull():
            raise StorageFull(reply.message)
        case RunnerLost() | Damaged():
            raise ChildDied(reply.reason)
        case _:
            assert_never(reply)

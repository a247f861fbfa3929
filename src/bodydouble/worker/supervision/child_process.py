"""The supervisor's end of a child process: start it, send it requests, notice when it ends or freezes."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import assert_never

import structlog

from bodydouble.tasks.errors import StorageFull
from bodydouble.tasks.task import ResultCode, TaskProgress
from bodydouble.worker.child_socket import ChildSocket
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

LOG_TAIL_CHARACTERS = 2000
"""End of a child's log that is written to the worker's log when the child dies."""

log = structlog.get_logger(__name__)

OnProgress = Callable[[TaskProgress], None]


class ChildDied(Exception):
    """The child, its renderer's networks or its workspace was lost during a request; another attempt may succeed."""


class ChildProcess:
    """One child process and the socket to it."""

    def __init__(self, child: ChildSocket, log_path: Path) -> None:
        self._child, self._log_path = child, log_path

    @classmethod
    async def start(cls, command: Sequence[str], log_path: Path, environment: Mapping[str, str]) -> "ChildProcess":
        """Start ``command`` as ``ChildSocket.start`` does. Its own output goes to ``log_path``."""
        with log_path.open("ab") as output:
            return cls(await ChildSocket.start(command, output, environment), log_path)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._child.pid

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
            await self._child.send(REQUESTS.encode(request))
            while True:
                async with asyncio.timeout(silence_seconds_max):  # wait_for of Python 3.11 may lose a cancellation
                    message = FROM_CHILD.decode(await self._child.receive())
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

    async def _describe_end(self) -> str:
        status = await self._child.wait()
        with contextlib.suppress(OSError):
            tail = self._log_path.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
            log.warning("child ended", pid=self.pid, status=status, output=tail)
        return end_in_words(status)

    async def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        await self._child.end()


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

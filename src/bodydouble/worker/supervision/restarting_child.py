"""The child process of one task, restarted after a crash."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import structlog

from bodydouble.tasks.task import ResultCode, Task
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.messages import Open, Request, Value
from bodydouble.worker.order import WorkerOptions, runner_order, shot_order
from bodydouble.worker.supervision.child_process import ChildDied, ChildProcess
from bodydouble.worker.supervision.retry import retry_on_outage
from bodydouble.worker.supervision.runner_pool import RunnerLease, RunnerPool
from bodydouble.worker.supervision.task_lease import TaskLease
from bodydouble.worker.workspace import Workspace

log = structlog.get_logger(__name__)
V = TypeVar("V", bound=Value)


class RestartingChild:
    """Starts a child process when there is work, and another one after each crash, up to ``attempts_max``."""

    def __init__(
        self,
        task: Task,
        workspace: Workspace,
        lease: TaskLease,
        runners: RunnerPool,
        options: WorkerOptions,
        *,
        before_start: Callable[[], Awaitable[None]],
        after_open: Callable[[], Awaitable[None]],
    ) -> None:
        """``before_start`` makes the workspace complete. ``after_open`` runs once a child has opened the shot."""
        self._task, self._workspace, self._lease = task, workspace, lease
        self._runners, self._options = runners, options
        self._before_start, self._after_open = before_start, after_open
        self._child: ChildProcess | None = None
        self._runner: RunnerLease | None = None  # None too if the task's renderer needs no runner
        self._opened = False

    async def ask(self, request: Request, answer: type[V]) -> V:
        """The value, of the class ``answer``, that the child returns for ``request``.

        Raises:
            TaskFailure: the request failed, or each of ``attempts_max`` children ended.
            Cancelled, TaskLost: see ``TaskLease.check``.
        """
        reason = ""
        for attempt in range(1, self._options.attempts_max + 1):
            try:
                value = await self._lease.while_held(retry_on_outage(lambda: self._attempt(request)))
            except ChildDied as error:
                reason = await self._close_after_fault(str(error))
                log.warning("child died", request=type(request).__name__, attempt=attempt, reason=reason)
            except BaseException:
                await self.close()
                raise
            else:
                assert isinstance(value, answer), f"{request} is answered by {answer.__name__}, not by {value}"
                return value
        raise TaskFailure(
            ResultCode.GENERATION_FAILED,
            f"The process that makes the video ended {self._options.attempts_max} times in the stage "
            f"{self._lease.progress.stage}: {reason}. Nothing was charged; try a lower resolution or a shorter video.",
        )

    async def close(self) -> None:
        """End the child. The workspace stays for the next attempt, and the runner for the next task."""
        runner, self._runner = self._runner, None
        try:
            await self._end_child()
        finally:
            if runner is not None:
                self._runners.give_back(runner)

    async def _attempt(self, request: Request) -> Value:
        try:
            return await self._perform(request)
        except FileNotFoundError as error:
            log.warning("a file disappeared", path=str(error.filename))
            raise ChildDied("files of its workspace disappeared") from None

    async def _perform(self, request: Request) -> Value:
        if self._child is None:
            await self._before_start()
            self._child = await self._start_child()
        if not self._opened:
            runner = self._runner.address if self._runner else None
            await self._send(self._child, Open(order=shot_order(self._task, self._workspace, self._options, runner)))
            await self._after_open()
            self._opened = True
        self._workspace.check_room()
        return await self._send(self._child, request)

    async def _start_child(self) -> ChildProcess:
        order = await asyncio.to_thread(runner_order, self._task, self._options)
        if order is not None and self._runner is None:
            self._runner = await self._runners.lease(order)
        environment: Mapping[str, str] = self._runner.environment if self._runner else {}
        child = await ChildProcess.start(self._options.child, self._workspace.child_log, environment)
        log.info("child started", pid=child.pid)
        return child

    async def _send(self, child: ChildProcess, request: Request) -> Value:
        return await child.ask(
            request,
            self._lease.note,
            silence_seconds_max=self._options.silence_seconds_max,
            stall_seconds_max=self._options.stall_seconds_max,
        )

    async def _close_after_fault(self, reason: str) -> str:
        """End the child and its runner. The reason of the fault: the signal that ended the runner, else ``reason``."""
        runner, self._runner = self._runner, None
        await self._end_child()
        runner_end = None if runner is None else await self._runners.discard(runner)
        return reason if runner_end is None else f"in the process with the model: {runner_end}"

    async def _end_child(self) -> None:
        child, self._child, self._opened = self._child, None, False
        if child is not None:
            await child.end()

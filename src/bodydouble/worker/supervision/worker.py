"""One worker: takes tasks from the queue until it is told to stop."""

import asyncio
import dataclasses
import threading
from concurrent.futures import CancelledError, Future
from contextlib import closing
from typing import Any
from uuid import UUID

import structlog
from dbos import DBOS

from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.ports import ExecutorStore
from bodydouble.tasks.queue import APPLICATION, APPLICATION_VERSION, QUEUE
from bodydouble.tasks.task import TERMINAL, ResultCode, TaskId
from bodydouble.worker.failure import TaskFailure, TaskLost
from bodydouble.worker.order import WorkerOptions, runner_gpus
from bodydouble.worker.supervision.heartbeat import Heartbeat, executor_name
from bodydouble.worker.supervision.lost_connections import recognise_lost_connections
from bodydouble.worker.supervision.runner_slots import Runners
from bodydouble.worker.supervision.steps import Abandon, Settle, Step
from bodydouble.worker.supervision.task_run import Ports, Replacement
from bodydouble.worker.supervision.work_folder import WorkFolder, hold_abandoned, hold_free, hold_once_free
from bodydouble.worker.supervision.workflow import register_workflow
from bodydouble.worker.workspace import Workspace

POLL_SECONDS = 0.2
DESTROY_SECONDS_MAX = 4.0
HAND_OVER_SECONDS_MAX = 3.0

log = structlog.get_logger(__name__)


class Worker:
    """Runs in the main thread's event loop: its children live and die with that thread."""

    def __init__(self, ports: Ports, executors: ExecutorStore, options: WorkerOptions, database_url: str) -> None:
        self._ports, self._executors, self._options, self._database_url = ports, executors, options, database_url
        self._executor = executor_name()
        self._running: dict[TaskId, Replacement] = {}
        self._heartbeat = Heartbeat(
            executors, self._executor, self._running.keys(), options.heartbeat_seconds, options.takeover_seconds
        )
        self._steps: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over: what is unfinished goes on elsewhere, or at our next start.

        Raises:
            StorageUnavailable: the database does not answer at the start, or dozens of workers share the data folder.
        """
        cards = await asyncio.to_thread(runner_gpus, self._options)
        # Another worker here has the networks on this machine's cards, which do not hold them twice.
        first = self._options.folder
        folder = await hold_once_free(first, stop) if cards else hold_free(first)
        if folder is None:
            return
        with closing(folder):
            await self._heartbeat.beat()
            await self._replace_former(folder)
            await self._clear_workspaces(folder)
            self._options = dataclasses.replace(self._options, folder=folder.path)
            self._loop = asyncio.get_running_loop()
            self._runners = Runners(self._options, cards)
            await asyncio.to_thread(self._launch)
            log.info("worker ready", folder=str(folder.path), executor=self._executor)
            await self._heartbeat.run(stop)
            await self._hand_over()

    async def _replace_former(self, folder: WorkFolder) -> None:
        """Whoever had a folder that can be held is dead: what it left goes on at once, and here."""
        if folder.former:
            await self._executors.stop_executor(folder.former, in_order=False)
        folder.sign(self._executor)
        for other in hold_abandoned(self._options.folder):
            if other.former:
                await self._executors.stop_executor(other.former, in_order=False)
            folder.inherit(other)

    async def _clear_workspaces(self, folder: WorkFolder) -> None:
        """Remove what is left of tasks that were settled elsewhere."""
        for task_id, _ in folder.workspaces():
            task = await self._ports.store.get_task(task_id)
            if task is None or task.status in TERMINAL:
                await Workspace(folder.path, task_id).remove()

    async def _hand_over(self) -> None:
        """End the children, take nothing more, and give back what is not done."""
        self._closing = True
        for step in self._steps:
            step.cancel()
        await asyncio.gather(*self._steps, return_exceptions=True)
        await asyncio.gather(*(r.close() for r in self._running.values()))
        await self._runners.close()
        try:
            await asyncio.wait_for(asyncio.to_thread(DBOS.destroy), DESTROY_SECONDS_MAX)
        except TimeoutError:
            log.warning("the durable engine did not close in time")
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS_MAX):
                await self._executors.stop_executor(self._executor, in_order=True)
        except (StorageUnavailable, TimeoutError):
            log.warning("the database does not answer; others take over once we have been silent for long enough")
        log.info("worker stopped", handed_over=len(self._running))

    def _launch(self) -> None:
        recognise_lost_connections()
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._database_url,
                "application_version": APPLICATION_VERSION,
                "executor_id": self._executor,
                "log_level": "WARNING",
                "enable_otlp": False,
                # A frozen worker must not keep the lock of a row for longer than it takes to be taken for dead.
                "sys_db_idle_transaction_timeout_sec": self._options.takeover_seconds,
            }
        )
        register_workflow(self._perform)
        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        # The engine keeps this in the database, one number for all workers: the last one that starts decides.
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._options.tasks_max,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    def _perform(self, task_id: str, step: Step) -> dict[str, Any]:
        """One step, called from the engine's thread, done in the event loop."""
        future: Future[dict[str, Any]] = asyncio.run_coroutine_threadsafe(
            self._step(TaskId(UUID(task_id)), step), self._loop
        )
        try:
            return future.result()
        except CancelledError:
            # The worker ends. An error would be recorded as the step's outcome; silence counts as not done, and the
            # process is about to end this thread.
            threading.Event().wait()
            raise

    async def _step(self, task_id: TaskId, step: Step) -> dict[str, Any]:
        me = asyncio.current_task()
        assert me is not None
        if self._closing:
            raise asyncio.CancelledError
        self._steps.add(me)
        me.add_done_callback(self._steps.discard)
        with structlog.contextvars.bound_contextvars(task_id=str(task_id)):
            replacement = self._running.setdefault(
                task_id, Replacement(task_id, self._ports, self._options, self._executor, self._runners)
            )
            try:
                value = await replacement.perform(step)
            except TaskLost as lost:
                log.warning("the task is not ours any more; stopping", step=step.name, reason=str(lost))
                await replacement.abandon()
                self._running.pop(task_id, None)
                return {"lost": str(lost)}
            except Exception as error:
                failure = TaskFailure.of(error)
                ours = failure.code is ResultCode.GENERATION_FAILED
                tell = log.error if ours else log.info  # what the caller did or sent is nobody's to mend
                tell(
                    "step failed",
                    step=step.name,
                    code=int(failure.code),
                    reason=failure.message,
                    exc_info=ours and error,
                )
                return {"failed": failure.to_json()}
            if isinstance(step, Settle | Abandon) or value is False:
                self._running.pop(task_id, None)
            return {"value": value}

"""One worker: takes tasks from the queue until told to stop."""

import asyncio
import dataclasses
import threading
from concurrent.futures import CancelledError, Future
from contextlib import closing
from typing import Any, assert_never
from uuid import UUID

import structlog
from dbos import DBOS

from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.operation_ports import ExecutorStore
from bodydouble.tasks.queue import APPLICATION, APPLICATION_VERSION, FETCH_QUEUE, QUEUE
from bodydouble.tasks.task import TERMINAL, ResultCode, TaskId
from bodydouble.worker.failure import TaskFailure, TaskLost
from bodydouble.worker.order import WorkerOptions, runner_gpus
from bodydouble.worker.supervision.heartbeat import Heartbeat, executor_name
from bodydouble.worker.supervision.lost_connections import recognise_lost_connections
from bodydouble.worker.supervision.retry import retry_on_outage
from bodydouble.worker.supervision.runner_pool import RunnerPool
from bodydouble.worker.supervision.steps import Abandon, FinishFetch, Phase, RunStage, Settle, Start, Step, StoredVideo
from bodydouble.worker.supervision.task_run import Ports, TaskRun
from bodydouble.worker.supervision.work_folder import WorkFolder, hold_abandoned, hold_free, hold_once_free
from bodydouble.worker.supervision.workflow import register_workflow
from bodydouble.worker.workspace import Workspace

POLL_SECONDS = 0.2
"""Interval at which the engine looks for tasks in the queues."""
DESTROY_SECONDS_MAX = 4.0
HAND_OVER_SECONDS_MAX = 3.0
"""Limits when a worker stops: for the engine to end, and for returning tasks to the queue."""

log = structlog.get_logger(__name__)


class Worker:
    """Call ``run`` in the main thread: child processes end with the thread that started them."""

    def __init__(self, ports: Ports, executors: ExecutorStore, options: WorkerOptions, database_url: str) -> None:
        self._ports, self._executors, self._options, self._database_url = ports, executors, options, database_url
        self._executor = executor_name()
        self._running: dict[TaskId, TaskRun | None] = {}  # None: it is being started
        self._heartbeat = Heartbeat(
            executors, self._executor, self._running.keys(), options.heartbeat_seconds, options.takeover_seconds
        )
        self._steps: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over: another worker or the next start of this one continues the tasks.

        Raises:
            StorageUnavailable: the database does not answer at the start, or too many workers share the data folder.
        """
        gpus = await asyncio.to_thread(runner_gpus, self._options)
        # The GPUs' memory holds the networks once, so only one worker on this machine uses them.
        first = self._options.folder
        folder = await hold_once_free(first, stop) if gpus else hold_free(first)
        if folder is None:
            return
        with closing(folder):
            await self._heartbeat.beat()
            await self._take_over_folders(folder)
            await self._clear_workspaces(folder)
            self._options = dataclasses.replace(self._options, folder=folder.path)
            self._loop = asyncio.get_running_loop()
            self._runners = RunnerPool(self._options, gpus)
            await asyncio.to_thread(self._launch)
            log.info("worker ready", folder=str(folder.path), executor=self._executor)
            await self._heartbeat.run(stop)
            await self._hand_over()

    async def _take_over_folders(self, folder: WorkFolder) -> None:
        """Continue at once what ended workers left in folders that nobody holds."""
        if folder.former:
            await self._executors.stop_executor(folder.former, in_order=False)
        folder.sign(self._executor)
        for other in hold_abandoned(self._options.folder):
            if other.former:
                await self._executors.stop_executor(other.former, in_order=False)
            folder.inherit(other)

    async def _clear_workspaces(self, folder: WorkFolder) -> None:
        """Remove the workspaces of tasks that other workers have settled."""
        for task_id, _ in folder.workspaces():
            task = await self._ports.store.get_task(task_id)
            if task is None or task.status in TERMINAL:
                await Workspace(folder.path, task_id).remove()

    async def _hand_over(self) -> None:
        """End the children, take no further tasks, and give back the unfinished ones."""
        self._closing = True
        for step in self._steps:
            step.cancel()
        await asyncio.gather(*self._steps, return_exceptions=True)
        await asyncio.gather(*(run.close() for run in self._running.values() if run))
        await self._runners.close()
        try:
            await asyncio.wait_for(asyncio.to_thread(DBOS.destroy), DESTROY_SECONDS_MAX)
        except TimeoutError:
            log.warning("the durable engine did not close in time")
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS_MAX):
                await self._executors.stop_executor(self._executor, in_order=True)
        except (StorageUnavailable, TimeoutError):
            log.warning("the database does not answer; other workers take over when this one's heartbeat is missing")
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
                # A frozen worker must release its row locks when other workers take over its tasks.
                "sys_db_idle_transaction_timeout_sec": self._options.takeover_seconds,
            }
        )
        register_workflow(self._perform)
        DBOS.listen_queues([FETCH_QUEUE, QUEUE])
        DBOS.launch()
        # The engine stores one value for all workers in the database: the worker that starts last sets it.
        DBOS.register_queue(
            FETCH_QUEUE,
            worker_concurrency=self._options.fetches_max,
            partition_concurrency=1,  # an account has a few partitions, see create_tasks.sql
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._options.tasks_max,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    def _perform(self, task_id: str, step: Step) -> dict[str, Any]:
        """Do one step in the event loop; called in a thread of the engine."""
        future: Future[dict[str, Any]] = asyncio.run_coroutine_threadsafe(
            self._step(TaskId(UUID(task_id)), step), self._loop
        )
        try:
            return future.result()
        except CancelledError:
            # The worker stops. An error would be stored as the step's outcome, so do not return: the step then counts
            # as not done, and the thread ends with the process.
            threading.Event().wait()
            raise

    async def _step(self, task_id: TaskId, step: Step) -> dict[str, Any]:
        """The outcome of one step, as ``workflow.Perform`` describes it."""
        me = asyncio.current_task()
        assert me is not None
        if self._closing:
            raise asyncio.CancelledError
        self._steps.add(me)
        me.add_done_callback(self._steps.discard)
        with structlog.contextvars.bound_contextvars(task_id=str(task_id)):
            try:
                return {"value": await self._do(task_id, step)}
            except TaskLost as lost:
                log.warning("this worker has lost the task; stopping", step=step.name, reason=str(lost))
                await self._abandon(task_id)
                return {"lost": str(lost)}
            except Exception as error:
                failure = TaskFailure.of(error)
                _log_failure(step, failure, error)
                return {"failed": failure.to_json()}

    async def _do(self, task_id: TaskId, step: Step) -> Any:
        """The step's value, which JSON can hold."""
        match step:
            case Start():
                return await self._start(task_id)
            case FinishFetch():
                run = self._run(task_id)
                self._running.pop(task_id, None)  # the next run of the task may start here at once
                return await run.finish_fetch()
            case RunStage():
                value = await self._run(task_id).perform(step)
                return dataclasses.asdict(value) if isinstance(value, StoredVideo) else value
            case Settle():
                status = await self._run(task_id).perform(step)
                self._running.pop(task_id, None)
                return status
            case Abandon():
                return await self._abandon(task_id)
            case _:
                assert_never(step)

    async def _start(self, task_id: TaskId) -> Phase:
        """Take the task for this worker. Raises TaskFailure: it was started too often."""
        self._running.setdefault(task_id, None)
        store, phase = self._ports.store, Phase.FETCH
        task = await retry_on_outage(lambda: store.start_fetch(task_id, self._executor))
        if task is None:
            phase = Phase.RENDER
            task = await retry_on_outage(lambda: store.start_task(task_id, self._executor))
        if task is None:
            await self._abandon(task_id)
            return Phase.OVER
        run = self._running[task_id]
        if run is None or run.phase is not phase:
            run = TaskRun(task, self._ports, self._options, self._executor, self._runners, phase)
        self._running[task_id] = run
        run.check_attempts()
        log.info("task started", phase=phase.value, attempt=task.attempts, executor=self._executor)
        return phase

    def _run(self, task_id: TaskId) -> TaskRun:
        run = self._running.get(task_id)
        if run is None:
            raise TaskLost("this worker has not started it")
        return run

    async def _abandon(self, task_id: TaskId) -> None:
        run = self._running.pop(task_id, None)
        if run is not None:
            await run.abandon()


def _log_failure(step: Step, failure: TaskFailure, error: Exception) -> None:
    """Log as an error only what is the service's fault, with its stack trace."""
    ours = failure.code is ResultCode.GENERATION_FAILED
    write = log.error if ours else log.info
    write(
        "step failed",
        step=step.name,
        code=int(failure.code),
        reason=failure.message,
        exc_info=error if ours else None,
    )

"""One task's way through its steps. Each step has the same effect done twice as once: a worker can die anywhere."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, assert_never

import structlog

from bodydouble.tasks.catalogue import find_model, produced_resolution
from bodydouble.tasks.digests import has_digest
from bodydouble.tasks.errors import ResultNotStorable, StorageUnavailable
from bodydouble.tasks.files import Downloader, FileStore
from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import TERMINAL, ResultCode, StageTime, Task, TaskResult, TaskStatus
from bodydouble.tasks.tracing import NO_TRACER, Tracer
from bodydouble.worker.checkpoint import Checkpoints
from bodydouble.worker.failure import UNEXPECTED, TaskFailure, TaskLost
from bodydouble.worker.messages import Done, Finish, Finished, Perceive, Prepare, Prepared, Probe, Probed, Render
from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.supervision.inputs import TaskInputs
from bodydouble.worker.supervision.preview_upload import PreviewUpload
from bodydouble.worker.supervision.restarting_child import RestartingChild
from bodydouble.worker.supervision.retry import retry_on_outage
from bodydouble.worker.supervision.runner_pool import RunnerPool
from bodydouble.worker.supervision.steps import Phase, RunStage, Settle, StoredVideo
from bodydouble.worker.supervision.task_lease import TaskLease
from bodydouble.worker.workspace import Workspace

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ports that a task run uses."""

    store: TaskStore
    files: FileStore
    downloader: Downloader
    tracer: Tracer = NO_TRACER


class TaskRun:
    """One task that this worker fetches inputs of, or renders with a child process."""

    def __init__(
        self,
        task: Task,
        ports: Ports,
        options: WorkerOptions,
        executor: str,
        runners: RunnerPool,
        phase: Phase = Phase.RENDER,
    ) -> None:
        self.task, self.phase = task, phase
        self._ports, self._options, self._executor = ports, options, executor
        # Files that wait for a render slot leave twice the reserve free, so that uploads and renderers have room.
        room = options.free_bytes_min * (2 if phase is Phase.FETCH else 1)
        self._workspace = Workspace(options.folder, task.id, room)
        self._inputs = TaskInputs(task, self._workspace, ports.files, ports.downloader)
        self._checkpoints = Checkpoints(ports.files, task, self._workspace.path) if options.checkpoints else None
        self._preview = PreviewUpload(task, self._workspace, ports.files, ports.store, executor)
        self._new_workspace = False  # what was done before is on another machine
        self._turn = asyncio.Lock()  # one step at a time, see ``perform``
        self._lease = TaskLease(task.id, executor, ports.store)
        self.child = RestartingChild(
            task,
            self._workspace,
            self._lease,
            runners,
            options,
            before_start=self._complete_workspace,
            after_open=self._bring_checkpoints,
        )

    def check_attempts(self) -> None:
        """Raises TaskFailure: too many workers have started the task."""
        if self.task.attempts > self._options.attempts_max:
            raise TaskFailure(
                ResultCode.GENERATION_FAILED,
                f"The worker that had this task ended before it was done, {self._options.attempts_max} times. "
                "Nothing was charged; try a lower resolution or a shorter video.",
            )

    async def perform(self, step: RunStage | Settle) -> Any:
        """Do one step, with a span in the task's trace; its value.

        Steps of one task wait for each other. Where a task was queued again while its former execution is in a step
        here, the durable engine runs both for a moment, until it sees that the former no longer owns the task.
        """
        async with self._turn:
            return await self._traced(step)

    async def _traced(self, step: RunStage | Settle) -> Any:
        attributes: dict[str, str | int] = {
            "bodydouble.task_id": str(self.task.id),
            "bodydouble.attempt": self.task.attempts,
        }
        if isinstance(step, RunStage) and step.segment is not None:
            attributes["bodydouble.segment"] = step.segment
        with self._ports.tracer.work(step.name, self.task.traceparent, attributes) as span:
            try:
                value = await (self.settle(step.outcome) if isinstance(step, Settle) else self._timed(step))
            except BaseException as error:
                span.annotate({"bodydouble.outcome": _outcome(error)})
                raise
            span.annotate({"bodydouble.outcome": value if isinstance(step, Settle) else "done"})
        return value

    async def _timed(self, step: RunStage) -> Any:
        """Do a stage, and add its time to the task's timeline."""
        started_at, began = datetime.now(UTC), time.monotonic()
        value = await self._run_stage(step.stage, step.segment)
        took = StageTime(stage=step.stage, started_at=started_at, seconds=time.monotonic() - began)
        try:
            await self._ports.store.add_stage_time(self.task.id, took)
        except StorageUnavailable as error:  # only shown to people: not worth a wait
            log.warning("a stage's time was not stored", step=step.name, error=error.message)
        return value

    async def _run_stage(self, stage: Stage, segment: int | None) -> Any:
        match stage:
            case Stage.FETCH:
                return await self.fetch()
            case Stage.PROBE:
                return await self.probe()
            case Stage.PERCEIVE:
                return await self.perceive()
            case Stage.PREPARE:
                return await self.prepare()
            case Stage.RENDER:
                assert segment is not None, "a render step names its segment"
                return await self.render(segment)
            case Stage.MUX:
                return await self.finish()
            case Stage.QUEUED | Stage.DONE:
                raise ValueError(f"no work is done in the stage {stage}")
            case _:
                assert_never(stage)

    async def fetch(self) -> None:
        """Bring the inputs here: to the file store before the task waits for a render slot, else to the workspace.

        Raises InputRejected, and what ``TaskLease.check`` raises.
        """
        work = self._inputs.fetch(self._options) if self.phase is Phase.FETCH else self._complete_workspace()
        await self._lease.while_held(work)

    async def finish_fetch(self) -> None:
        """Move the task to the queue of tasks to render. Raises TaskLost."""
        await self._workspace.remove()  # before another run of the task, maybe on this worker, makes it again
        if not await retry_on_outage(lambda: self._ports.store.finish_fetch(self.task.id, self._executor)):
            raise TaskLost("it is over, or another worker has it")

    async def probe(self) -> None:
        """Check the inputs and reserve the exact price. Raises TaskFailure, InsufficientCredits."""
        probed = await self.child.ask(Probe(), Probed)
        model = find_model(self.task.model, self._options.catalogue)
        resolution = produced_resolution(str(self.task.inputs["resolution"]), probed.short_side)
        price = model.price(resolution, probed.duration_seconds)
        await retry_on_outage(lambda: self._ports.store.reserve_exactly(self.task.id, price))

    async def perceive(self) -> None:
        """Find and track the person."""
        await self.child.ask(Perceive(), Done)
        await self._store_checkpoint(Stage.PERCEIVE)

    async def prepare(self) -> int:
        """Do the renderer's work for the whole shot; the number of segments."""
        prepared = await self.child.ask(Prepare(), Prepared)
        await self._store_checkpoint(Stage.PREPARE)
        return prepared.segments

    async def render(self, segment: int) -> None:
        """Render one segment. The stored preview grows meanwhile."""
        async with self._preview.following():
            await self.child.ask(Render(segment=segment), Done)
            await self._store_checkpoint(f"{Stage.RENDER} {segment}")
        await self._lease.while_held(self._preview.store())

    async def finish(self) -> StoredVideo:
        """Join the segments and store the file. Returns its key and the task's media information."""
        for attempt in range(1, self._options.attempts_max + 1):
            finished = await self.child.ask(Finish(), Finished)
            if await asyncio.to_thread(has_digest, self._workspace.result, finished.digest):
                try:
                    return await self._lease.while_held(self._store_result(finished))
                except FileNotFoundError:
                    pass
            log.warning("the finished video was damaged or removed before delivery", attempt=attempt)
            await self.close()
        raise TaskFailure(ResultCode.GENERATION_FAILED, UNEXPECTED)

    async def _store_result(self, finished: Finished) -> StoredVideo:
        key = f"results/{self.task.account}/{self.task.id}.mp4"
        await retry_on_outage(lambda: self._ports.files.put_file(key, self._workspace.result, "video/mp4"))
        return StoredVideo(key=key, media_info=dict(finished.media_info))

    async def settle(self, outcome: StoredVideo | TaskFailure) -> str:
        """Charge or release the credits, once, and remove the workspace. The status given, or ``lost``."""
        await self.close()
        match outcome:
            case StoredVideo():
                status = TaskStatus.SUCCESS
                result = TaskResult(
                    code=ResultCode.SUCCESS,
                    message="success",
                    media_keys=(outcome.key,),
                    media_info=outcome.media_info,
                )
            case TaskFailure():
                status = TaskStatus.FAILED
                result = TaskResult(code=outcome.code, message=outcome.message)
            case _:
                assert_never(outcome)
        try:
            settled = await self._store_outcome(status, result)
        except ResultNotStorable as error:  # another attempt would make the same result
            log.error("the result cannot be stored; the task fails", error=error.message)
            status, result = TaskStatus.FAILED, TaskResult(code=ResultCode.GENERATION_FAILED, message=UNEXPECTED)
            settled = await self._store_outcome(status, result)
        if settled:
            log.info("task settled", status=status.value, code=int(result.code), reason=result.message)
            await self._drop_checkpoints()
            await self._inputs.drop()
        else:
            log.warning("another worker has settled the task", status=status.value)
        if isinstance(outcome, StoredVideo) and not (settled and status is TaskStatus.SUCCESS):
            await self._drop_result(outcome.key)
        await self._workspace.remove()
        return status.value if settled else "lost"

    async def _store_outcome(self, status: TaskStatus, result: TaskResult) -> bool:
        return await retry_on_outage(lambda: self._ports.store.settle(self.task.id, status, result, self._executor))

    async def abandon(self) -> None:
        """Stop, and remove the workspace: the task is over, or another worker has it."""
        await self.close()
        await self._workspace.remove()
        if self.phase is Phase.FETCH and await self._is_over():  # a file may have come after its owner's cancel
            await self._inputs.drop()

    async def _drop_result(self, key: str) -> None:
        """Delete a stored video that the ended task does not name. The cleanup would keep it as long as a result."""
        with suppress(StorageUnavailable):
            task = await self._ports.store.get_task(self.task.id)
            if task is None or (task.status in TERMINAL and not (task.result and key in task.result.media_keys)):
                await self._ports.files.delete([key])

    async def _is_over(self) -> bool:
        try:
            task = await self._ports.store.get_task(self.task.id)
        except StorageUnavailable:  # the cleanup deletes the inputs later
            return False
        return task is None or task.status in TERMINAL

    async def close(self) -> None:
        """End the child. The workspace stays for the next attempt."""
        await self.child.close()

    async def _complete_workspace(self) -> None:
        """Make the workspace and fetch the missing inputs. Another worker's workspace may have been lost with it."""
        self._new_workspace |= not self._workspace.path.exists()
        await self._inputs.complete(self._options)

    async def _bring_checkpoints(self) -> None:
        """In a new workspace, restore what other workers have finished. After ``Open``, which removes stale files."""
        if self._new_workspace and self._checkpoints is not None:
            files = await self._checkpoints.bring()
            log.info("restored the artefacts of other workers", files=files)
        self._new_workspace = False

    async def _store_checkpoint(self, step: str) -> None:
        """Store what is finished for workers on other machines. A failure costs such a worker time, nothing else."""
        if self._checkpoints is None:
            return
        try:
            await self._lease.while_held(self._checkpoints.keep(step))
        except StorageUnavailable as error:
            log.warning("a checkpoint was not stored", step=step, error=error.message)
        except OSError as error:  # the disk is full, or a file is gone: the next request to the child finds out
            log.warning("a checkpoint was not stored", step=step, error=str(error))

    async def _drop_checkpoints(self) -> None:
        if self._checkpoints is None:
            return
        try:
            await self._checkpoints.drop()
        except StorageUnavailable as error:  # the cleanup deletes them later
            log.warning("checkpoints were not removed", error=error.message)


def _outcome(error: BaseException) -> str:
    """A span's word for the error that ended its step: the task's result code if it ends the task."""
    match error:
        case TaskLost():
            return "lost"
        case asyncio.CancelledError():
            return "interrupted"  # the worker stops; the step is done again
        case _:
            return TaskFailure.of(error).code.name.lower()

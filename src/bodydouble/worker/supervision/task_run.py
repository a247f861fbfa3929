"""The steps of one task. Each may be done twice with the same effect as once: a worker can die anywhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, assert_never

import structlog

from bodydouble.tasks.catalogue import find_model
from bodydouble.tasks.errors import Cancelled, InputRejected, NotFound, StorageUnavailable
from bodydouble.tasks.files import Downloader, FileStore
from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import LeaseStatus, ResultCode, StageTime, Task, TaskId, TaskProgress, TaskResult, TaskStatus
from bodydouble.tasks.tracing import NO_TRACER, Tracer
from bodydouble.worker.checkpoint import Checkpoints
from bodydouble.worker.failure import OVERDUE, TaskFailure, TaskLost
from bodydouble.worker.order import WorkerOptions, runner_options, shot_order
from bodydouble.worker.supervision.child_process import Child, ChildDied
from bodydouble.worker.supervision.runner_slots import Lease, Runners
from bodydouble.worker.supervision.steps import Abandon, RunStage, Settle, Start, Step
from bodydouble.worker.workspace import Workspace, telling_full

WATCH_SECONDS = 0.5
"""How often progress is stored, and the task's standing looked at."""
CANCEL_SECONDS_MAX = 1.0
"""What is given up has so long to end by itself; a copy in a thread goes on behind our back, to no effect."""
RETRY_SECONDS_MAX = 30.0

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The outside, as a replacement needs it."""

    store: TaskStore
    files: FileStore
    downloader: Downloader
    tracer: Tracer = NO_TRACER


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Wait for the storage to come back or to have room: an outage is no reason for a task to fail.

    Who calls it under the eyes of ``_watched`` waits no longer than the task's deadline.
    """
    pause = 0.5
    while True:
        try:
            return await call()
        except StorageUnavailable as error:
            log.warning("storage does not do as asked; trying again", error=error.message, seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_SECONDS_MAX)


class Replacement:
    """One task on its way through its steps, with the child that works for it."""

    def __init__(self, task_id: TaskId, ports: Ports, options: WorkerOptions, executor: str, runners: Runners) -> None:
        self.task_id = task_id
        self._ports, self._options, self._executor, self._runners = ports, options, executor, runners
        self._workspace = Workspace(options.folder, task_id, options.free_bytes_min)
        self._checkpoints: Checkpoints | None = None
        self._elsewhere = False  # the workspace is new: what was done before is on another machine
        self._child: Child | None = None
        self._lease: Lease | None = None  # of a runner; None too where the task needs none
        self._opened = False  # the child has the shot
        self._progress = TaskProgress(stage=Stage.FETCH)
        self._traceparent: str | None = None
        self._attempt = 0  # of executors, for the task; known from the start on

    async def perform(self, step: Step) -> Any:
        """One step, with its span in the task's trace."""
        if isinstance(step, Start):  # tells which trace it is
            return await self.start()
        attributes: dict[str, str | int] = {
            "bodydouble.task_id": str(self.task_id),
            "bodydouble.attempt": self._attempt,
        }
        if isinstance(step, RunStage) and step.segment is not None:
            attributes["bodydouble.segment"] = step.segment
        with self._ports.tracer.work(step.name, self._traceparent, attributes) as span:
            try:
                value = await self._perform(step)
            except BaseException as error:
                span.annotate({"bodydouble.outcome": _outcome(error)})
                raise
            span.annotate({"bodydouble.outcome": value if isinstance(step, Settle) else "done"})
        return value

    async def _perform(self, step: RunStage | Settle | Abandon) -> Any:
        match step:
            case RunStage():
                return await self._timed(step)
            case Settle():
                return await self.settle(step.outcome)
            case Abandon():
                return await self.abandon()
            case _:
                assert_never(step)

    async def _timed(self, step: RunStage) -> Any:
        """A stage, with its time in the task's timeline."""
        started_at, began = datetime.now(UTC), time.monotonic()
        value = await self._run_stage(step.stage, step.segment)
        took = StageTime(stage=step.stage, started_at=started_at, seconds=time.monotonic() - began)
        try:
            await self._ports.store.add_stage_time(self.task_id, took)
        except StorageUnavailable as error:  # shown to people; no reason to wait
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
                assert segment is not None, "render is for one segment"
                return await self.render(segment)
            case Stage.MUX:
                return await self.finish()
            case Stage.QUEUED | Stage.DONE:
                raise ValueError(f"{stage} is no work")
            case _:
                assert_never(stage)

    async def start(self) -> bool:
        """Take the task for this worker; false where it is over already. Raises TaskFailure: it was taken too often."""
        task = await patiently(lambda: self._ports.store.start_task(self.task_id, self._executor))
        if task is None:
            return False
        self._traceparent, self._attempt = task.traceparent, task.attempts
        if task.attempts > self._options.attempts_max:
            raise TaskFailure(
                ResultCode.GENERATION_FAILED,
                f"The worker that had this task ended before it was done, {self._options.attempts_max} times. "
                "Nothing was charged; try a lower resolution or a shorter video.",
            )
        if self._options.checkpoints:
            self._checkpoints = Checkpoints(self._ports.files, task, self._workspace.path)
        log.info("task started", attempt=task.attempts, executor=self._executor)
        return True

    async def fetch(self) -> None:
        """Bring both inputs into the workspace. Raises InputRejected, and what ``_watched`` raises."""
        await self._watched(self._fetch())

    async def _fetch(self) -> None:
        task = await self._task()
        self._elsewhere |= not self._workspace.path.exists()
        await patiently(self._make_workspace)
        for field, target, limit in (
            ("img_urls", self._workspace.image, "image_bytes_max"),
            ("video_urls", self._workspace.video, "video_bytes_max"),
        ):
            if not target.exists():  # whole where it does: both ways write beside it and rename
                await self._fetch_one(task, target, self._options.limits[limit], field)

    async def _make_workspace(self) -> None:
        self._workspace.make()

    async def _fetch_one(self, task: Task, target: Path, bytes_max: int, field: str) -> None:
        url = str(task.inputs[field][0])
        key = await patiently(lambda: self._ports.files.own_key(url, task.account))
        if key is None:
            await patiently(lambda: self._download(url, target, bytes_max, field))
            return
        try:
            await patiently(lambda: self._ports.files.get_file(key, target, bytes_max))
        except NotFound:
            raise InputRejected(
                f"{field}: nothing was uploaded to this address. PUT the file to the presigned_url that upload-url "
                "answered, then create the task again.",
                field=field,
            ) from None

    async def _download(self, url: str, target: Path, bytes_max: int, field: str) -> None:
        with telling_full():
            await self._ports.downloader.download(url, target, bytes_max, field)

    async def probe(self) -> None:
        """Check the inputs and reserve the exact price. Raises TaskFailure, InsufficientCredits."""
        answer = await self._ask({"op": "probe"})
        task = await self._task()
        model = find_model(task.model, self._options.catalogue)
        price = model.price(str(task.inputs["resolution"]), float(answer["duration_seconds"]))
        await patiently(lambda: self._ports.store.reserve_exactly(self.task_id, price))

    async def perceive(self) -> None:
        """Find and follow the person."""
        await self._ask({"op": "perceive"})
        await self._keep("perceive")

    async def prepare(self) -> int:
        """The renderer's work for the whole shot; answers the number of segments."""
        segments = int(await self._ask({"op": "prepare"}))
        await self._keep("prepare")
        return segments

    async def render(self, segment: int) -> None:
        """One segment, and a picture of it for whoever waits."""
        await self._ask({"op": "render", "segment": segment})
        await self._keep(f"render {segment}")
        await self._show()

    async def finish(self) -> dict[str, Any]:
        """Join the segments, store the file; answers what the task's result says of it."""
        info = await self._ask({"op": "finish"})
        task = await self._task()
        key = f"results/{task.account}/{self.task_id}.mp4"

        async def put() -> None:
            await patiently(lambda: self._ports.files.put_file(key, self._workspace.result, "video/mp4"))

        await self._watched(put())
        return {"key": key, "media_info": info}

    async def settle(self, result: dict[str, Any]) -> str:
        """Charge or release, once, and clear up. Answers the status that the task was given, or ``lost``."""
        await self.close()
        if "key" in result:
            status = TaskStatus.SUCCESS
            outcome = TaskResult(
                code=ResultCode.SUCCESS,
                message="success",
                media_keys=(result["key"],),
                media_info=result["media_info"],
            )
        else:
            status = TaskStatus.FAILED
            outcome = TaskResult(code=ResultCode(result["code"]), message=result["message"])
        settled = await patiently(lambda: self._ports.store.settle(self.task_id, status, outcome, self._executor))
        if not settled:
            log.warning("the task was settled by somebody else", status=status.value)
        else:
            log.info("task settled", status=status.value, code=int(outcome.code), reason=outcome.message)
            if self._checkpoints is not None:
                try:
                    await self._checkpoints.drop()
                except StorageUnavailable as error:  # the cleanup finds them later
                    log.warning("checkpoints were not removed", error=error.message)
        await self._workspace.remove()
        return status.value if settled else "lost"

    async def abandon(self) -> None:
        """The task is not ours any more: stop, and leave nothing of it here."""
        await self.close()
        await self._workspace.remove()

    async def close(self) -> None:
        """End the child; the workspace stays for whoever goes on, the runner for the next task."""
        lease, self._lease = self._lease, None
        try:
            await self._end_child()
        finally:
            if lease is not None:
                self._runners.give_back(lease)

    async def _close_after_fault(self, reason: str) -> str:
        """End all that worked on the task. Answers why it had to: what the runner died of counts before ``reason``."""
        lease, self._lease = self._lease, None
        await self._end_child()
        words = None if lease is None else await self._runners.discard(lease)
        return reason if words is None else f"in the process with the model: {words}"

    async def _end_child(self) -> None:
        child, self._child, self._opened = self._child, None, False
        if child is not None:
            await child.end()

    async def _task(self) -> Task:
        task = await patiently(lambda: self._ports.store.get_task(self.task_id))
        if task is None:
            raise TaskLost("the task was deleted")
        return task

    async def _check_wanted(self) -> None:
        """Store the progress. Raises Cancelled, TaskFailure past the deadline, TaskLost."""
        try:
            standing = await self._ports.store.set_progress(self.task_id, self._executor, self._progress)
        except StorageUnavailable as error:  # an outage of the database does not stop a renderer
            log.warning("progress was not stored", error=error.message)
            return
        match standing:
            case LeaseStatus.HELD:
                return
            case LeaseStatus.CANCELLED:
                raise Cancelled("The caller asked to stop")
            case LeaseStatus.OVERDUE:
                raise TaskFailure(ResultCode.GENERATION_FAILED, OVERDUE)
            case LeaseStatus.LOST:
                raise TaskLost("it is over, or another worker has it")

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` answers; it is given up once the task's standing says so (see ``_check_wanted``)."""
        working = asyncio.ensure_future(work)
        try:
            while True:
                await self._check_wanted()
                done, _ = await asyncio.wait({working}, timeout=WATCH_SECONDS)
                if done:
                    return working.result()
        finally:
            if working.cancel():
                await asyncio.wait({working}, timeout=CANCEL_SECONDS_MAX)

    async def _ask(self, message: dict[str, Any]) -> Any:
        """Have the child do one operation, in a fresh one after each crash, up to the bound."""
        reason = ""
        for attempt in range(1, self._options.attempts_max + 1):
            try:
                return await self._watched(patiently(lambda: self._ask_child(message)))
            except ChildDied as error:
                reason = await self._close_after_fault(str(error))
                log.warning("child died", operation=message["op"], attempt=attempt, reason=reason)
            except BaseException:
                await self.close()
                raise
        raise TaskFailure(
            ResultCode.GENERATION_FAILED,
            f"The process that makes the video ended {self._options.attempts_max} times in the stage "
            f"{self._progress.stage}: {reason}. Nothing was charged; try a lower resolution or a shorter video.",
        )

    async def _ask_child(self, message: dict[str, Any]) -> Any:
        if self._child is None:
            await self._fetch()  # the workspace may have been lost with the worker that had it
            await self._start_child(await self._task())
        if not self._opened:
            runner = self._lease.address if self._lease else None
            order = shot_order(await self._task(), self._workspace, self._options, runner)
            await self._tell({"op": "open", "order": order})
            if self._elsewhere and self._checkpoints is not None:  # after open, which removes what it does not know
                brought = await self._checkpoints.bring()
                log.info("brought what other workers left", files=brought)
            self._opened, self._elsewhere = True, False
        self._workspace.check_room()
        return await self._tell(message)

    async def _start_child(self, task: Task) -> None:
        wanted = await asyncio.to_thread(runner_options, task, self._options)
        if wanted is not None and self._lease is None:
            self._lease = await self._runners.lease(wanted)
        environment = self._lease.environment if self._lease else {}
        self._child = await Child.start(self._options.child, self._workspace.child_log, environment)
        log.info("child started", pid=self._child.pid)

    async def _tell(self, message: dict[str, Any]) -> Any:
        assert self._child is not None
        return await self._child.ask(
            message,
            self._note,
            silence_seconds_max=self._options.silence_seconds_max,
            stall_seconds_max=self._options.stall_seconds_max,
        )

    def _note(self, progress: TaskProgress) -> None:
        self._progress = progress

    async def _keep(self, step: str) -> None:
        """Store what is finished where another machine finds it. What is not stored costs time there, nothing else."""
        if self._checkpoints is None:
            return
        try:
            await self._watched(self._checkpoints.keep(step))
        except StorageUnavailable as error:
            log.warning("a checkpoint was not stored", step=step, error=error.message)

    async def _show(self) -> None:
        """The preview, where there is one; missing it is no harm."""
        if not self._workspace.preview.exists():
            return
        task = await self._task()
        key = f"results/{task.account}/{self.task_id}.jpg"
        try:
            await self._watched(self._ports.files.put_file(key, self._workspace.preview, "image/jpeg"))
            await self._ports.store.set_preview(self.task_id, self._executor, key)
        except StorageUnavailable as error:
            log.warning("the preview was not stored", error=error.message)


def _outcome(error: BaseException) -> str:
    """What a step that raised is called in its span: the task's result code where it ends the task."""
    match error:
        case TaskLost():
            return "lost"
        case asyncio.CancelledError():
            return "interrupted"  # the worker ends; the step is done again
        case _:
            return TaskFailure.of(error).code.name.lower()

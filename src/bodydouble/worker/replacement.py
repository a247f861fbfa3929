"""The steps of one task. Each may be done twice with the same effect as once: a worker can die anywhere."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from bodydouble.tasks.catalogue import find_model
from bodydouble.tasks.errors import Cancelled, InputRejected, NotFound, StorageUnavailable
from bodydouble.tasks.ports import Downloader, FileStore, TaskStore
from bodydouble.tasks.task import ResultCode, Standing, Task, TaskId, TaskProgress, TaskResult, TaskStatus
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.order import WorkerOptions, shot_order
from bodydouble.worker.supervisor import Child, ChildDied

WATCH_SECONDS = 0.5
"""How often progress is stored and a cancel is looked for."""
RETRY_SECONDS_MAX = 30.0

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The outside, as a replacement needs it."""

    store: TaskStore
    files: FileStore
    downloader: Downloader


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Wait for the storage to come back, however long it takes: a finished task is never lost to an outage."""
    pause = 0.5
    while True:
        try:
            return await call()
        except StorageUnavailable as error:
            log.warning("storage does not answer; trying again", error=error.message, seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_SECONDS_MAX)


class Replacement:
    """One task on its way through its steps, with the child that works for it."""

    def __init__(self, task_id: TaskId, ports: Ports, options: WorkerOptions, executor: str) -> None:
        self.task_id = task_id
        self._ports, self._options, self._executor = ports, options, executor
        self._workspace = options.folder / str(task_id)
        self._child: Child | None = None
        self._progress = TaskProgress(stage="fetch")
        self.closing = False  # the worker is ending: nothing that happens now is an outcome

    async def start(self) -> bool:
        """Mark the task as running; false where it is over already."""
        return await patiently(lambda: self._ports.store.start_task(self.task_id, self._executor)) is not None

    async def fetch(self) -> None:
        """Bring both inputs into the workspace. Raises InputRejected, Cancelled."""
        task = await self._task()
        await self._check_wanted()
        self._workspace.mkdir(parents=True, exist_ok=True)
        for field, name, limit in (
            ("img_urls", "image", "image_bytes_max"),
            ("video_urls", "video", "video_bytes_max"),
        ):
            target = self._workspace / name
            if not target.exists():  # whole where it does: both ways write beside it and rename
                await self._fetch_one(task, target, self._options.limits[limit], field)

    async def _fetch_one(self, task: Task, target: Path, bytes_max: int, field: str) -> None:
        url = str(task.inputs[field][0])
        key = await patiently(lambda: self._ports.files.own_key(url, task.account))
        if key is None:
            await self._ports.downloader.download(url, target, bytes_max, field)
            return
        try:
            await patiently(lambda: self._ports.files.get_file(key, target, bytes_max))
        except NotFound:
            raise InputRejected(
                f"{field}: nothing was uploaded to this address. PUT the file to the presigned_url that upload-url "
                "answered, then create the task again.",
                field=field,
            ) from None

    async def probe(self) -> None:
        """Check the inputs and reserve the exact price. Raises TaskFailure, InsufficientCredits."""
        answer = await self._ask({"op": "probe"})
        task = await self._task()
        price = find_model(task.model).price(str(task.inputs["resolution"]), float(answer["duration_seconds"]))
        await self._ports.store.reserve_exactly(self.task_id, price)

    async def perceive(self) -> None:
        """Find and follow the person."""
        await self._ask({"op": "perceive"})

    async def prepare(self) -> int:
        """The renderer's work for the whole shot; answers the number of segments."""
        return int(await self._ask({"op": "prepare"}))

    async def render(self, segment: int) -> None:
        """One segment."""
        await self._ask({"op": "render", "segment": segment})

    async def finish(self) -> dict[str, Any]:
        """Join the segments, store the file; answers what the task's result says of it."""
        info = await self._ask({"op": "finish"})
        task = await self._task()
        key = f"results/{task.account}/{self.task_id}.mp4"
        source = self._workspace / "result.mp4"
        await patiently(lambda: self._ports.files.put_file(key, source, "video/mp4"))
        return {"key": key, "media_info": info}

    async def settle(self, result: dict[str, Any]) -> str:
        """Charge or release, once, and clear the workspace. Answers the status that the task was given."""
        await self._end_child()
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
        await patiently(lambda: self._ports.store.settle(self.task_id, status, outcome, self._executor))
        await asyncio.to_thread(shutil.rmtree, self._workspace, ignore_errors=True)
        log.info("task settled", status=status.value, code=int(outcome.code), reason=outcome.message)
        return status.value

    async def close(self) -> None:
        """The worker ends: stop the child and leave the rest to whoever goes on."""
        self.closing = True
        await self._end_child()

    async def _task(self) -> Task:
        task = await patiently(lambda: self._ports.store.get_task(self.task_id))
        if task is None:
            raise Cancelled("The task was deleted")
        return task

    async def _check_wanted(self) -> None:
        """Raises Cancelled where the owner asked to stop. Also stores the progress."""
        try:
            standing = await self._ports.store.set_progress(self.task_id, self._executor, self._progress)
        except StorageUnavailable as error:  # an outage of the database does not stop a renderer
            log.warning("progress was not stored", error=error.message)
            return
        if standing is not Standing.WANTED:
            raise Cancelled("The caller asked to stop")

    async def _ask(self, message: dict[str, Any]) -> Any:
        """Have the child do one operation, in a fresh one after each crash, up to the bound."""
        await self._check_wanted()
        reason = ""
        for attempt in range(1, self._options.attempts_max + 1):
            try:
                return await self._watch(message)
            except ChildDied as error:
                if self.closing:  # we ended it ourselves: no outcome, and no other child
                    await asyncio.Event().wait()
                reason = str(error)
                log.warning("child died", operation=message["op"], attempt=attempt, reason=reason)
            except BaseException:
                await self._end_child()
                raise
            await self._end_child()
        raise TaskFailure(
            ResultCode.GENERATION_FAILED,
            f"The process that makes the video ended {self._options.attempts_max} times in the stage "
            f"{self._progress.stage}: {reason}. Nothing was charged; try a lower resolution or a shorter video.",
        )

    async def _watch(self, message: dict[str, Any]) -> Any:
        """The child's answer, while progress is stored and a cancel is looked for."""
        asking = asyncio.ensure_future(self._ask_child(message))
        try:
            while True:
                done, _ = await asyncio.wait({asking}, timeout=WATCH_SECONDS)
                if done:
                    return asking.result()
                await self._check_wanted()
        finally:
            asking.cancel()

    async def _ask_child(self, message: dict[str, Any]) -> Any:
        if self._child is None:
            await self.fetch()  # the workspace may have been lost with the worker that had it
            self._child = await Child.start(self._options.child, self._workspace / "child.log")
            log.info("child started", pid=self._child.pid)
            await self._tell({"op": "open", "order": shot_order(await self._task(), self._workspace, self._options)})
        return await self._tell(message)

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

    async def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.end()

"""One worker: takes tasks from the queue, one at a time, until it is told to stop."""

import asyncio
import fcntl
import os
import socket
import threading
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import structlog
from dbos import DBOS

from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.queue import APPLICATION, APPLICATION_VERSION, QUEUE
from bodydouble.tasks.task import TaskId
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.replacement import Ports, Replacement
from bodydouble.worker.workflow import register_workflow

POLL_SECONDS = 0.2
DESTROY_SECONDS_MAX = 5.0
STEPS = frozenset({"start", "fetch", "probe", "perceive", "prepare", "render", "finish", "settle"})

log = structlog.get_logger(__name__)


class Worker:
    """Runs in the main thread's event loop: its children live and die with that thread."""

    def __init__(self, ports: Ports, options: WorkerOptions, database_url: str) -> None:
        self._ports, self._options, self._database_url = ports, options, database_url
        self._running: dict[TaskId, Replacement] = {}
        self._closing = False
        # Fixed for this folder: a worker that starts again finds what it left unfinished.
        self._executor = f"{socket.gethostname()}:{options.folder.resolve()}"

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then hand over: what is unfinished goes on at the next start.

        Raises:
            StorageUnavailable: another worker works in the same folder.
        """
        self._options.folder.mkdir(parents=True, exist_ok=True)
        with _lock(self._options.folder / ".lock"):
            self._loop = asyncio.get_running_loop()
            await asyncio.to_thread(self._launch)
            log.info("worker ready", folder=str(self._options.folder))
            await stop.wait()
            self._closing = True
            await asyncio.gather(*(r.close() for r in self._running.values()))
            try:
                await asyncio.wait_for(asyncio.to_thread(DBOS.destroy), DESTROY_SECONDS_MAX)
            except TimeoutError:
                log.warning("the durable engine did not close in time; it recovers at the next start")
            log.info("worker stopped", unfinished=len(self._running))

    def _launch(self) -> None:
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._database_url,
                "application_version": APPLICATION_VERSION,
                "executor_id": self._executor,
                "log_level": "WARNING",
                "enable_otlp": False,
            }
        )
        register_workflow(self._perform)
        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)

    def _perform(self, task_id: str, step: str, *arguments: Any) -> dict[str, Any]:
        """One step, called from the engine's thread, done in the event loop."""
        future: Future[dict[str, Any]] = asyncio.run_coroutine_threadsafe(
            self._step(TaskId(UUID(task_id)), step, *arguments), self._loop
        )
        try:
            return future.result()
        except CancelledError:
            # The loop ends. An error would be recorded as the step's outcome; silence counts as not done, and the
            # process is about to end this thread.
            threading.Event().wait()
            raise

    async def _step(self, task_id: TaskId, step: str, *arguments: Any) -> dict[str, Any]:
        assert step in STEPS, step
        with structlog.contextvars.bound_contextvars(task_id=str(task_id)):
            replacement = self._running.setdefault(
                task_id, Replacement(task_id, self._ports, self._options, self._executor)
            )
            try:
                outcome = {"value": await getattr(replacement, step)(*arguments)}
            except Exception as error:
                failure = TaskFailure.of(error)
                log.info("step failed", step=step, code=int(failure.code), reason=failure.message, exc_info=error)
                outcome = {"failed": failure.to_json()}
            if self._closing:
                # Whatever came of it came of our stopping. Unanswered, the step counts as not done.
                await asyncio.Event().wait()
            if step == "settle" or outcome == {"value": False}:
                self._running.pop(task_id, None)
            return outcome


def _lock(path: Path) -> TextIO:
    """Hold ``path`` for this process; the kernel gives it free with the process."""
    stream = path.open("w")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise StorageUnavailable(
            f"Another worker already works in {path.parent}. Start this one with its own --data folder.",
            folder=str(path.parent),
        ) from None
    stream.write(str(os.getpid()))
    stream.flush()
    return stream

"""A worker process: the engine, its steps, and an orderly end."""

import asyncio
import hashlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from bodydouble.worker.steps import TaskSteps
from bodydouble.worker.workflow import configure_engine, launch_engine, register_workflow, stop_engine

CONCURRENCY = 1
"""Tasks at once: one shot uses the whole machine."""
_log = structlog.get_logger("bodydouble.worker")


def executor_id(data: Path) -> str:
    """The same for this data folder on this machine, whenever it starts: its unfinished tasks are found by it."""
    digest = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
    return f"{socket.gethostname()}-{digest}"


def run_worker(
    database_url: str, data: Path, build_steps: Callable[[asyncio.AbstractEventLoop], Coroutine[Any, Any, TaskSteps]]
) -> None:
    """Work until SIGTERM or SIGINT. The segment under way is given up; it is done again at the next start."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="ports", daemon=True).start()
    steps = asyncio.run_coroutine_threadsafe(build_steps(loop), loop).result()
    configure_engine(database_url, executor_id(data))
    register_workflow(steps)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    launch_engine(CONCURRENCY)
    _log.info("worker ready", executor=executor_id(data), pid=os.getpid())
    stop.wait()
    _log.info("worker stops")
    stop_engine()
    steps.close()
    # Threads of the engine may still wait for a child that was just ended: nothing of theirs is worth waiting for.
    os._exit(0)

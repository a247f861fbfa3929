"""A task run over a child that follows a script."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.supervision.runner_pool import RunnerPool
from bodydouble.worker.supervision.steps import Phase
from bodydouble.worker.supervision.task_run import Ports, TaskRun
from fake_ports import EXECUTOR, FakePorts, make_task

SCRIPTED_CHILD = Path(__file__).with_name("scripted_child.py")


@pytest.fixture
def fake_ports() -> FakePorts:
    return FakePorts()


@pytest.fixture
def runs() -> list[TaskRun]:
    """The task runs of the test."""
    return []


@pytest.fixture
def make_run(tmp_path, fake_ports, runs):
    """A task run whose children follow the script given."""

    def make(phase: Phase = Phase.RENDER, inputs: Mapping[str, Any] | None = None, **script: Any) -> TaskRun:
        path = tmp_path / "script.json"
        path.write_text(json.dumps({name.replace("_", " "): entries for name, entries in script.items()}))
        options = WorkerOptions(
            folder=tmp_path / "work",
            child=(sys.executable, str(SCRIPTED_CHILD), str(path)),
            limits={"image_bytes_max": 10, "video_bytes_max": 10},
            free_bytes_min=1000,
        )
        ports = Ports(store=fake_ports, files=fake_ports, downloader=fake_ports)
        runs.append(TaskRun(make_task(**inputs or {}), ports, options, EXECUTOR, RunnerPool(options, []), phase))
        return runs[-1]

    return make


@pytest.fixture
def run(runs):
    """Run steps one after the other in one event loop, which ends the test's children; the last step's value."""

    async def all_of_them(steps):
        value = None
        try:
            for step in steps:
                value = await step()
        finally:
            for r in runs:
                await r.close()
        return value

    return lambda *steps: asyncio.run(all_of_them(steps))

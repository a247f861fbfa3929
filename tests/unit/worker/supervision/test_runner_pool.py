"""Tasks that share a model runner, and what its faults cost them."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from bodydouble.tasks.errors import Cancelled
from bodydouble.tasks.task import TaskId
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.messages import Prepare, Prepared
from bodydouble.worker.order import RunnerOrder, WorkerOptions
from bodydouble.worker.supervision import restarting_child
from bodydouble.worker.supervision.runner_pool import RunnerPool
from bodydouble.worker.supervision.task_run import Ports, TaskRun
from fake_ports import EXECUTOR, FakePorts, children, make_task

pytestmark = pytest.mark.anyio
HERE = Path(__file__).parent
ORDER = RunnerOrder(program="scripted", loaded={})
ANSWER = 5 * 16 * 16 * 3 * 4
"""The sum of the child's frames of ones, to each of which the runner adds the three carried ones."""


async def generate(task: TaskRun) -> int:
    """Have the task's child generate a segment; the sum of the frames."""
    return (await task.child.ask(Prepare(), Prepared)).segments


class Bench:
    """Runners that follow a script, and task runs that use them."""

    def __init__(self, folder: Path, fake_ports: FakePorts, idle_seconds: float = 60.0) -> None:
        self.script = folder / "script.json"
        self.options = WorkerOptions(
            folder=folder / "work",
            child=(sys.executable, str(HERE / "generating_child.py")),
            runner=(sys.executable, str(HERE / "scripted_runner.py"), str(self.script)),
            runner_idle_seconds=idle_seconds,
            limits={"image_bytes_max": 10, "video_bytes_max": 10},
        )
        self.fake_ports = fake_ports
        self.runners = RunnerPool(self.options, [])

    def follow(self, *script: str) -> None:
        """Set what the runner's engine does for one segment after the other."""
        self.script.write_text(json.dumps(script))

    def task(self, number: int) -> TaskRun:
        """A run of a task for the wan renderer."""
        ports = Ports(store=self.fake_ports, files=self.fake_ports, downloader=self.fake_ports)  # pyright: ignore[reportArgumentType]
        return TaskRun(replace(make_task(), id=TaskId(UUID(int=number))), ports, self.options, EXECUTOR, self.runners)

    @property
    def notes(self) -> list[str]:
        """The requests to the engines."""
        return self.script.with_suffix(".notes").read_text().splitlines()


def runner_pids() -> list[int]:
    """The running runners of this process."""
    return [process.pid for process in children("scripted_runner.py")]


async def until(holds) -> None:
    """Wait for ``holds()``."""
    async with asyncio.timeout(300):
        while not holds():
            await asyncio.sleep(0.02)


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restarting_child, "runner_order", lambda task, options: ORDER)
    bench = Bench(tmp_path, FakePorts())
    yield bench
    await bench.runners.close()
    assert runner_pids() == []


async def test_two_tasks_load_once(bench: Bench) -> None:
    """The second task finds the networks loaded and uses its own character; frames go both ways."""
    bench.follow("frames")
    for number in (1, 2):
        task = bench.task(number)
        assert await generate(task) == ANSWER
        await task.close()
    await until(lambda: sum(line.startswith("rest") for line in bench.notes) == 2)  # the runner sees a close later
    assert [line.split()[0] for line in bench.notes] == ["load", *["cast", "generate", "rest"] * 2]


async def test_a_killed_runner_ends_one_attempt(bench: Bench) -> None:
    """The next attempt has a new runner, which loads again; the task succeeds."""
    bench.follow("kill", "frames")
    task = bench.task(1)
    assert await generate(task) == ANSWER
    assert bench.notes.count("load") == 2
    await task.close()


async def test_a_kill_from_outside_is_named(bench: Bench) -> None:
    """If the runner of every attempt is killed, the task's message says so, and no process is left."""
    bench.follow("kill")
    with pytest.raises(TaskFailure, match=r"ended 3 times.*in the process with the model: it was killed \(signal 9\)"):
        await generate(bench.task(1))
    assert runner_pids() == []


async def test_a_lost_rank_is_the_reason_for_a_broken_connection(bench: Bench) -> None:
    """Rank 0 may notice the broken connection first; the lost rank is reported nevertheless."""
    bench.follow("broken connection")
    with pytest.raises(TaskFailure, match=r"rank 1 of the model's processes was lost"):
        await generate(bench.task(1))


async def test_out_of_memory_is_the_reason_and_each_next_runner_has_a_smaller_setup(bench: Bench) -> None:
    """The message says that memory ran out and how much was requested; the next task succeeds with a smaller setup."""
    bench.follow("out of memory", "out of memory", "out of memory", "frames")
    with pytest.raises(TaskFailure, match=r"ran out of memory \(it tried to allocate 3\.00 GiB\)"):
        await generate(bench.task(1))
    following = bench.task(2)
    assert await generate(following) == ANSWER
    loads = [line for line in bench.notes if line.startswith("load")]
    assert loads == ["load", *(f"load the setup {n} smaller" for n in (1, 2, 3))]
    await following.close()


async def test_a_cancel_ends_the_steps_and_keeps_the_runner(bench: Bench) -> None:
    """The child ends, the runner stops between two steps, and stays loaded for the next task."""
    bench.follow("steps", "frames")
    bench.fake_ports.cancel_after_progress = 0.4
    with pytest.raises(Cancelled):
        await generate(bench.task(1))
    bench.fake_ports.cancel_after_progress = 2.0
    following = bench.task(2)
    assert await generate(following) == ANSWER
    assert bench.notes.count("load") == 1
    await following.close()


async def test_a_runner_that_nobody_needs_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unused runner ends after the idle time, and the next task starts another one."""
    monkeypatch.setattr(restarting_child, "runner_order", lambda task, options: ORDER)
    bench = Bench(tmp_path, FakePorts(), idle_seconds=0.1)
    bench.follow("frames")
    for number in (1, 2):
        task = bench.task(number)
        await generate(task)
        await task.close()
        await until(lambda: runner_pids() == [])
    assert bench.notes.count("load") == 2


async def test_a_runner_that_died_between_tasks_is_replaced(bench: Bench) -> None:
    """The next task does not notice."""
    bench.follow("frames")
    for number in (1, 2):
        task = bench.task(number)
        assert await generate(task) == ANSWER
        await task.close()
        for pid in runner_pids():
            os.kill(pid, signal.SIGKILL)
        await until(lambda: runner_pids() == [])


async def test_what_was_missing_is_looked_for_again(bench: Bench) -> None:
    """A runner that could not load is not kept: once the weights are there, the next task loads them."""
    bench.follow("no weights")
    with pytest.raises(TaskFailure, match="failed inside the service"):
        await generate(bench.task(1))
    bench.follow("frames")
    following = bench.task(2)
    assert await generate(following) == ANSWER
    await following.close()


async def test_tasks_wait_for_a_runner_of_their_own(bench: Bench) -> None:
    """With one slot, the second task's child starts only once the first task is over."""
    bench.follow("frames")
    first, second = bench.task(1), bench.task(2)
    await generate(first)
    waiting = asyncio.create_task(generate(second))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert bench.notes.count("generate") == 1
    await first.close()
    assert await waiting == ANSWER
    await second.close()


def test_cards_are_shared_out_in_groups(tmp_path: Path) -> None:
    """Five GPUs at two for each task make two slots; without GPUs there is one slot without any."""
    options = WorkerOptions(folder=tmp_path, renderers={"wan": {"gpus": 2}})
    slots = [slot.environment for slot in RunnerPool(options, list("abcde"))._slots]
    assert slots == [{"CUDA_VISIBLE_DEVICES": "a,b"}, {"CUDA_VISIBLE_DEVICES": "c,d"}]
    assert [slot.environment for slot in RunnerPool(options, [])._slots] == [{}]


async def test_a_long_folder_for_temporary_files(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket's address that would be too long for the kernel is made in /tmp."""
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    bench.follow("frames")
    task = bench.task(1)
    assert await generate(task) == ANSWER
    await task.close()
    assert list(long.iterdir()) == []

"""Workers that end, freeze or are told to stop, with another one on another machine: a folder of its own."""

import json
import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import TaskStatus
from harness_child import POISON, SEGMENTS
from worker_harness import GRANT, SECONDS_MAX, WorkerHarness, wait_until

pytestmark = pytest.mark.acceptance


NEVER = {"BODYDOUBLE_TAKEOVER_SECONDS": "600"}
"""A worker that has to wait for a processor is not taken for a dead one."""


@pytest.fixture
def harness(fresh_database: str, tmp_path: Path) -> Iterator[WorkerHarness]:
    """Workers that take over from whoever is silent for two seconds."""
    made = WorkerHarness(tmp_path, fresh_database, takeover_seconds=2, heartbeat_seconds=0.3, attempts_max=2)
    yield made
    made.end()


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A file: while it exists, children of workers with HARNESS_HELD finish no segment."""
    path = tmp_path / "held"
    path.touch()
    return path


def archives(folder: Path) -> list[str]:
    """Names of the archives anywhere in ``folder``, whose own folders may be removed meanwhile."""
    return [name for _, _, names in os.walk(folder) for name in names if name.endswith(".tar")]


def test_another_machine_goes_on_at_the_last_finished_segment(harness: WorkerHarness) -> None:
    """SIGKILL of the worker that renders: another one, in another folder, renders what is missing."""
    first = harness.start("first", HARNESS_STANDS_AT="2")
    harness.ready("first")
    task_id = harness.create(seed=5)
    wait_until(lambda: harness.task(task_id).progress.segment == 2)
    harness.start("second")
    before = harness.task(task_id).progress.fraction
    first.kill()
    task = harness.wait(task_id)
    assert (task.status, task.attempts) == (TaskStatus.SUCCESS, 2)
    assert task.progress.fraction >= before
    segments = [segment for segment, _ in harness.rendered(task_id)]
    assert segments == list(range(SEGMENTS))
    assert len({process for _, process in harness.rendered(task_id)}) == 2
    assert harness.settlements(task_id) == ["charge"]
    assert harness.balance() == GRANT - Decimal(12)
    wait_until(lambda: not archives(harness.folder / "files" / "work"), what="checkpoints go when the task is settled")
    assert task.preview_key is not None
    assert task.preview_video_key is not None
    files = harness.folder / "files"
    assert (files / task.preview_key).read_text() == f"picture of segment {SEGMENTS - 1}"
    assert (files / task.preview_video_key).read_text() == f"video until segment {SEGMENTS - 1}"


def test_two_workers_of_one_data_folder_work_side_by_side(harness: WorkerHarness, held: Path) -> None:
    """As `serve` and `worker` with the same --data: two tasks at a time, each in its worker's folder."""
    same = {"BODYDOUBLE_DATA": str(harness.folder / "first"), "HARNESS_HELD": str(held)} | NEVER
    for name in ("first", "second"):
        harness.start(name, **same)
        harness.ready(name)
    tasks = [harness.create(), harness.create()]
    wait_until(lambda: all(harness.task(task_id).status is TaskStatus.RUNNING for task_id in tasks))
    assert len({harness.task(task_id).executor for task_id in tasks}) == 2
    places = [[(harness.folder / "first" / name / str(task_id)) for task_id in tasks] for name in ("work", "work-2")]
    wait_until(lambda: [[path.exists() for path in row].count(True) for row in places] == [1, 1])
    held.unlink()
    assert [harness.wait(task_id).status for task_id in tasks] == [TaskStatus.SUCCESS] * 2


def test_a_worker_told_to_stop_hands_over_at_once(harness: WorkerHarness) -> None:
    """SIGTERM in a segment: the worker ends with status 0, and another one goes on though silence would count later."""
    first = harness.start("first", HARNESS_STANDS_AT="1", **NEVER)
    harness.ready("first")
    task_id = harness.create()
    wait_until(lambda: harness.task(task_id).progress.segment == 1)
    harness.start("second", **NEVER)
    harness.ready("second")
    first.send_signal(signal.SIGTERM)
    assert first.wait(SECONDS_MAX) == 0
    task = harness.wait(task_id)
    assert (task.status, task.attempts) == (TaskStatus.SUCCESS, 1), "handing over is no failed attempt"
    assert [segment for segment, _ in harness.rendered(task_id)] == list(range(SEGMENTS))


def test_a_frozen_worker_that_comes_back_settles_nothing(harness: WorkerHarness, held: Path) -> None:
    """SIGSTOP, then SIGCONT once another one has settled the task: it stops its child, and takes the next task."""
    first = harness.start("first", HARNESS_HELD=str(held))
    harness.ready("first")
    task_id = harness.create()
    wait_until(lambda: harness.task(task_id).progress.stage is Stage.RENDER)
    child = harness.child("first")
    assert child is not None
    first.send_signal(signal.SIGSTOP)
    second = harness.start("second")
    assert harness.wait(task_id).status is TaskStatus.SUCCESS
    first.send_signal(signal.SIGCONT)
    psutil.wait_procs([child], SECONDS_MAX)
    assert not child.is_running()
    wait_until(lambda: not list((harness.folder / "first" / "work").glob(f"{task_id}*")), what="its workspace stays")
    assert harness.settlements(task_id) == ["charge"]
    held.unlink()
    second.kill()
    assert harness.wait(harness.create()).status is TaskStatus.SUCCESS, "the first works on"


def test_a_task_that_kills_its_workers_is_given_up(harness: WorkerHarness) -> None:
    """After the bound the task fails with the reason, is not charged, and the one behind it is made."""
    poison, next_one = harness.create(seed=POISON), harness.create()
    starts = 0
    while harness.task(poison).completed_at is None:
        starts += 1
        assert starts < 5
        worker = harness.start("only")
        wait_until(lambda worker=worker: worker.poll() is not None or harness.task(poison).completed_at)
    task = harness.task(poison)
    assert task.result is not None
    assert (task.status, task.attempts, starts) == (TaskStatus.FAILED, 3, 3)
    assert "ended before it was done, 2 times" in task.result.message
    assert harness.wait(next_one).status is TaskStatus.SUCCESS
    assert harness.settlements(poison) == ["release"]


def test_a_backlog_holds_nobody_elses_first_task_back(harness: WorkerHarness) -> None:
    """Of one account many tasks wait when another one's first comes: it is made after the next, before the others."""
    backlog = [harness.create(name="busy") for _ in range(4)]
    first = harness.create(name="newcomer")
    assert harness.using(lambda stores: stores.tasks.queue_position(first)) == 1
    harness.start("only")
    started = {task_id: harness.wait(task_id).started_at for task_id in (*backlog, first)}
    assert sorted(started, key=lambda task_id: started[task_id]) == [backlog[0], first, *backlog[1:]]  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_a_cancel_ends_the_child(harness: WorkerHarness) -> None:
    """A running task that is cancelled ends with its child, gives its credits back, and is no fault in the log."""
    harness.start("only", HARNESS_SECONDS="30")
    harness.ready("only")
    task_id = harness.create()
    child = wait_until(lambda: harness.child("only"))
    harness.cancel(task_id)
    task = harness.wait(task_id)
    assert task.result is not None
    assert (task.status, int(task.result.code)) == (TaskStatus.FAILED, 499)
    assert not child.is_running()
    assert harness.balance() == GRANT
    lines = [json.loads(line) for line in harness.log_of("only").read_text().splitlines() if "step failed" in line]
    assert [(line["level"], line["code"], "exception" in line) for line in lines] == [("info", 499, False)]


def test_the_deadline_ends_waiting_and_running_tasks(harness: WorkerHarness) -> None:
    """Whoever does the chores fails what is overdue, worked on or not; the worker then stops."""
    waiting = harness.create(deadline_seconds=1)
    harness.start("keeper", BODYDOUBLE_WORKER_TASKS_MAX="0")
    task = harness.wait(waiting)
    assert task.result is not None
    assert (task.status, int(task.result.code)) == (TaskStatus.FAILED, 501)
    assert "deadline" in task.result.message
    assert harness.rows("select count(*) from dbos.workflow_status where status = 'ENQUEUED'") == [(0,)]
    harness.start("only", HARNESS_SECONDS="60")
    running = harness.create(deadline_seconds=8)
    assert harness.wait(running).status is TaskStatus.FAILED
    wait_until(lambda: harness.child("only") is None)
    assert harness.balance() == GRANT

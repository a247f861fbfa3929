"""Workers that end, freeze or are told to stop, with another one on another machine: a folder of its own."""

import json
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from bodydouble.tasks.task import TaskStatus
from trial import GRANT, Trial, wait_until
from trial_child import POISON, SEGMENTS

pytestmark = pytest.mark.acceptance

SLOWLY = {"TRIAL_SECONDS": "0.8"}


@pytest.fixture
def trial(fresh_database: str, tmp_path: Path) -> Iterator[Trial]:
    """Workers that take over from whoever is silent for two seconds."""
    made = Trial(tmp_path, fresh_database, takeover_seconds=2, heartbeat_seconds=0.3, attempts_max=2)
    yield made
    made.end()


def test_another_machine_goes_on_at_the_last_finished_segment(trial: Trial) -> None:
    """SIGKILL of the worker that renders: another one, in another folder, renders what is missing."""
    first = trial.start("first", TRIAL_STANDS_AT="2")
    trial.ready("first")
    task_id = trial.create(seed=5)
    trial.start("second")
    wait_until(lambda: trial.task(task_id).progress.segment == 2)
    before = trial.task(task_id).progress.fraction
    first.kill()
    task = trial.wait(task_id)
    assert (task.status, task.attempts) == (TaskStatus.SUCCESS, 2)
    assert task.progress.fraction >= before
    segments = [segment for segment, _ in trial.rendered(task_id)]
    assert segments == list(range(SEGMENTS))
    assert len({process for _, process in trial.rendered(task_id)}) == 2
    assert trial.settlements(task_id) == ["charge"]
    assert trial.balance() == GRANT - Decimal(12)
    assert list((trial.folder / "files").glob("work/**/*.tar")) == [], "checkpoints go when the task is settled"
    assert task.preview_key is not None
    assert (trial.folder / "files" / task.preview_key).read_text() == f"picture of segment {SEGMENTS - 1}"


def test_two_workers_of_one_data_folder_work_side_by_side(trial: Trial) -> None:
    """As `serve` and `worker` with the same --data: two tasks at a time, each in its worker's folder."""
    same = {"BODYDOUBLE_DATA": str(trial.folder / "first")} | SLOWLY
    for name in ("first", "second"):
        trial.start(name, **same)
        trial.ready(name)
    tasks = [trial.create(), trial.create()]
    wait_until(lambda: all(trial.task(task_id).status is TaskStatus.RUNNING for task_id in tasks))
    assert len({trial.task(task_id).executor for task_id in tasks}) == 2
    places = [[(trial.folder / "first" / name / str(task_id)) for task_id in tasks] for name in ("work", "work-2")]
    wait_until(lambda: [[path.exists() for path in row].count(True) for row in places] == [1, 1])
    assert [trial.wait(task_id).status for task_id in tasks] == [TaskStatus.SUCCESS] * 2


def test_a_worker_told_to_stop_hands_over_at_once(trial: Trial) -> None:
    """SIGTERM in a segment: the worker ends with status 0, and another one goes on though silence would count later."""
    never = {"BODYDOUBLE_TAKEOVER_SECONDS": "600"}
    first = trial.start("first", TRIAL_STANDS_AT="1", **never)
    trial.ready("first")
    task_id = trial.create()
    wait_until(lambda: trial.task(task_id).progress.segment == 1)
    trial.start("second", **never)
    trial.ready("second")
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    task = trial.wait(task_id)
    assert (task.status, task.attempts) == (TaskStatus.SUCCESS, 1), "handing over is no failed attempt"
    assert [segment for segment, _ in trial.rendered(task_id)] == list(range(SEGMENTS))


def test_a_frozen_worker_that_comes_back_settles_nothing(trial: Trial) -> None:
    """SIGSTOP, then SIGCONT once another one has settled the task: it stops its child, and takes the next task."""
    first = trial.start("first", **SLOWLY)
    trial.ready("first")
    task_id = trial.create()
    wait_until(lambda: len(trial.rendered(task_id)) >= 1)
    child = trial.child("first")
    assert child is not None
    first.send_signal(signal.SIGSTOP)
    second = trial.start("second", **SLOWLY)
    assert trial.wait(task_id).status is TaskStatus.SUCCESS
    first.send_signal(signal.SIGCONT)
    psutil.wait_procs([child], 30)
    assert not child.is_running()
    wait_until(lambda: not list((trial.folder / "first" / "work").glob(f"{task_id}*")), what="its workspace stays")
    assert trial.settlements(task_id) == ["charge"]
    second.kill()
    assert trial.wait(trial.create()).status is TaskStatus.SUCCESS, "the first works on"


def test_a_task_that_kills_its_workers_is_given_up(trial: Trial) -> None:
    """After the bound the task fails with the reason, is not charged, and the one behind it is made."""
    poison, next_one = trial.create(seed=POISON), trial.create()
    starts = 0
    while trial.task(poison).completed_at is None:
        starts += 1
        assert starts < 5
        worker = trial.start("only")
        wait_until(lambda worker=worker: worker.poll() is not None or trial.task(poison).completed_at)
    task = trial.task(poison)
    assert task.result is not None
    assert (task.status, task.attempts, starts) == (TaskStatus.FAILED, 3, 3)
    assert "ended before it was done, 2 times" in task.result.message
    assert trial.wait(next_one).status is TaskStatus.SUCCESS
    assert trial.settlements(poison) == ["release"]


def test_a_backlog_holds_nobody_elses_first_task_back(trial: Trial) -> None:
    """Of one account many tasks wait when another one's first comes: it is made after the next, before the others."""
    backlog = [trial.create(name="busy") for _ in range(4)]
    first = trial.create(name="newcomer")
    assert trial.using(lambda stores: stores.tasks.queue_position(first)) == 1
    trial.start("only")
    started = {task_id: trial.wait(task_id).started_at for task_id in (*backlog, first)}
    assert sorted(started, key=lambda task_id: started[task_id]) == [backlog[0], first, *backlog[1:]]


def test_a_cancel_ends_the_child(trial: Trial) -> None:
    """A running task that is cancelled ends with its child, gives its credits back, and is no fault in the log."""
    trial.start("only", TRIAL_SECONDS="30")
    trial.ready("only")
    task_id = trial.create()
    child = wait_until(lambda: trial.child("only"))
    trial.cancel(task_id)
    task = trial.wait(task_id)
    assert task.result is not None
    assert (task.status, int(task.result.code)) == (TaskStatus.FAILED, 499)
    assert not child.is_running()
    assert trial.balance() == GRANT
    lines = [json.loads(line) for line in trial.log_of("only").read_text().splitlines() if "step failed" in line]
    assert [(line["level"], line["code"], "exception" in line) for line in lines] == [("info", 499, False)]


def test_the_deadline_ends_waiting_and_running_tasks(trial: Trial) -> None:
    """Whoever does the chores fails what is overdue, worked on or not; the worker then stops."""
    waiting = trial.create(deadline_seconds=1)
    trial.start("keeper", BODYDOUBLE_WORKER_TASKS_MAX="0")
    task = trial.wait(waiting)
    assert task.result is not None
    assert (task.status, int(task.result.code)) == (TaskStatus.FAILED, 501)
    assert "deadline" in task.result.message
    assert trial.rows("select count(*) from dbos.workflow_status where status = 'ENQUEUED'") == [(0,)]
    trial.start("only", TRIAL_SECONDS="60")
    running = trial.create(deadline_seconds=8)
    assert trial.wait(running).status is TaskStatus.FAILED
    wait_until(lambda: trial.child("only") is None)
    assert trial.balance() == GRANT

"""Inputs at slow foreign addresses: fetched beside the renders, by workers that end at every point."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import CANCELLED, Task, TaskId, TaskStatus
from worker_harness import GRANT, WorkerHarness, wait_until

pytestmark = pytest.mark.acceptance

CHUNK = b"\0" * 250_000
"""Sent twice a second: ten times the least rate that is accepted, because this process may have to wait."""


class SlowSource(ThreadingHTTPServer):
    """Sends a video that has no end until ``finish`` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SlowAnswer)
        self.finish = threading.Event()
        self.requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}/video.mp4"


class SlowAnswer(BaseHTTPRequestHandler):
    """One response."""

    server: SlowSource

    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.finish.wait(0.5):
                self.wfile.write(CHUNK)
            self.wfile.write(CHUNK)
        except OSError:
            pass  # the worker was killed, or the task cancelled

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def source() -> Iterator[SlowSource]:
    with SlowSource() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.finish.set()
        made.shutdown()


@pytest.fixture
def harness(fresh_database: str, tmp_path: Path) -> Iterator[WorkerHarness]:
    """Workers that take over from whoever is silent for two seconds."""
    made = WorkerHarness(tmp_path, fresh_database, takeover_seconds=2, heartbeat_seconds=0.3, attempts_max=2)
    yield made
    made.end()


def is_fetching(harness: WorkerHarness, task_id: TaskId) -> bool:
    """Whether a worker fetches the inputs of the task, which waits for a render slot meanwhile."""
    task = harness.task(task_id)
    return (task.status, task.progress.stage) == (TaskStatus.PENDING, Stage.FETCH)


def test_a_slow_source_holds_no_render_slot(harness: WorkerHarness, source: SlowSource) -> None:
    """A task with uploads is made meanwhile; a cancel ends a fetch at once and leaves no file."""
    harness.start("only")
    slow, unwanted = harness.create(video_url=source.url), harness.create(video_url=source.url)
    wait_until(lambda: is_fetching(harness, slow) and is_fetching(harness, unwanted) and source.requests == 2)
    assert harness.wait(harness.create(name="another")).status is TaskStatus.SUCCESS
    assert is_fetching(harness, slow)
    harness.using(lambda stores: stores.tasks.settle(unwanted, TaskStatus.FAILED, CANCELLED, None))
    wait_until(lambda: not (harness.folder / "only" / "work" / str(unwanted)).exists(), what="the fetch goes on")
    source.finish.set()
    assert harness.wait(slow).status is TaskStatus.SUCCESS
    assert [harness.settlements(task) for task in (slow, unwanted)] == [["charge"], ["release"]]
    wait_until(lambda: stored_inputs(harness) == [], what="fetched inputs stay")
    harness.balance()


def test_the_fetch_of_a_killed_worker_is_begun_again(harness: WorkerHarness, source: SlowSource) -> None:
    """By another one, on another machine; the task is charged once."""
    first = harness.start("first")
    task_id = harness.create(video_url=source.url)
    wait_until(lambda: source.requests == 1)
    first.kill()
    source.finish.set()
    harness.start("second")
    check_success(harness, harness.wait(task_id), attempts=2)
    assert source.requests == 2


def test_a_fetched_input_outlives_its_worker(harness: WorkerHarness, source: SlowSource) -> None:
    """The worker is killed between fetch and render: another one renders without a second fetch."""
    source.finish.set()
    first = harness.start("first", HARNESS_STANDS_AT="1")
    blocker = harness.create(name="another")
    wait_until(lambda: harness.task(blocker).progress.segment == 1)
    task_id = harness.create(video_url=source.url)
    wait_until(lambda: stored_inputs(harness) and harness.task(task_id).progress.stage is Stage.QUEUED)
    assert harness.task(task_id).status is TaskStatus.PENDING
    first.kill()
    harness.start("second")
    check_success(harness, harness.wait(task_id), attempts=1)
    assert harness.wait(blocker).status is TaskStatus.SUCCESS
    assert source.requests == 1


def stored_inputs(harness: WorkerHarness) -> list[Path]:
    """Fetched inputs in the file store."""
    return [path for path in (harness.folder / "files").glob("inputs/**/*") if path.is_file()]


def check_success(harness: WorkerHarness, task: Task, attempts: int) -> None:
    """The task succeeded after so many attempts, and was charged once."""
    assert (task.status, task.attempts) == (TaskStatus.SUCCESS, attempts)
    assert harness.settlements(task.id) == ["charge"]
    assert harness.balance() == GRANT - 12
    wait_until(lambda: stored_inputs(harness) == [], what="fetched inputs stay")

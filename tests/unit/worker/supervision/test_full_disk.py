"""A disk that is full for a while, in whatever the worker writes for a task."""

import errno
from collections.abc import Callable
from typing import Any

import pytest

from bodydouble.worker.supervision import inputs, restarting_child, retry


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for room are short."""
    monkeypatch.setattr(retry, "PAUSE_SECONDS", 0.01)


def full_once(work: Callable[..., Any]) -> Callable[..., Any]:
    """``work``, whose first call finds the disk full."""
    errors = [OSError(errno.ENOSPC, "No space left on device")]

    def call(*arguments: Any) -> Any:
        if errors:
            raise errors.pop()
        return work(*arguments)

    return call


def test_a_full_disk_at_the_copy_of_inputs_is_waited_for(make_run, run, monkeypatch, tmp_path):
    """The digest beside an input is written as soon as there is room."""
    monkeypatch.setattr(inputs, "store_digest", full_once(inputs.store_digest))
    r = make_run()
    run(r.fetch, r.perceive)
    assert (tmp_path / "script.seen").read_text().split("\n") == ["open", "perceive"]


def test_a_full_disk_at_the_start_of_a_child_is_waited_for(make_run, run, monkeypatch, tmp_path):
    """The child starts as soon as there is room for its log."""
    start = full_once(restarting_child.ChildProcess.start)
    monkeypatch.setattr(restarting_child.ChildProcess, "start", start)
    run(make_run().perceive)
    assert (tmp_path / "script.seen").read_text().split("\n") == ["open", "perceive"]


class FullCheckpoints:
    """Checkpoints that find no room the first time."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def bring(self) -> int:
        """Restores nothing."""
        return self._count("bring")

    async def keep(self, step: str) -> int:
        """Stores nothing."""
        return self._count(step)

    def _count(self, call: str) -> int:
        self.calls.append(call)
        if self.calls.count(call) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return 0


def test_a_full_disk_at_restoring_artefacts_is_waited_for(make_run, run, tmp_path):
    """The shot is opened again, and the artefacts of other workers are restored as soon as there is room."""
    r = make_run()
    r._checkpoints = checkpoints = FullCheckpoints()
    run(r.perceive)
    assert (tmp_path / "script.seen").read_text().split("\n") == ["open", "open", "perceive"]
    assert checkpoints.calls[:2] == ["bring", "bring"]


def test_a_checkpoint_that_finds_no_room_costs_the_task_nothing(make_run, run):
    """The step is done, and the next one stores what it could not."""
    r = make_run(prepare=[3])
    r._checkpoints = checkpoints = FullCheckpoints()
    assert run(r.perceive, r.prepare) == 3
    assert checkpoints.calls[-2:] == ["perceive", "prepare"]


def test_a_file_that_disappears_before_a_request_costs_one_attempt(make_run, run, monkeypatch, tmp_path):
    """The workspace is made complete again, and a new child repeats the request."""
    r = make_run()
    errors = [FileNotFoundError(errno.ENOENT, "No such file or directory", "/work/task/video")]
    complete = r._inputs.complete

    async def lose(*arguments: Any) -> None:
        await complete(*arguments)
        if errors:
            raise errors.pop()

    monkeypatch.setattr(r._inputs, "complete", lose)
    run(r.perceive)
    assert (tmp_path / "script.seen").read_text().split("\n") == ["open", "perceive"]

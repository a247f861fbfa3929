"""The folders of several workers of one data folder."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from bodydouble.worker.supervision.work_folder import hold, hold_abandoned, hold_free, hold_once_free
from fake_ports import TASK_ID


def test_each_worker_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    """A second worker uses a second folder; a released folder is used again."""
    first, second = hold_free(tmp_path / "work"), hold_free(tmp_path / "work")
    assert (first.path, second.path) == (tmp_path / "work", tmp_path / "work-2")
    assert hold(first.path) is None
    first.close()
    with closing(second), closing(hold_free(tmp_path / "work")) as third:
        assert third.path == first.path


def test_a_worker_that_must_be_alone_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until the folder is free, or until it is told to stop."""
    monkeypatch.setattr("bodydouble.worker.supervision.work_folder.LOOK_SECONDS", 0.01)

    async def stand_by() -> None:
        stop = asyncio.Event()
        first = hold_free(tmp_path / "work")
        waits = [asyncio.create_task(hold_once_free(first.path, stop)) for _ in range(2)]
        assert (await asyncio.wait(waits, timeout=0.1))[0] == set()
        first.close()
        (done,) = (await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED))[0]
        second = done.result()
        assert second is not None
        assert second.path == first.path
        stop.set()
        assert [await wait for wait in waits if wait is not done] == [None]
        second.close()

    asyncio.run(stand_by())


def test_a_folder_names_its_last_executor(tmp_path: Path) -> None:
    """The mark holds the name that was written last."""
    with closing(hold_free(tmp_path / "work")) as held:
        assert held.former == ""
        held.sign("host:1:a long name")
        held.sign("host:2:b")
    with closing(hold_free(tmp_path / "work")) as held:
        assert held.former == "host:2:b"


def test_workspaces_of_ended_workers_are_moved(tmp_path: Path) -> None:
    """Workspaces move from folders that no process has locked, and those folders lose their mark."""
    with closing(hold_free(tmp_path / "work")) as ours, closing(hold_free(tmp_path / "work")) as alive:
        dead = hold_free(tmp_path / "work")
        for folder in (alive, dead):
            folder.sign(f"executor of {folder.path.name}")
            (folder.path / str(TASK_ID)).mkdir()
            (folder.path / str(TASK_ID) / "plan.json").write_text(folder.path.name)
        (dead.path / "runner-0.log").write_text("no task")
        dead.close()
        found = []
        for other in hold_abandoned(ours.path):
            found.append((other.path.name, other.former))
            ours.inherit(other)
        assert found == [("work-3", "executor of work-3")]
        assert (ours.path / str(TASK_ID) / "plan.json").read_text() == "work-3"
        assert [task for task, _ in ours.workspaces()] == [TASK_ID]
        assert (alive.path / str(TASK_ID) / "plan.json").exists()
        assert [other.former for other in hold_abandoned(ours.path)] == [""]


def test_an_existing_workspace_is_not_overwritten(tmp_path: Path) -> None:
    """Of two workspaces of one task the own one stays, and the other is removed."""
    with closing(hold_free(tmp_path / "work")) as ours:
        dead = hold_free(tmp_path / "work")
        for folder in (ours, dead):
            (folder.path / str(TASK_ID)).mkdir()
            (folder.path / str(TASK_ID) / "plan.json").write_text(folder.path.name)
        dead.close()
        for other in hold_abandoned(ours.path):
            ours.inherit(other)
        assert (ours.path / str(TASK_ID) / "plan.json").read_text() == "work"
        assert not (dead.path / str(TASK_ID)).exists()

"""Whose folder it is, with several workers on one data folder."""

from contextlib import closing
from pathlib import Path

from bodydouble.worker.folder import hold, hold_abandoned, hold_free
from outside import TASK_ID


def test_each_worker_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    """The second works beside the first; a folder that is free again is the next one's."""
    first, second = hold_free(tmp_path / "work"), hold_free(tmp_path / "work")
    assert (first.path, second.path) == (tmp_path / "work", tmp_path / "work-2")
    assert hold(first.path) is None
    first.close()
    with closing(second), closing(hold_free(tmp_path / "work")) as third:
        assert third.path == first.path


def test_a_folder_says_who_had_it(tmp_path: Path) -> None:
    """The executor that signed it last, until somebody else does."""
    with closing(hold_free(tmp_path / "work")) as held:
        assert held.former == ""
        held.sign("host:1:a long name")
        held.sign("host:2:b")
    with closing(hold_free(tmp_path / "work")) as held:
        assert held.former == "host:2:b"


def test_what_dead_workers_left_is_inherited(tmp_path: Path) -> None:
    """Only from folders that nobody has; the finished artefacts move, and the folder is nobody's then."""
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


def test_what_is_here_already_is_not_overwritten(tmp_path: Path) -> None:
    """Of two workspaces of one task ours counts, and the other one goes."""
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

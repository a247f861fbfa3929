"""What a task's child process is asked to do."""

import dataclasses

from bodydouble.worker.order import WorkerOptions, shot_order
from bodydouble.worker.workspace import Workspace
from fake_ports import TASK_ID, make_task


def test_an_order_names_the_person(tmp_path):
    """An index becomes a rank, a point stays a point."""
    options, workspace = WorkerOptions(folder=tmp_path), Workspace(tmp_path, TASK_ID)
    by_index = shot_order(make_task(person=2), workspace, options, None)
    by_point = shot_order(make_task(person=[0.5, 0.25]), workspace, options, None)
    assert (by_index.rank, by_index.point, by_index.short_side) == (2, None, 480)
    assert (by_point.rank, by_point.point) == (0, (0.5, 0.25))


def test_an_order_holds_the_wishes_about_the_result(tmp_path):
    """Quality and dynamic range come from the task's input, else they have their defaults."""
    options, workspace = WorkerOptions(folder=tmp_path), Workspace(tmp_path, TASK_ID)
    usual = shot_order(make_task(), workspace, options, None)
    chosen = shot_order(make_task(quality="high", dynamic_range="sdr"), workspace, options, None)
    assert (usual.quality, usual.dynamic_range) == ("standard", "source")
    assert (chosen.quality, chosen.dynamic_range) == ("high", "sdr")


def test_a_result_has_the_labels_of_task_account_and_installation(tmp_path):
    """A task adds to the label that its account had at the create, and cannot remove it."""
    workspace, installation = Workspace(tmp_path, TASK_ID), WorkerOptions(folder=tmp_path, label="china")
    task = dataclasses.replace(make_task(label="none"), account_label="eu")
    assert shot_order(task, workspace, WorkerOptions(folder=tmp_path), None).label == "eu"
    assert shot_order(task, workspace, installation, None).label == "both"

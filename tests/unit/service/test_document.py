"""A task as JSON."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bodydouble.service.document import task_data, to_json, unix, unix_milliseconds
from bodydouble.service.views import TaskView
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode, StageTime, TaskResult, TaskStatus
from fake_ports import make_task

START = datetime(2026, 1, 1, tzinfo=UTC)
DONE = replace(
    make_task(),
    status=TaskStatus.SUCCESS,
    created_at=START,
    started_at=START + timedelta(seconds=5),
    completed_at=START + timedelta(seconds=47.6),
    result=TaskResult(code=ResultCode.SUCCESS, message="success", media_info={"frames": 48}),
)


@pytest.mark.parametrize(
    ("value", "text"), [(Decimal("12.00"), b"12"), (Decimal("12.5"), b"12.5"), ({"a": [None]}, b'{"a":[null]}')]
)
def test_decimals_become_numbers(value: object, text: bytes) -> None:
    """Whole ones without a fraction; nothing is padded with spaces."""
    assert to_json(value) == text


def test_times_are_whole_seconds() -> None:
    """Since 1970, or milliseconds; a time that is not known stays so."""
    assert unix(START + timedelta(seconds=0.9)) == 1767225600
    assert unix(None) is None
    assert unix_milliseconds(START + timedelta(seconds=0.9)) == 1767225600900
    assert unix_milliseconds(None) is None


def test_a_finished_task_has_its_media_and_its_price() -> None:
    """Addresses come from the view; the duration counts from the start, not from the create."""
    data = task_data(TaskView(task=DONE, queue_position=None, media_urls=["https://media/1"]))
    assert data["result"] == {
        "code": 200,
        "message": "success",
        "media_urls": ["https://media/1"],
        "media_info": {"frames": 48},
        "usage": {"credits": Decimal(30)},
    }
    assert (data["status"], data["duration_s"], data["complete_at"] - data["create_at"]) == ("success", 43, 47)
    assert "stages" not in data


def test_a_failed_task_has_a_reason_and_no_media() -> None:
    """Its result is code and message alone."""
    failed = replace(DONE, status=TaskStatus.FAILED, result=TaskResult(code=ResultCode.CANCELLED, message="cancelled"))
    data = task_data(TaskView(task=failed, queue_position=None, media_urls=[]))
    assert data["result"] == {"code": 499, "message": "cancelled"}


def test_a_running_task_has_no_end() -> None:
    """Neither result nor times of its end; its stages are shown where they were read."""
    running = replace(DONE, status=TaskStatus.RUNNING, completed_at=None, result=None)
    stage = StageTime(stage=Stage.FETCH, started_at=START, seconds=1.23456)
    data = task_data(TaskView(task=running, queue_position=2, media_urls=[], stages=[stage]))
    assert [data[name] for name in ("result", "complete_at", "duration_s", "queue_position")] == [None, None, None, 2]
    assert data["stages"] == [{"stage": "fetch", "started_at": 1767225600.0, "seconds": 1.235}]

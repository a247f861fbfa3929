"""Errors of tasks: failed, cancelled, or not finished in time."""

from bodydouble_client.errors import ClientError
from bodydouble_client.task_info import TaskInfo
from bodydouble_client.task_status import TaskStatus

CANCELLED_CODE = 499


class TaskFailed(ClientError):
    """The task ended without a result. Nothing was charged.

    Attributes:
        code: the result's code: 501 generation failed, 422 the media cannot be used, 402 the exact price exceeds the
            balance, 499 cancelled.
        task: the finished task.
    """

    task: TaskInfo


class TaskCancelled(TaskFailed):
    """The task was cancelled (499), by this program or by another user of the account."""


class WaitTimeout(ClientError, TimeoutError):
    """The task was not finished within ``timeout`` seconds. It continues: ``client.task(error.task_id)`` finds it.

    Attributes:
        task_id: the task's id.
    """

    task_id: str


def require_success(task: TaskInfo) -> TaskInfo:
    """``task`` if it succeeded. Raises TaskFailed, TaskCancelled."""
    if task.status is TaskStatus.SUCCESS:
        return task
    kind = TaskCancelled if task.result_code == CANCELLED_CODE else TaskFailed
    error = kind(task.result_message or "The task failed without a reason", code=task.result_code)
    error.task = task
    raise error

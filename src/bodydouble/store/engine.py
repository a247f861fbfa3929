"""The durable engine, as an operator needs it: a task's workflow handed to its queue once more."""

from uuid import uuid4

from dbos import DBOSClient, EnqueueOptions
from sqlalchemy.exc import OperationalError

from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW
from bodydouble.tasks.task import TaskId

_ENDED = frozenset({"SUCCESS", "ERROR"})


def enqueue_again(database_url: str, task_id: TaskId) -> None:
    """Resume the task's workflow; one that ended, or is gone, is followed by another over the same task.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    try:
        client = DBOSClient(system_database_url=database_url)
    except OperationalError as error:
        raise StorageUnavailable(f"The database does not answer: {error}") from error
    try:
        known = client.list_workflows(workflow_ids=[str(task_id)], load_input=False, load_output=False)
        if known and known[0].status not in _ENDED:
            client.resume_workflow(str(task_id), queue_name=QUEUE)
            return
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": f"{task_id}:{uuid4().hex[:8]}",
            "app_version": APPLICATION_VERSION,
            "priority": 1,
        }
        client.enqueue(options, str(task_id))
    except OperationalError as error:
        raise StorageUnavailable(f"The database does not answer: {error}") from error
    finally:
        client.destroy()

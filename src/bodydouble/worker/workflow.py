"""The task as a DBOS workflow: a thin adapter.

A step's outcome is kept as JSON, failures included, so that a workflow that goes on elsewhere takes the same way.
"""

from collections.abc import Callable
from typing import Any

from dbos import DBOS

from bodydouble.tasks.queue import WORKFLOW
from bodydouble.worker.failure import TaskFailure

Perform = Callable[..., dict[str, Any]]
"""(task id, step, arguments) → ``{"value": …}`` or ``{"failed": …}``; does not answer while the worker ends."""


def register_workflow(perform: Perform) -> None:
    """Make the workflow known under its agreed name. Before ``DBOS.launch``."""

    def step(task_id: str, name: str, *arguments: Any) -> Any:
        label = " ".join((name, *(str(a) for a in arguments if isinstance(a, int))))
        outcome = DBOS.run_step({"name": label}, perform, task_id, name, *arguments)
        if "failed" in outcome:
            raise TaskFailure.from_json(outcome["failed"])
        return outcome["value"]

    def replace_task(task_id: str) -> str:
        if not step(task_id, "start"):
            return "over"
        try:
            step(task_id, "fetch")
            step(task_id, "probe")
            step(task_id, "perceive")
            for segment in range(step(task_id, "prepare")):
                step(task_id, "render", segment)
            result = step(task_id, "finish")
        except TaskFailure as failure:
            result = failure.to_json()
        return str(step(task_id, "settle", result))

    DBOS.workflow(name=WORKFLOW)(replace_task)

"""The task as a DBOS workflow: a thin adapter.

A step's outcome is kept as JSON, failures included, so that a workflow that goes on elsewhere takes the same way.
"""

from collections.abc import Callable
from typing import Any

import structlog
from dbos import DBOS

from bodydouble.tasks.queue import WORKFLOW
from bodydouble.tasks.stages import Stage
from bodydouble.worker.failure import TaskFailure, TaskLost
from bodydouble.worker.supervision.steps import Abandon, RunStage, Settle, Start, Step

log = structlog.get_logger(__name__)

Perform = Callable[[str, Step], dict[str, Any]]
"""(task id, step) → ``{"value": …}``, ``{"failed": …}`` or ``{"lost": …}``; does not answer while the
worker ends."""


def register_workflow(perform: Perform) -> None:
    """Make the workflow known under its agreed name. Before ``DBOS.launch``."""

    def run(task_id: str, stage: Stage, segment: int | None = None) -> Any:
        step = RunStage(stage=stage, segment=segment)
        return _value(DBOS.run_step({"name": step.durable_name}, perform, task_id, step))

    def replace_task(task_id: str) -> str:
        # Start and settlement are no durable steps, on purpose. Whoever takes the workflow up again has to say that the
        # task is theirs, and may have to end it at once; the store sees to it that it is settled once.
        try:
            return follow(task_id)
        except BaseException as error:
            # The engine ends a workflow of its own accord where another worker has it by now: at the next checkpoint,
            # without asking us. What works for the task here has to end too.
            log.warning("the engine ends the work at a task", task_id=task_id, error=repr(error))
            perform(task_id, Abandon())
            raise

    def follow(task_id: str) -> str:
        try:
            if not _value(perform(task_id, Start())):
                return "over"
            run(task_id, Stage.FETCH)
            run(task_id, Stage.PROBE)
            run(task_id, Stage.PERCEIVE)
            for segment in range(run(task_id, Stage.PREPARE)):
                run(task_id, Stage.RENDER, segment)
            result = run(task_id, Stage.MUX)
        except TaskFailure as failure:
            result = failure.to_json()
        except TaskLost:
            return "lost"
        return str(_value(perform(task_id, Settle(outcome=result))))

    DBOS.workflow(name=WORKFLOW)(replace_task)


def _value(outcome: dict[str, Any]) -> Any:
    if "lost" in outcome:
        raise TaskLost(outcome["lost"])
    if "failed" in outcome:
        raise TaskFailure.from_json(outcome["failed"])
    return outcome["value"]

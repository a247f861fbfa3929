"""The task as a workflow of DBOS, the durable engine.

The outcome of a step is stored as JSON, failures included, so that a worker that continues the workflow takes the same
way.

A workflow runs twice: from the queue of fetches until its inputs are fetched, then from the queue of tasks to render,
where it passes the finished step again.
"""

from collections.abc import Callable
from typing import Any

import structlog
from dbos import DBOS

from bodydouble.tasks.queue import WORKFLOW
from bodydouble.tasks.stages import Stage
from bodydouble.worker.failure import TaskFailure, TaskLost
from bodydouble.worker.supervision.steps import Abandon, FinishFetch, Phase, RunStage, Settle, Start, Step, StoredVideo

log = structlog.get_logger(__name__)

Perform = Callable[[str, Step], dict[str, Any]]
"""(task id, step) → ``{"value": …}``, ``{"failed": …}`` or ``{"lost": …}``. Never returns while the worker stops."""


class WorkflowMoved(BaseException):
    """The workflow is in another queue now, so this run of it ends without an outcome.

    Not an Exception: the engine would store it as the outcome. After a return, the engine's thread would wait until
    the workflow has an outcome.
    """


def register_workflow(perform: Perform) -> None:
    """Register the workflow under its agreed name. Call before ``DBOS.launch``."""

    def run(task_id: str, stage: Stage, segment: int | None = None) -> Any:
        step = RunStage(stage=stage, segment=segment)
        return _value(DBOS.run_step({"name": step.durable_name}, perform, task_id, step))

    def replace_task(task_id: str) -> str:
        try:
            return follow(task_id)
        except WorkflowMoved:
            raise
        except BaseException as error:
            # The engine ends a workflow by itself, at the next step, if another worker has it. Our work ends too.
            log.warning("the durable engine ended the workflow of a task", task_id=task_id, error=repr(error))
            perform(task_id, Abandon())
            raise

    # Start and settlement are no durable steps: a worker that continues the workflow must take the task, and may have
    # to settle it at once. The store settles a task only once.
    def follow(task_id: str) -> str:
        try:
            phase = Phase(_value(perform(task_id, Start())))
            if phase is Phase.OVER:
                return "over"
            run(task_id, Stage.FETCH)
            if phase is Phase.FETCH:
                _value(perform(task_id, FinishFetch()))
                raise WorkflowMoved
            run(task_id, Stage.PROBE)
            run(task_id, Stage.PERCEIVE)
            for segment in range(run(task_id, Stage.PREPARE)):
                run(task_id, Stage.RENDER, segment)
            outcome = StoredVideo(**run(task_id, Stage.MUX))
        except TaskFailure as failure:
            outcome = failure
        except TaskLost:
            return "lost"
        return str(_value(perform(task_id, Settle(outcome=outcome))))

    DBOS.workflow(name=WORKFLOW)(replace_task)


def _value(outcome: dict[str, Any]) -> Any:
    if "lost" in outcome:
        raise TaskLost(outcome["lost"])
    if "failed" in outcome:
        raise TaskFailure.from_json(outcome["failed"])
    return outcome["value"]

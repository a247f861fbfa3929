"""The durable workflow, the supervisor and its child."""

from bodydouble.worker.steps import TaskSteps
from bodydouble.worker.worker import run_worker

__all__ = ["TaskSteps", "run_worker"]

"""The durable workflow of a task, and the supervisor of the child process that does the heavy work."""

from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.replacement import Ports
from bodydouble.worker.worker import Worker

__all__ = ["Ports", "Worker", "WorkerOptions"]

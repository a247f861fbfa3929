"""The use cases: submit, read, cancel, estimate, keys, uploads."""

from bodydouble.service.inputs import Submission
from bodydouble.service.service import Price, Service, TaskView

__all__ = ["Price", "Service", "Submission", "TaskView"]

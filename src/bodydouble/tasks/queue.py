"""Names that API and worker share to hand over a task."""

WORKFLOW = "replace_task"
QUEUE = "tasks"
APPLICATION = "bodydouble"
APPLICATION_VERSION = "1"
"""A workflow continues only under the version that started it. Increase it when the order of the steps changes."""

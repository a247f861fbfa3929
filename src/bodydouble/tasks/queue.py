"""What API and worker agree on when a task is handed over."""

WORKFLOW = "replace_task"
QUEUE = "tasks"
APPLICATION = "bodydouble"
APPLICATION_VERSION = "1"
"""Pinned: a workflow goes on only under the version that started it. Raise it when the order of steps changes."""

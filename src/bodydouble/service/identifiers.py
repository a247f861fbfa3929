"""Identifiers of tasks."""

import os
import time
from uuid import UUID

from bodydouble.tasks.errors import NotFound
from bodydouble.tasks.task import TaskId


def parse_task_id(text: str) -> TaskId:
    """Raises NotFound: what is no UUID is no task."""
    try:
        return TaskId(UUID(text))
    except ValueError:
        raise NotFound("Task not found") from None


def make_uuid7() -> UUID:
    """A UUID whose first 48 bits are the time in milliseconds (RFC 9562, section 5.7), so that ids sort by age."""
    value = int.from_bytes((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    return UUID(int=value & ~(0x3 << 62) | (0x2 << 62))

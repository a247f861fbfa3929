"""Identifiers of tasks and keys, and the cursors of their lists."""

import base64
import binascii
import os
import time
from uuid import UUID

from bodydouble.tasks.errors import InvalidParams, NotFound
from bodydouble.tasks.task import TaskId

KEY_ID_MAX = 2**63 - 1  # PostgreSQL's bigint


def parse_task_id(text: str) -> TaskId:
    """Raises NotFound for anything but a UUID."""
    try:
        return TaskId(UUID(text))
    except ValueError:
        raise NotFound("Task not found") from None


def make_uuid7() -> UUID:
    """A UUID whose first 48 bits are the time in milliseconds (RFC 9562, section 5.7), so that ids sort by age.

    The 12 bits after the version are the fraction of the millisecond (section 6.2, method 3), so that tasks created in
    quick succession keep their order. 62 bits are random.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = milliseconds << 80 | 0x7 << 76 | (rest << 12) // 1_000_000 << 64 | 0x2 << 62
    return UUID(int=value | int.from_bytes(os.urandom(8), "big") >> 2)


def encode_cursor(task_id: TaskId) -> str:
    """The cursor of a page that starts after this task."""
    return base64.urlsafe_b64encode(task_id.bytes).decode().rstrip("=")


def decode_cursor(cursor: str) -> TaskId:
    """The task that a page starts after. Raises InvalidParams for a text that is no cursor."""
    try:
        return TaskId(UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True)))
    except (ValueError, binascii.Error):
        raise InvalidParams(["cursor: invalid; start again without a cursor"]) from None

"""Tasks to store, as a create makes them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from bodydouble.service.identifiers import make_uuid7
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.task import NewTask, TaskId, TaskSource


def new_task(account: AccountId, reserve: int | str = 0, **changes: Any) -> NewTask:
    """A task of ``account`` that reserves so many credits; ``changes`` are other fields of it."""
    task = NewTask(
        id=TaskId(make_uuid7()),
        account=account,
        model="wan/2-2-animate-replace",
        param={},
        inputs={},
        source=TaskSource.API,
        reserve=Decimal(reserve),
        callback_url=None,
    )
    return replace(task, **changes)

"""Callbacks for their owner, and their content."""

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from bodydouble.api.callback_formats import CALLBACK_FORMATS
from bodydouble.service.accounts import AccountService
from bodydouble.service.callbacks import CallbackContent, CallbackService
from bodydouble.service.callers import Caller
from bodydouble.service.signing import InstallationSigner
from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.delivery import Delivery, DeliveryStatus
from bodydouble.tasks.errors import NotFound, StillRunning
from bodydouble.tasks.task import CANCELLED, Task, TaskId, TaskStatus
from fake_ports import TASK_ID, make_task

pytestmark = pytest.mark.anyio
STUDIO = Account(id=AccountId(1), name="studio", balance=Decimal(0))
OWNER, STRANGER = Caller(account=STUDIO), Caller(account=dataclasses.replace(STUDIO, id=AccountId(2)))
DELIVERY = UUID(int=9)


class Store:
    """Satisfies what the services need of the stores: one task of the account 1."""

    def __init__(self, task: Task) -> None:
        self.task: Task | None = task

    async def get_task(self, task_id: TaskId, account: AccountId | None = None) -> Task | None:
        return self.task if self.task and account in (None, self.task.account) else None

    async def deliveries(self, task_id: TaskId) -> list[Any]:
        return ["a log"]

    async def resend(self, task_id: TaskId) -> UUID | None:
        task = self.task
        return DELIVERY if task and task.callback_url and task.completed_at else None

    async def get_account(self, account: AccountId) -> Account:
        return STUDIO


def store(**changes: Any) -> Any:
    return Store(dataclasses.replace(make_task(), **changes))


async def test_only_the_owner_sees_the_log() -> None:
    """For others there is no such task."""
    rows = store()
    service = CallbackService(rows, rows)
    assert await service.log(OWNER, str(TASK_ID)) == ["a log"]
    with pytest.raises(NotFound, match="Task not found"):
        await service.log(STRANGER, str(TASK_ID))


async def test_a_callback_is_sent_again_after_the_task_has_ended() -> None:
    """Before that, and where there is none, the message says why not."""
    over = {"status": TaskStatus.FAILED, "completed_at": datetime.now(UTC)}
    for rows, error in (
        (store(callback_url="https://example.com/hook", **over), None),
        (store(callback_url="https://example.com/hook"), StillRunning),
        (store(**over), NotFound),
    ):
        service = CallbackService(rows, rows)
        if error is None:
            assert await service.resend(OWNER, str(TASK_ID)) == DELIVERY
        else:
            with pytest.raises(error):
                await service.resend(OWNER, str(TASK_ID))


async def test_the_body_is_the_task_as_it_is_now() -> None:
    """TaskInfo's data as JSON; nothing once the task was deleted."""
    rows = store(status=TaskStatus.FAILED, result=CANCELLED, completed_at=datetime.now(UTC))
    service = AccountService(rows, b"secret")
    content = CallbackContent(rows, rows, rows, service, InstallationSigner(b"s" * 32), "http://here", CALLBACK_FORMATS)
    delivery = Delivery(
        id=DELIVERY,
        task=TASK_ID,
        account=STUDIO.id,
        url="https://example.com/hook",
        status=DeliveryStatus.PENDING,
        tries=0,
        next_try_at=None,
        created_at=datetime.now(UTC),
        delivered_at=None,
    )
    message = await content.message(delivery)
    assert message is not None
    data = json.loads(message.body)
    assert (data["task_id"], data["status"], data["result"]["code"]) == (str(TASK_ID), "failed", 499)
    assert (message.secrets, message.headers) == ([service.webhook_secret(STUDIO)], {})
    rows.task = None
    assert await content.message(delivery) is None

"""The operator's use cases."""

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from bodydouble.service.callers import Caller
from bodydouble.service.inputs import Submission
from bodydouble.service.operation import OperationService, switchable_names
from bodydouble.tasks.account import Account, AccountId, ApiKey, Scope
from bodydouble.tasks.errors import InputRejected, NotFound, StillRunning
from bodydouble.tasks.operation import Executor
from bodydouble.tasks.task import CANCELLED, TERMINAL, Task, TaskId, TaskStatus
from fake_ports import EXECUTOR, TASK_ID, make_task

pytestmark = pytest.mark.anyio
STUDIO = Account(id=AccountId(1), name="studio", balance=Decimal(0))
NOW = datetime.now(UTC)


def key(number: int, prefix: str) -> ApiKey:
    return ApiKey(
        id=number,
        account=STUDIO.id,
        name="",
        prefix=prefix,
        scope=Scope.ALL,
        disabled=False,
        created_at=NOW,
        last_used_at=None,
        expires_at=None,
    )


class Store:
    """Satisfies what the service needs of all stores and of ``TaskService``: one task, one worker, some keys."""

    def __init__(self, task: Task, beat_at: datetime = NOW) -> None:
        self.task, self.beat_at = task, beat_at
        self.keys: list[ApiKey] = []
        self.queued: list[TaskId] = []
        self.submitted: list[tuple[Caller, Submission]] = []
        self.off: list[str] = []

    async def get_task(self, task_id: TaskId, account: AccountId | None = None) -> Task | None:
        return self.task if task_id == self.task.id else None

    async def get_account(self, account: AccountId) -> Account:
        return STUDIO

    async def list_keys(self, account: AccountId | None) -> list[ApiKey]:
        return self.keys

    async def executors(self) -> list[Executor]:
        seen: dict[str, Any] = {"started_at": NOW, "beat_at": self.beat_at, "stopped_at": None}
        return [Executor(id=EXECUTOR, host="here", pid=1, version="1", running=1, **seen)]

    async def enqueue_unless_run(self, task_id: TaskId, silence_seconds: float) -> bool:
        held = self.task.executor and (datetime.now(UTC) - self.beat_at).total_seconds() <= silence_seconds
        if held or self.task.status in TERMINAL:
            return False
        self.queued.append(task_id)
        return True

    async def submit(self, caller: Caller, submission: Submission, **about: Any) -> Any:
        self.submitted.append((caller, submission))
        return SimpleNamespace(id="new task")

    async def switch_off(self, name: str, message: str, retry_seconds: int) -> None:
        self.off.append(name)


def operation(store: Store) -> OperationService:
    names = ("tasks", "accounts", "deliveries", "executors", "queue", "switches", "task_service")
    stores: dict[str, Any] = dict.fromkeys(names, store)
    return OperationService(**stores, takeover_seconds=30, renderers=["puppet", "wan"])


async def test_a_failed_task_is_created_again_for_its_account() -> None:
    """The new task has the same request."""
    store = Store(dataclasses.replace(make_task(), status=TaskStatus.FAILED, result=CANCELLED))
    retried = await operation(store).retry(str(TASK_ID))
    assert (retried.id, retried.new) == ("new task", True)
    ((caller, submission),) = store.submitted
    assert (caller.account, submission.inputs) == (STUDIO, store.task.inputs)


async def test_a_stuck_task_goes_into_the_queue_again() -> None:
    """One that waits, and one whose worker has been silent too long; it stays the same task."""
    for status, executor in (
        (TaskStatus.PENDING, None),
        (TaskStatus.PENDING, EXECUTOR),
        (TaskStatus.RUNNING, EXECUTOR),
    ):
        task = dataclasses.replace(make_task(), status=status, executor=executor)
        store = Store(task, datetime.now(UTC) - timedelta(seconds=31))
        retried = await operation(store).retry(str(TASK_ID))
        assert (retried.id, retried.new, store.queued) == (TASK_ID, False, [TASK_ID])


async def test_a_task_that_needs_no_retry_is_left_alone() -> None:
    """One that a live worker runs, one that succeeded, and one that does not exist."""
    running = dataclasses.replace(make_task(), executor=EXECUTOR)
    with pytest.raises(StillRunning, match=f"{EXECUTOR} is running this task"):
        await operation(Store(running, datetime.now(UTC))).retry(str(TASK_ID))
    done = dataclasses.replace(make_task(), status=TaskStatus.SUCCESS)
    with pytest.raises(InputRejected, match="succeeded"):
        await operation(Store(done)).retry(str(TASK_ID))
    with pytest.raises(NotFound):
        await operation(Store(done)).retry("0" * 32)


@pytest.mark.parametrize(("reference", "number"), [("7", 7), ("ak_aaaaaa", 7), ("ak_aaaaaa0123456789", 7), ("8", 8)])
async def test_a_key_is_found_by_id_prefix_or_whole(reference: str, number: int) -> None:
    """However an operator has noted it."""
    store = Store(make_task())
    store.keys = [key(7, "ak_aaaaaa"), key(8, "ak_bbbbbb"), key(9, "ak_bbbbbb")]
    assert (await operation(store).find_key(reference))[1].id == number


async def test_a_key_that_is_not_one_is_refused() -> None:
    """An unknown one, and a prefix that several have: the message lists their ids."""
    store = Store(make_task())
    store.keys = [key(8, "ak_bbbbbb"), key(9, "ak_bbbbbb")]
    with pytest.raises(NotFound, match="There is no key 1;"):
        await operation(store).find_key("1")
    with pytest.raises(InputRejected, match="use an id: 8, 9"):
        await operation(store).find_key("ak_bbbbbb")


async def test_only_known_names_are_switched_off() -> None:
    """The message lists them: all work, uploads, the renderers, the models."""
    store = Store(make_task())
    assert switchable_names(["wan", "puppet"])[:4] == ("maintenance", "uploads", "renderer:puppet", "renderer:wan")
    await operation(store).switch_off("renderer:wan", "", 60)
    with pytest.raises(InputRejected, match="there is no coffee to switch off; there are: maintenance"):
        await operation(store).switch_off("coffee", "", 60)
    assert store.off == ["renderer:wan"]

"""Whatever happens to tasks, in any order: no credit is made or lost, nothing ends twice, no callback is skipped."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from bodydouble.api.dialects import DIALECTS
from bodydouble.service import TaskView
from bodydouble.service.identifiers import make_uuid7
from bodydouble.store import Database, PostgresAccountStore, PostgresTaskStore
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import BodydoubleError, InsufficientCredits, RateLimited, StillRunning
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import (
    TERMINAL,
    CreateLimits,
    LeaseStatus,
    NewTask,
    ResultCode,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskSource,
    TaskStatus,
)
from dialect_requests import REQUESTS, show_everywhere

GRANTED = Decimal(100)
LIMITS = CreateLimits(creates_per_minute=1_000_000, active_max=4)
SUCCESS = TaskResult(code=ResultCode.SUCCESS, message="success", media_keys=("results/1/x.mp4",))
FAILURE = TaskResult(code=ResultCode.GENERATION_FAILED, message="no")
CANCELLED = TaskResult(code=ResultCode.CANCELLED, message="cancelled")
EXECUTORS = ("one:/work", "two:/work", "three:/work")
prices = st.decimals(min_value=0, max_value=60, places=4)
_runs = iter(range(1_000_000))


class TaskLife(RuleBasedStateMachine):
    """Accounts and tasks in a real database, and beside them what has to be true of each."""

    url = ""
    tasks = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database: Database = self.run(Database.connect(self.url, 2))
        self.store = PostgresTaskStore(self.database)
        self.accounts = PostgresAccountStore(self.database)
        self.account: AccountId = self.run(self.accounts.ensure_account(f"run-{next(_runs)}")).id
        self.run(self.accounts.grant(self.account, GRANTED, "to begin with"))
        self.ended: dict[TaskId, TaskStatus] = {}  # how each task ended, the first time
        self.owners: dict[TaskId, str] = {}  # who took it last
        self.deleted: set[TaskId] = set()
        self.called: set[TaskId] = set()  # tasks with a callback_url

    def run(self, work: Any) -> Any:
        """Until it is done."""
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.run(self.database.close())
        self.loop.close()

    @rule(
        target=tasks,
        price=prices,
        calls_back=st.booleans(),
        key=st.none() | st.sampled_from("ab"),
        dialect=st.sampled_from(sorted(REQUESTS)),
    )
    def create(self, price: Decimal, calls_back: bool, key: str | None, dialect: str) -> Any:
        """A task, the first one again under its idempotency key, or a refusal that stores nothing."""
        asked = REQUESTS[dialect]("https://example.com/hook" if calls_back else None)
        calls_back = asked.callback_url is not None
        new = NewTask(
            id=TaskId(make_uuid7()), account=self.account, model=asked.model, param=asked.param, inputs=asked.inputs,
            source=TaskSource.API, reserve=price, callback_url=asked.callback_url,
            idempotency_key=key, body_hash=b"same" if key else None,
        )  # fmt: skip
        before = self.run(self.accounts.get_account(self.account))
        try:
            created = self.run(self.store.create_task(new, LIMITS))
        except InsufficientCredits:
            assert before.balance < price
            return multiple()
        except RateLimited:
            assert before.active >= LIMITS.active_max
            return multiple()
        if created.replayed:
            assert key is not None
            return multiple()
        if calls_back:
            self.called.add(created.id)
        return created.id

    @rule(task=tasks, executor=st.sampled_from(EXECUTORS))
    def start_or_take_over(self, task: TaskId, executor: str) -> None:
        """An executor takes it, the first time or after the one before crashed; nobody takes what is over."""
        taken = self.run(self.store.start_task(task, executor))
        assert (taken is None) == (task in self.ended or task in self.deleted)
        if taken is not None:
            self.owners[task] = executor

    @rule(task=tasks, executor=st.sampled_from(EXECUTORS), fraction=st.floats(0, 1))
    def progress(self, task: TaskId, executor: str, fraction: float) -> None:
        """Only who has it is wanted, and progress never goes back."""
        before = self.run(self.store.get_task(task))
        status = self.run(self.store.set_progress(task, executor, TaskProgress(fraction=fraction, stage=Stage.RENDER)))
        if task in self.ended or task in self.deleted or self.owners.get(task) != executor:
            assert status is LeaseStatus.LOST
        after = self.run(self.store.get_task(task))
        assert before is None or after.progress.fraction >= before.progress.fraction

    @rule(task=tasks, price=prices)
    def reprice(self, task: TaskId, price: Decimal) -> None:
        """The exact price holds, or the balance does not reach and nothing changes."""
        before = self.run(self.store.get_task(task))
        try:
            self.run(self.store.reserve_exactly(task, price))
        except InsufficientCredits:
            assert self.run(self.store.get_task(task)).credits == before.credits
            return
        if before is not None and task not in self.ended:
            assert self.run(self.store.get_task(task)).credits == price

    @rule(task=tasks, executor=st.sampled_from(EXECUTORS), won=st.booleans())
    def settle(self, task: TaskId, executor: str, won: bool) -> None:
        """Who has it ends it, once; who was taken over from cannot."""
        status, result = (TaskStatus.SUCCESS, SUCCESS) if won else (TaskStatus.FAILED, FAILURE)
        done = self.run(self.store.settle(task, status, result, executor))
        allowed = task not in self.ended and task not in self.deleted and self.owners.get(task) == executor
        assert done == allowed
        if done:
            self.ended[task] = status

    @rule(task=tasks)
    def cancel(self, task: TaskId) -> None:
        """A waiting task ends at once; a running one is told at its next progress."""
        asked = self.run(self.store.request_cancel(task, self.account))
        assert (asked is None) == (task in self.ended or task in self.deleted)
        if asked is TaskStatus.PENDING:
            assert self.run(self.store.settle(task, TaskStatus.FAILED, CANCELLED, None))
            self.ended[task] = TaskStatus.FAILED

    @rule(task=tasks)
    def retry(self, task: TaskId) -> None:
        """A failed task again as a new one is a task like any other."""
        if self.ended.get(task) is TaskStatus.FAILED and task not in self.deleted:
            self.create(Decimal(1), task in self.called, None, "crun")

    @rule(task=tasks)
    def delete(self, task: TaskId) -> None:
        """Only what is over goes; its ledger stays."""
        try:
            removed = self.run(self.store.delete_task(task, self.account))
        except StillRunning:
            assert task not in self.ended
            return
        assert (removed is None) == (task in self.deleted)
        self.deleted.add(task)

    @rule(amount=st.decimals(min_value=-50, max_value=50, places=4))
    def grant(self, amount: Decimal) -> None:
        """Credits given, or taken back as far as they are available."""
        try:
            self.run(self.accounts.grant(self.account, amount, ""))
        except BodydoubleError:
            assert self.run(self.accounts.get_account(self.account)).balance < -amount

    @invariant()
    def everything_agrees(self) -> None:
        """Ledger, balances, reservations, counts; ends that stay; a delivery for each end that has to be told."""
        assert self.run(self.accounts.ledger_differences()) == []
        with psycopg.connect(self.url) as connection:
            books = connection.execute(
                "select sum(amount) from posting where account_id = %s", (self.account,)
            ).fetchone()
            rows = connection.execute(
                "select t.id, t.status, t.callback_url, (select count(*) from delivery as d where d.task_id = t.id) "
                "from task as t where account_id = %s",
                (self.account,),
            ).fetchall()
        assert books is not None
        assert books[0] == 0
        known = {TaskId(row[0]): TaskStatus(row[1]) for row in rows}
        assert known.keys().isdisjoint(self.deleted)
        assert {t: s for t, s in known.items() if s in TERMINAL} == {
            t: s for t, s in self.ended.items() if t not in self.deleted
        }
        for task in known:
            show_everywhere(TaskView(task=self.run(self.store.get_task(task)), queue_position=None, media_urls=[]))
        for task, status, callback_url, deliveries in rows:
            assert deliveries == int(callback_url is not None and TaskStatus(status) in TERMINAL), task


def test_every_dialect_takes_part() -> None:
    """A new dialect needs a row in dialect_requests.py."""
    assert REQUESTS.keys() == DIALECTS.keys()


@pytest.fixture
def machine(empty_database: str) -> Iterator[type[TaskLife]]:
    """The machine over a database of its own; each run has an account of its own in it."""
    TaskLife.url = empty_database
    yield TaskLife
    TaskLife.url = ""


def test_a_task_keeps_its_promises_whatever_happens(machine: type[TaskLife]) -> None:
    """Create, start, crash and take-over, progress, reprice, succeed, fail, cancel, retry, delete, grant."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
        ),
    )

"""The clock is set back: times that were stored before lie in the future, and nothing waits until they come."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import psycopg
import pytest

from bodydouble.service.accounts import ROTATIONS_MAX, AccountService
from bodydouble.service.callers import Caller
from bodydouble.store import (
    Database,
    PostgresAccountStore,
    PostgresExecutorStore,
    PostgresInstallationStore,
    PostgresMetricsStore,
    PostgresTaskStore,
)
from bodydouble.tasks.account import Account
from bodydouble.tasks.errors import RateLimited
from bodydouble.tasks.operation import Gauge
from bodydouble.tasks.task import CANCELLED, CreateLimits, TaskId, TaskStatus
from new_tasks import new_task

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Stores over one database, and an account with credits."""

    database: Database
    tasks: PostgresTaskStore
    accounts: PostgresAccountStore
    account: Account

    def execute(self, statement: str) -> None:
        """Change what is stored, as if it had been stored before the clock was set back."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    async def create(self, creates_per_minute: int = 60) -> TaskId:
        """A new task of the account."""
        new = new_task(self.account.id)
        return (await self.tasks.create_task(new, CreateLimits(creates_per_minute=creates_per_minute))).id


@pytest.fixture
async def installation(empty_database: str) -> AsyncIterator[Installation]:
    database = await Database.connect(empty_database)
    accounts = PostgresAccountStore(database)
    account = await accounts.ensure_account("studio")
    yield Installation(database=database, tasks=PostgresTaskStore(database), accounts=accounts, account=account)
    await database.close()


async def test_an_account_creates_again_within_a_minute(installation: Installation) -> None:
    """A bucket that is full in an hour counts, and is stored, as full in a minute; a second later it takes a create."""
    installation.execute("update account set creates_full_at = now() + interval '1 hour'")
    with pytest.raises(RateLimited) as caught:
        await installation.create()
    assert caught.value.retry_seconds <= 1.1
    installation.execute("update account set creates_full_at = creates_full_at - interval '1 second'")  # it passes
    assert await installation.create()


async def test_a_dead_worker_is_taken_over(installation: Installation) -> None:
    """A last heartbeat from the future counts from the first look on, and then becomes too old as usual."""
    executors, task = PostgresExecutorStore(installation.database), await installation.create()
    await executors.beat("one", "here", 1, "1")
    installation.execute("update dbos.workflow_status set status = 'PENDING', executor_id = 'one'")
    installation.execute("update executor set beat_at = now() + interval '1 hour'")
    assert await executors.requeue_abandoned(30) == []
    installation.execute("update executor set beat_at = beat_at - interval '31 seconds'")  # they pass
    assert await executors.requeue_abandoned(30) == [task]


async def test_a_stray_task_is_requeued(installation: Installation) -> None:
    """A start in the future was long ago."""
    executors, task = PostgresExecutorStore(installation.database), await installation.create()
    installation.execute(
        "update dbos.workflow_status set status = 'PENDING', executor_id = 'one', "
        "started_at_epoch_ms = (extract(epoch from now()) + 3600) * 1000"
    )
    assert await executors.requeue_strays("one", [], 30) == [task]


async def test_chores_go_on(installation: Installation) -> None:
    """A chore that is due later than its period from now is due."""
    chores = PostgresInstallationStore(installation.database)
    assert await chores.claim_chore("sweep", 60)
    installation.execute("update chore set due_at = now() + interval '1 hour'")
    assert await chores.claim_chore("sweep", 60)
    assert not await chores.claim_chore("sweep", 60)


async def test_a_process_that_is_gone_leaves_the_metrics(installation: Installation) -> None:
    """Gauges from the future are not fresh."""
    metrics = PostgresMetricsStore(installation.database)
    await metrics.set_gauges("gone", [Gauge(process="gone", name="memory_peak_bytes", value=1.0)])
    installation.execute("update gauge set at = now() + interval '1 hour'")
    assert await metrics.gauges(15) == []


async def test_no_duration_is_negative(installation: Installation) -> None:
    """A task that was created in the future waited and took 0 seconds."""
    task = await installation.create()
    installation.execute("update task set created_at = now() + interval '1 hour'")
    await installation.tasks.start_task(task, "one")
    await installation.tasks.settle(task, TaskStatus.FAILED, CANCELLED, "one")
    assert [stage.seconds for stage in await installation.tasks.stage_times(task)] == [0]
    counts = await PostgresMetricsStore(installation.database).counts()
    assert all(count.total >= 0 for count in counts)


async def test_a_webhook_secret_can_be_rotated(installation: Installation) -> None:
    """Rotations from the future do not count against the limit of a day."""
    service, caller = AccountService(installation.accounts, b"secret"), Caller(account=installation.account)
    for _ in range(ROTATIONS_MAX):
        await service.rotate_webhook_secret(caller)
    installation.execute(
        "update account set webhook_rotations = array(select r + interval '1 hour' from unnest(webhook_rotations) as r)"
    )
    account, _ = await service.rotate_webhook_secret(caller)
    assert account.webhook_generation == ROTATIONS_MAX + 2

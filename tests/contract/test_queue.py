"""What becomes of tasks in the queue whose worker ends, on PostgreSQL and with the engine's own tables."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from bodydouble.store import (
    Database,
    PostgresAccountStore,
    PostgresExecutorStore,
    PostgresInstallationStore,
    PostgresQueueStore,
    PostgresTaskStore,
)
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import (
    CreateLimits,
    LeaseStatus,
    ResultCode,
    Task,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskStatus,
)
from new_tasks import new_task

pytestmark = pytest.mark.anyio

FAILURE = TaskResult(code=ResultCode.CANCELLED, message="cancelled")
NEVER = float("inf")


class Queue:
    """The stores, and the engine's side of it."""

    def __init__(self, database: Database) -> None:
        self.tasks, self.accounts = PostgresTaskStore(database), PostgresAccountStore(database)
        self.executors, self.queue = PostgresExecutorStore(database), PostgresQueueStore(database)
        self.installation, self._url = PostgresInstallationStore(database), database.url

    async def add(self, *, fetches: bool = False) -> TaskId:
        """A task of somebody with credits; ``fetches``: with an input at a foreign address."""
        account = await self.accounts.ensure_account("somebody")
        await self.accounts.grant(account.id, Decimal(30), "for the test")
        new = new_task(account.id, 30, fetches_inputs=fetches)
        return (await self.tasks.create_task(new, CreateLimits())).id

    def execute(self, statement: str, *values: Any) -> list[Any]:
        """As the engine or time does."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    async def hand_out(self, task: TaskId, executor: str) -> None:
        """The engine gives the task to an executor, which takes it."""
        self.execute(
            "update dbos.workflow_status set status = 'PENDING', executor_id = %s, owner_xid = 'x' "
            "where workflow_uuid = %s",
            executor,
            str(task),
        )
        await self.tasks.start_task(task, executor)

    async def hand_out_fetch(self, task: TaskId, executor: str) -> Task | None:
        """The engine gives the task to an executor, which fetches its inputs."""
        self.execute(
            "update dbos.workflow_status set status = 'PENDING', executor_id = %s, owner_xid = 'x' "
            "where workflow_uuid = %s",
            executor,
            str(task),
        )
        return await self.tasks.start_fetch(task, executor)

    def state(self, task: TaskId) -> tuple[str, str | None, str | None]:
        """Status, queue and owner's token at the engine."""
        query = "select status, queue_name, owner_xid from dbos.workflow_status where workflow_uuid = %s"
        rows = self.execute(query, str(task))
        return rows[0] if rows else ("", None, None)


@pytest.fixture
async def queue(empty_database: str) -> AsyncIterator[Queue]:
    database = await Database.connect(empty_database)
    made = Queue(database)
    yield made
    assert await made.accounts.ledger_differences() == []
    await made.tasks.close()
    await database.close()


async def test_the_tasks_of_a_silent_executor_are_queued_again(queue: Queue) -> None:
    """Once it has been silent for long enough, once, and without the token that let it write."""
    task = await queue.add()
    await queue.executors.beat("one", "here", 1, "1")
    await queue.hand_out(task, "one")
    assert await queue.executors.requeue_abandoned(300) == []
    queue.execute("update executor set beat_at = now() - interval '400 s'")
    assert await queue.executors.requeue_abandoned(800) == []
    assert await queue.executors.requeue_abandoned(NEVER) == []
    assert await queue.executors.requeue_abandoned(300) == [task]
    assert queue.state(task) == ("ENQUEUED", "tasks", None)
    assert await queue.executors.requeue_abandoned(300) == []


async def test_what_nobody_took_up_is_queued_again_too(queue: Queue) -> None:
    """The engine handed it to an executor that ended before it said a word, or that nobody knows."""
    task = await queue.add()
    queue.execute("update dbos.workflow_status set status = 'PENDING', executor_id = 'unknown'")
    assert await queue.executors.requeue_abandoned(NEVER) == [task]


async def test_what_an_executor_was_handed_and_does_not_work_at_is_queued_again(queue: Queue) -> None:
    """After a while, and nothing that it does work at, or that others have."""
    stray, working, fresh, foreign = [await queue.add() for _ in range(4)]
    for task in (stray, working, fresh):
        await queue.hand_out(task, "one")
    await queue.hand_out(foreign, "two")
    since = "update dbos.workflow_status set started_at_epoch_ms = extract(epoch from now()) * 1000 - %s"
    queue.execute(since, 600_000)
    queue.execute(since + " where workflow_uuid = %s", 10_000, str(fresh))
    assert await queue.executors.requeue_strays("one", {working: 0}.keys(), 300) == [stray]
    assert queue.state(stray) == ("ENQUEUED", "tasks", None)
    assert queue.state(working)[0] == queue.state(fresh)[0] == queue.state(foreign)[0] == "PENDING"
    assert await queue.executors.requeue_strays("one", [working], 300) == []


@pytest.mark.parametrize(("in_order", "attempts"), [(True, 0), (False, 1)])
async def test_an_executor_that_stops_leaves_its_tasks_to_others(queue: Queue, in_order: bool, attempts: int) -> None:
    """At once; only an end that is none of the operator's making counts as an attempt."""
    task = await queue.add()
    await queue.executors.beat("one", "here", 1, "1")
    await queue.hand_out(task, "one")
    await queue.executors.stop_executor("one", in_order=in_order)
    assert queue.state(task) == ("ENQUEUED", "tasks", None)
    stored = await queue.tasks.get_task(task)
    assert stored is not None
    assert stored.attempts == attempts
    taken = await queue.tasks.start_task(task, "two")
    assert taken is not None
    assert taken.attempts == attempts + 1
    assert not await queue.tasks.settle(task, TaskStatus.FAILED, FAILURE, "one"), "it is not the first one's any more"


async def test_a_settled_task_leaves_the_queue(queue: Queue) -> None:
    """A cancel before anybody took it: no worker has to find out."""
    task = await queue.add()
    assert await queue.tasks.settle(task, TaskStatus.FAILED, FAILURE, None)
    assert queue.state(task)[:2] == ("CANCELLED", None)


@pytest.mark.parametrize(
    "fate", ["update dbos.workflow_status set status = 'ERROR'", "delete from dbos.workflow_status"]
)
async def test_a_task_that_fell_out_of_the_queue_is_found_and_begun_again(queue: Queue, fate: str) -> None:
    """Whatever happened to its workflow; its steps are forgotten, and a task that is over is none of it."""
    task, over = await queue.add(), await queue.add()
    await queue.tasks.settle(over, TaskStatus.FAILED, FAILURE, None)
    await queue.hand_out(task, "one")
    assert await queue.queue.stranded_tasks(10) == []
    queue.execute(fate)
    assert await queue.queue.stranded_tasks(10) == [task]
    assert await queue.queue.enqueue_again(task)
    assert queue.state(task)[:2] == ("ENQUEUED", "tasks")
    assert await queue.queue.stranded_tasks(10) == []
    assert not await queue.queue.enqueue_again(over)
    assert not await queue.queue.enqueue_again(TaskId(UUID(int=1)))


@pytest.mark.parametrize("fetches", [False, True])
async def test_a_task_is_not_enqueued_from_under_a_live_executor(queue: Queue, fetches: bool) -> None:
    """Neither while it renders nor while it fetches the inputs. Once it is silent for too long, it is."""
    task = await queue.add(fetches=fetches)
    await queue.executors.beat("one", "here", 1, "1")
    await (queue.hand_out_fetch if fetches else queue.hand_out)(task, "one")
    assert not await queue.queue.enqueue_unless_run(task, 300)
    assert queue.state(task)[0] == "PENDING"
    queue.execute("update executor set beat_at = now() - interval '400 s'")
    assert await queue.queue.enqueue_unless_run(task, 300)
    assert queue.state(task)[0] == "ENQUEUED"
    assert await queue.queue.enqueue_unless_run(task, 300), "nobody has it"
    await queue.tasks.settle(task, TaskStatus.FAILED, FAILURE, None)
    assert not await queue.queue.enqueue_unless_run(task, 300)


async def test_a_chore_is_claimed_once_in_its_period(queue: Queue) -> None:
    """By whoever comes first; again once the period is over."""
    assert await queue.installation.claim_chore("sweep", 60)
    assert not await queue.installation.claim_chore("sweep", 60)
    assert await queue.installation.claim_chore("another", 60)
    queue.execute("update chore set due_at = now() where name = 'sweep'")
    assert await queue.installation.claim_chore("sweep", 60)


async def test_the_engine_forgets_what_ended_long_ago(queue: Queue) -> None:
    """Old workflows go from all of its tables; those that are queued stay, however old."""
    old, waiting = await queue.add(), await queue.add()
    await queue.tasks.settle(old, TaskStatus.FAILED, FAILURE, None)
    before = datetime.now(UTC) + timedelta(seconds=5)
    assert await queue.queue.delete_old_workflows(before - timedelta(hours=1), 10) == 0
    assert await queue.queue.delete_old_workflows(before, 10) == 1
    assert queue.state(old)[0] == ""
    assert queue.state(waiting)[0] == "ENQUEUED"
    assert queue.execute("select count(*) from dbos.workflow_input") == [(1,)]


async def test_the_first_start_ends_the_time_in_the_queue(queue: Queue) -> None:
    """It stands first in the timeline, once, whoever takes the task later."""
    task = await queue.add()
    await queue.tasks.start_task(task, "one")
    await queue.tasks.start_task(task, "two")
    assert [stage.stage for stage in await queue.tasks.stage_times(task)] == ["queued"]


async def test_a_task_waits_for_a_render_slot_after_its_fetch(queue: Queue) -> None:
    """It stays pending, shows the stage, and its fetch consumes no attempt."""
    task = await queue.add(fetches=True)
    assert queue.state(task)[:2] == ("ENQUEUED", "fetches")
    fetching = await queue.hand_out_fetch(task, "one")
    assert fetching is not None
    assert (fetching.status, fetching.progress.stage, fetching.attempts) == (TaskStatus.PENDING, Stage.FETCH, 1)
    progress = TaskProgress(stage=Stage.FETCH)
    assert await queue.tasks.set_progress(task, "one", progress) is LeaseStatus.HELD
    assert not await queue.tasks.finish_fetch(task, "two")
    assert await queue.tasks.finish_fetch(task, "one")
    assert queue.state(task) == ("ENQUEUED", "tasks", None)
    assert await queue.tasks.set_progress(task, "one", progress) is LeaseStatus.LOST
    assert await queue.hand_out_fetch(task, "two") is None, "its inputs are fetched"
    started = await queue.tasks.start_task(task, "two")
    assert started is not None
    assert (started.status, started.attempts) == (TaskStatus.RUNNING, 1)


@pytest.mark.parametrize(("in_order", "attempts"), [(True, 1), (False, 2)])
async def test_the_fetch_of_an_executor_that_ended_is_begun_again(queue: Queue, in_order: bool, attempts: int) -> None:
    """By another one; the first can neither move nor settle the task."""
    task = await queue.add(fetches=True)
    await queue.executors.beat("one", "here", 1, "1")
    await queue.hand_out_fetch(task, "one")
    if in_order:
        await queue.executors.stop_executor("one", in_order=True)
    else:
        queue.execute("update executor set beat_at = now() - interval '10 s'")
        assert await queue.executors.requeue_abandoned(5) == [task]
    assert queue.state(task) == ("ENQUEUED", "fetches", None)
    again = await queue.hand_out_fetch(task, "two")
    assert again is not None
    assert again.attempts == attempts
    assert not await queue.tasks.finish_fetch(task, "one")
    assert not await queue.tasks.settle(task, TaskStatus.FAILED, FAILURE, "one")
    assert await queue.tasks.settle(task, TaskStatus.FAILED, FAILURE, "two")


async def test_a_cancel_during_the_fetch_ends_the_task(queue: Queue) -> None:
    """Its credits are released at once, and the executor that fetches is told that it lost the task."""
    task = await queue.add(fetches=True)
    await queue.hand_out_fetch(task, "one")
    assert await queue.tasks.settle(task, TaskStatus.FAILED, FAILURE, None)
    assert await queue.tasks.set_progress(task, "one", TaskProgress(stage=Stage.FETCH)) is LeaseStatus.LOST
    assert not await queue.tasks.finish_fetch(task, "one")


async def test_an_account_fetches_four_tasks_at_a_time(queue: Queue) -> None:
    """The engine runs one task of each partition of the queue, and an account has four."""
    for _ in range(9):
        await queue.add(fetches=True)
    partitions = {row[0] for row in queue.execute("select queue_partition_key from dbos.workflow_status")}
    assert len(partitions) == 4

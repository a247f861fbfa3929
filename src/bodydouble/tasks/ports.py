"""The ports to the database for tasks, accounts, callbacks and sessions. Their adapters are in ``store``."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from bodydouble.tasks.account import Account, AccountId, ApiKey, NewApiKey
from bodydouble.tasks.credits import LedgerDifference, LedgerEntry, UsageDay
from bodydouble.tasks.delivery import Delivery, DeliveryLog, DeliveryStatus, DeliveryTry
from bodydouble.tasks.operation import FailureCount
from bodydouble.tasks.session import NewSession, Session
from bodydouble.tasks.task import (
    Created,
    CreateLimits,
    LeaseStatus,
    NewTask,
    StageTime,
    Task,
    TaskFilter,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskStatus,
)


@dataclass(frozen=True, kw_only=True)
class KeyReading:
    """A key, its account, and the task that the key's owner asked for."""

    account: Account
    key: ApiKey
    task: Task | None  # None if there is none, or it is another account's
    stages: Sequence[StageTime] = ()  # the task's timeline, oldest first


class TaskStore(Protocol):
    """Tasks and the credits reserved for them. Every method raises StorageUnavailable."""

    async def create_task(self, task: NewTask, limits: CreateLimits) -> Created:
        """Check key, switches, limits and balance; store and enqueue the task and reserve its credits: one transaction.

        Raises:
            Unauthenticated, KeyDisabled, ScopeInsufficient, Maintenance, FeatureDisabled, RateLimited,
            InsufficientCredits, IdempotencyConflict: nothing was stored.
        """
        ...

    async def has_request(self, account: AccountId, idempotency_key: str) -> bool:
        """Whether a request with this idempotency key created a task of the account that is still stored."""
        ...

    async def forget_request(self, task_id: TaskId, idempotency_key: str) -> None:
        """Let a further request with this key create another task than this one."""
        ...

    async def get_task(self, task_id: TaskId, account: AccountId | None = None) -> Task | None:
        """The task, or None if there is none or it belongs to another account than ``account`` (None: any)."""
        ...

    async def read_task(self, key_hash: bytes, task_id: TaskId) -> KeyReading | None:
        """The key's account and that account's task, in one round trip; None for an unknown key."""
        ...

    async def list_tasks(self, wanted: TaskFilter) -> list[Task]:
        """One page, newest first."""
        ...

    async def set_title(self, task_id: TaskId, account: AccountId, title: str) -> bool:
        """Name a task of the account. False if there is none."""
        ...

    async def queue_position(self, task_id: TaskId) -> int | None:
        """How many pending tasks are ahead of this one, counted up to 1000; None unless it is pending."""
        ...

    async def waiting_tasks(self, limit: int) -> list[TaskId]:
        """The first ``limit`` pending tasks, in the order of their start."""
        ...

    async def start_fetch(self, task_id: TaskId, executor: str) -> Task | None:
        """Assign a pending task in the fetch queue to this executor; a new executor is a new attempt. Else None."""
        ...

    async def finish_fetch(self, task_id: TaskId, executor: str) -> bool:
        """Move a task from the fetch queue to the queue of tasks to render; the fetch consumes no attempt.

        False if the task has ended, or another executor has it.
        """
        ...

    async def start_task(self, task_id: TaskId, executor: str) -> Task | None:
        """Assign the task to this executor; a new executor is a new attempt. None if the task has ended."""
        ...

    async def set_progress(self, task_id: TaskId, executor: str, progress: TaskProgress) -> LeaseStatus:
        """Store progress, which never decreases. Returns whether the executor may continue."""
        ...

    async def set_preview(self, task_id: TaskId, executor: str, picture_key: str, video_key: str) -> None:
        """Set the preview of a running task: the newest frame, and the video of the part that is rendered."""
        ...

    async def add_stage_time(self, task_id: TaskId, stage: StageTime) -> None:
        """Add to the task's timeline and to the metrics."""
        ...

    async def stage_times(self, task_id: TaskId) -> list[StageTime]:
        """The timeline, oldest first."""
        ...

    async def reserve_exactly(self, task_id: TaskId, price: Decimal) -> None:
        """Replace the estimated reservation by the exact price. Raises InsufficientCredits."""
        ...

    async def settle(self, task_id: TaskId, status: TaskStatus, result: TaskResult, executor: str | None) -> bool:
        """End the task once: charge or release its credits and enqueue its callback.

        False if it has ended already, or belongs to another executor than ``executor`` (None: any). Raises
        ResultNotStorable.
        """
        ...

    async def request_cancel(self, task_id: TaskId, account: AccountId) -> TaskStatus | None:
        """Request a cancel; the status at that moment, or None if the task is unknown or has ended."""
        ...

    async def delete_task(self, task_id: TaskId, account: AccountId) -> Task | None:
        """Delete a task that has ended, with its callbacks and timeline; the deleted task, or None.

        Ledger and usage are kept. Raises StillRunning.
        """
        ...

    async def overdue_tasks(self, limit: int) -> list[Task]:
        """Active tasks past their deadline."""
        ...

    async def late_starts(self, limit: int) -> list[Task]:
        """Pending tasks that should have started by now: ``dialect.START_TIMEOUT`` of their request."""
        ...

    async def expired_media(self, limit: int) -> list[Task]:
        """Ended tasks whose media have expired and not been deleted."""
        ...

    async def media_deleted(self, task_ids: Sequence[TaskId]) -> None:
        """Record that the media of these tasks were deleted."""
        ...

    async def delete_old_tasks(self, before: datetime, limit: int) -> int:
        """Delete tasks that ended before this moment and have no media; return how many."""
        ...

    async def failures(self, days: int, limit: int) -> list[FailureCount]:
        """Why tasks failed within the last ``days`` days, most frequent first. Cancelled tasks do not count."""
        ...

    def changes(self, task_id: TaskId) -> AbstractAsyncContextManager["TaskChanges"]:
        """Watch a task for the length of the block."""
        ...

    async def ping(self) -> None:
        """Raises StorageUnavailable if the database does not respond."""
        ...


class TaskChanges(Protocol):
    """A watched task."""

    async def wait(self, seconds: float) -> bool:
        """Wait until the task changes (True) or ``seconds`` pass. May return True without a change."""
        ...


class AccountStore(Protocol):
    """Accounts, their keys and credits."""

    async def account_for_key(self, key_hash: bytes) -> tuple[Account, ApiKey] | None: ...

    async def touch_keys(self, key_hashes: Sequence[bytes]) -> None:
        """Record that these keys were used now."""
        ...

    async def get_account(self, account: AccountId) -> Account:
        """Raises NotFound."""
        ...

    async def find_account(self, name: str) -> Account:
        """Raises NotFound."""
        ...

    async def ensure_account(self, name: str) -> Account:
        """The account of this name; created if there is none."""
        ...

    async def list_accounts(self) -> list[Account]:
        """All accounts, by name."""
        ...

    async def set_limits(
        self, account: AccountId, creates_per_minute: int | None, active_max: int | None, *, disabled: bool
    ) -> Account:
        """Set an account's limits; None stands for the installation's setting. Raises NotFound."""
        ...

    async def set_label(self, account: AccountId, label: str) -> Account:
        """Set the visible label of results of tasks that the account creates from now on. Raises NotFound."""
        ...

    async def grant(self, account: AccountId, amount: Decimal, memo: str) -> Account:
        """Grant credits, or revoke a negative amount. Raises InsufficientCredits, NotFound."""
        ...

    async def add_key(self, account: AccountId, key: NewApiKey, keys_max: int) -> ApiKey | None:
        """Add a key and delete keys that ended over a day ago. None if ``keys_max`` keys have not ended yet."""
        ...

    async def list_keys(self, account: AccountId | None) -> list[ApiKey]:
        """Keys of an account, or of all (None), oldest first."""
        ...

    async def set_key_disabled(self, account: AccountId, key_id: int, *, disabled: bool) -> ApiKey:
        """Raises NotFound."""
        ...

    async def replace_key(self, account: AccountId, key_id: int, new: NewApiKey, grace_seconds: float) -> ApiKey:
        """Add a key with the name and scope of another, which expires after ``grace_seconds``. Raises NotFound."""
        ...

    async def count_keys(self) -> int: ...

    async def rotate_webhook_secret(self, account: AccountId, remembered_max: int) -> Account:
        """Increase the generation of the account's webhook secret and record the time. Raises NotFound."""
        ...

    async def ledger(self, account: AccountId, before: int | None, limit: int) -> list[LedgerEntry]:
        """One page, newest first; ``before`` is the last id of the previous page."""
        ...

    async def task_ledger(self, task_id: TaskId) -> list[LedgerEntry]:
        """Every transfer of a task, oldest first, even if the task was deleted."""
        ...

    async def ledger_differences(self) -> list[LedgerDifference]:
        """Stored amounts that differ from the ledger. There must be none."""
        ...

    async def usage(self, account: AccountId, days: int) -> list[UsageDay]:
        """The last ``days`` days including today, newest first. Days without tasks are omitted."""
        ...


class DeliveryStore(Protocol):
    """Callbacks to send, and their tries."""

    async def claim_deliveries(
        self, limit: int, lease_seconds: float, skip_accounts: Sequence[AccountId] = ()
    ) -> Sequence[Delivery]:
        """Up to ``limit`` deliveries that are due, oldest first, none of ``skip_accounts``.

        Nobody else is given them for ``lease_seconds``; unless it is recorded by then, it is due again. A delivery that
        is due later than ``delivery.WAIT_SECONDS_MAX`` from now is due at once: the clock was set back.
        """
        ...

    async def record_try(
        self, delivery_id: UUID, tried: DeliveryTry, next_try_at: datetime | None, status: DeliveryStatus
    ) -> None:
        """Log and count a try, and set when the next one is due (None: never)."""
        ...

    async def deliveries(self, task_id: TaskId) -> list[DeliveryLog]:
        """A task's deliveries with their tries, newest first."""
        ...

    async def resend(self, task_id: TaskId) -> UUID | None:
        """Make the task's latest delivery due now, whatever its state; its id, or None if there is none."""
        ...


class SessionStore(Protocol):
    """Sessions and sign-in links of the console, by the SHA-256 of their tokens."""

    async def add_link(self, link: NewSession) -> None:
        """Store a link that signs in once."""
        ...

    async def redeem_link(self, link_hash: bytes, session_hash: bytes, seconds: float) -> bool:
        """Turn a link into a session, once. False if the link is unknown, used or expired."""
        ...

    async def add_session(self, session: NewSession) -> None: ...

    async def get_session(self, token_hash: bytes) -> Session | None:
        """The session with its account as it is now; None if unknown or expired."""
        ...

    async def end_session(self, token_hash: bytes) -> None: ...

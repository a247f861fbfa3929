"""The services behind an operator's commands, and the first start of an installation."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from bodydouble.bootstrap.options import media_limits
from bodydouble.bootstrap.services import build_operation, build_services, build_sessions
from bodydouble.bootstrap.stores import has_the_secret, open_files, open_secret, open_stores, require_the_secret
from bodydouble.service import AccountService, OperationService, SessionService, TaskService, sign_in_url
from bodydouble.settings import Settings
from bodydouble.tasks.errors import BodydoubleError, StorageUnavailable
from bodydouble.tasks.identity import IdentityStore
from bodydouble.tasks.operation import Executor, QueueState
from bodydouble.tasks.session import SessionRole
from bodydouble.worker.inspection.pool import InspectionPool

FIRST_ACCOUNT = "default"


@dataclass(frozen=True, kw_only=True)
class AdminServices:
    """The services that an operator's commands call."""

    operation: OperationService
    accounts: AccountService
    tasks: TaskService
    sessions: SessionService
    identities: IdentityStore


@asynccontextmanager
async def open_admin_services(settings: Settings, database_url: str) -> AsyncGenerator[AdminServices, None]:
    """An operator's services; they work with or without a running API. Raises StorageUnavailable."""
    async with open_stores(settings, database_url) as stores, InspectionPool(media_limits(settings)) as inspections:
        services = build_services(settings, stores, open_files(settings), inspections)
        yield AdminServices(
            operation=build_operation(settings, stores, services.tasks),
            accounts=services.accounts,
            tasks=services.tasks,
            sessions=build_sessions(settings, stores),
            identities=stores.identities,
        )


@dataclass(frozen=True, kw_only=True)
class InstallationState:
    """The state of an installation, as seen from one machine."""

    files: str  # what is wrong with the file store; empty: nothing
    has_secret: bool  # this machine's secret is the installation's
    queue: QueueState
    alive: Sequence[Executor]  # workers with a fresh heartbeat
    silent: Sequence[Executor]  # workers without a heartbeat that did not stop in order, of the last day


async def inspect_installation(settings: Settings, database_url: str) -> InstallationState:
    """The state of the installation.

    Raises:
        StorageUnavailable: the database does not answer, or holds no installation of this version.
    """
    try:
        return await _inspect_installation(settings, database_url)
    except asyncpg.UndefinedTableError as error:
        raise StorageUnavailable(
            "The database holds no installation of this version; `bodydouble serve` makes one or brings it up to date"
        ) from error


async def _inspect_installation(settings: Settings, database_url: str) -> InstallationState:
    async with open_stores(settings, database_url) as stores, InspectionPool(media_limits(settings)) as inspections:
        services = build_services(settings, stores, open_files(settings), inspections)
        operation = build_operation(settings, stores, services.tasks)
        try:
            await open_files(settings).ping()
            files = ""
        except BodydoubleError as error:
            files = error.message
        seen = [executor for executor in await operation.executors() if executor.stopped_at is None]
        return InstallationState(
            files=files,
            has_secret=await has_the_secret(settings, stores.installation),
            queue=await operation.queue_state(),
            alive=[executor for executor in seen if operation.is_alive(executor)],
            silent=[executor for executor in seen if not operation.is_alive(executor)],
        )


async def make_sign_in_url(settings: Settings, database_url: str) -> str:
    """A link that signs in once, as operator of the first account."""
    async with open_stores(settings, database_url) as stores:
        await stores.accounts.ensure_account(FIRST_ACCOUNT)
        token = await build_sessions(settings, stores).make_link_token(FIRST_ACCOUNT, SessionRole.OPERATOR)
    return sign_in_url(settings.base_url, token)


async def create_first_key(settings: Settings, database_url: str) -> str | None:
    """A key for the first account; None if any account has a key.

    Raises:
        InputRejected: this machine's secret is not the installation's.
        StorageUnavailable: the database does not answer.
    """
    async with open_stores(settings, database_url) as stores:
        await require_the_secret(settings, stores.installation)
        if await stores.accounts.count_keys():
            return None
        service = AccountService(stores.accounts, open_secret(settings))
        owner = await service.open_account(FIRST_ACCOUNT, settings.starting_credits, "granted at the first start")
        return (await service.create_key(owner.id, "first key")).secret

"""What an operator does beside or without a running service, and the first start of an installation."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bodydouble.bootstrap.services import build_operation, build_services, build_sessions
from bodydouble.bootstrap.stores import open_files, open_secret, open_stores
from bodydouble.service import AccountService, OperationService, SessionService, TaskService, sign_in_url
from bodydouble.settings import Settings
from bodydouble.tasks.session import Role

FIRST_ACCOUNT = "default"


@dataclass(frozen=True, kw_only=True)
class Office:
    """The use cases that an operator's commands call."""

    operation: OperationService
    accounts: AccountService
    tasks: TaskService
    sessions: SessionService


@asynccontextmanager
async def open_office(settings: Settings, database_url: str) -> AsyncGenerator[Office, None]:
    """An operator's use cases, beside or without a running service. Raises StorageUnavailable."""
    async with open_stores(settings, database_url) as stores:
        services = build_services(settings, stores, open_files(settings))
        yield Office(
            operation=build_operation(settings, stores, services.tasks),
            accounts=services.accounts,
            tasks=services.tasks,
            sessions=build_sessions(settings, stores),
        )


async def make_sign_in_url(settings: Settings, database_url: str) -> str:
    """An address that signs in once, as operator of the first account."""
    async with open_stores(settings, database_url) as stores:
        await stores.accounts.ensure_account(FIRST_ACCOUNT)
        token = await build_sessions(settings, stores).make_link_token(FIRST_ACCOUNT, Role.OPERATOR)
    return sign_in_url(settings.base_url, token)


async def create_first_key(settings: Settings, database_url: str) -> str | None:
    """A key for the first account, or None where there is any key already."""
    async with open_stores(settings, database_url) as stores:
        if await stores.accounts.count_keys():
            return None
        service = AccountService(stores.accounts, open_secret(settings))
        owner = await service.open_account(FIRST_ACCOUNT, settings.starting_credits, "granted at the first start")
        return (await service.create_key(owner.id, "first key")).secret

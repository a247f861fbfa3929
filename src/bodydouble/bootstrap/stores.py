"""The adapters of one installation: its database, what it holds, and its files."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from bodydouble.settings import Settings
from bodydouble.store import (
    Database,
    EmbeddedPostgres,
    FileLimits,
    LocalFileStore,
    ObjectFileStore,
    PostgresAccountStore,
    PostgresDeliveryStore,
    PostgresIdentityStore,
    PostgresOperationStore,
    PostgresSessionStore,
    PostgresTaskStore,
    Scratch,
    master_secret,
    migrate,
    open_bucket,
)
from bodydouble.tasks.files import FileStore

DAY_SECONDS = 86_400


@contextmanager
def open_database(settings: Settings) -> Generator[str, None, None]:
    """The address of a database that is up to date; the embedded server runs as long as the block.

    Raises:
        StorageUnavailable: it does not start or answer.
    """
    if settings.database_url:
        migrate(settings.database_url)
        yield settings.database_url
        return
    server = EmbeddedPostgres(settings.data / "postgres")
    server.start()
    try:
        migrate(server.url)
        yield server.url
    finally:
        server.stop()


@dataclass(frozen=True, kw_only=True)
class Stores:
    """What one database holds."""

    database: Database
    tasks: PostgresTaskStore
    accounts: PostgresAccountStore
    deliveries: PostgresDeliveryStore
    operation: PostgresOperationStore
    sessions: PostgresSessionStore
    identities: PostgresIdentityStore


@asynccontextmanager
async def open_stores(settings: Settings, database_url: str) -> AsyncGenerator[Stores, None]:
    """Tasks, accounts, callbacks, operation. Raises StorageUnavailable."""
    database = await Database.connect(database_url, settings.database_connections_max)
    tasks = PostgresTaskStore(database, media_seconds=settings.media_days * DAY_SECONDS)
    try:
        yield Stores(
            database=database,
            tasks=tasks,
            accounts=PostgresAccountStore(database),
            deliveries=PostgresDeliveryStore(database),
            operation=PostgresOperationStore(database),
            sessions=PostgresSessionStore(database),
            identities=PostgresIdentityStore(database, settings.oidc_credits),
        )
    finally:
        await tasks.close()
        await database.close()


def open_secret(settings: Settings) -> bytes:
    """The secret that every other key is derived from. Raises InputRejected, StorageUnavailable."""
    return master_secret(settings.secret, settings.data)


def open_files(settings: Settings) -> FileStore:
    """Uploads and results. Raises InputRejected for a bucket's address that has a fault; StorageUnavailable."""
    limits = FileLimits(
        upload_seconds=settings.upload_url_seconds,
        download_seconds=settings.download_url_seconds,
        bytes_max=max(settings.video_bytes_max, settings.image_bytes_max),
        free_bytes_min=settings.free_bytes_min,
    )
    secret = open_secret(settings)
    if settings.bucket:
        return ObjectFileStore(open_bucket(settings.bucket), settings.base_url, secret, limits, open_scratch(settings))
    return LocalFileStore(settings.files_folder, settings.base_url, secret, limits)


def open_scratch(settings: Settings) -> Scratch:
    """Where files lie for the time that somebody looks at them."""
    return Scratch(settings.data / "scratch", settings.free_bytes_min)

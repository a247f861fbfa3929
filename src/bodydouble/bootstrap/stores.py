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
    PostgresExecutorStore,
    PostgresIdentityStore,
    PostgresInstallationStore,
    PostgresMetricsStore,
    PostgresQueueStore,
    PostgresSessionStore,
    PostgresSwitchStore,
    PostgresTaskStore,
    Scratch,
    master_secret,
    migrate,
    open_bucket,
)
from bodydouble.store.secret import derive_key
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.ports import InstallationStore

DAY_SECONDS = 86_400
MARK = "mark of the secret"


@contextmanager
def open_database(settings: Settings, *, under_others: bool = True) -> Generator[str, None, None]:
    """The address of a database that is up to date; the embedded server runs as long as the block.

    ``under_others`` as of ``migrate``: what serves brings the database up to date, a command only where it is alone.

    Raises:
        StorageUnavailable: it does not start or answer, or is of another version.
    """
    if settings.database_url:
        migrate(settings.database_url, under_others=under_others)
        yield settings.database_url
        return
    server = EmbeddedPostgres(settings.data / "postgres")
    server.start()
    try:
        migrate(server.url, under_others=under_others)
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
    executors: PostgresExecutorStore
    queue: PostgresQueueStore
    switches: PostgresSwitchStore
    metrics: PostgresMetricsStore
    installation: PostgresInstallationStore
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
            executors=PostgresExecutorStore(database),
            queue=PostgresQueueStore(database),
            switches=PostgresSwitchStore(database),
            metrics=PostgresMetricsStore(database),
            installation=PostgresInstallationStore(database),
            sessions=PostgresSessionStore(database),
            identities=PostgresIdentityStore(database, settings.oidc_credits),
        )
    finally:
        await tasks.close()
        await database.close()


def open_secret(settings: Settings) -> bytes:
    """The secret that every other key is derived from. Raises InputRejected, StorageUnavailable."""
    return master_secret(settings.secret, settings.data)


async def has_the_secret(settings: Settings, installation: InstallationStore) -> bool:
    """Whether this machine's secret is the one of the installation; the first machine decides which that is.

    Raises StorageUnavailable, InputRejected.
    """
    mark = _secret_mark(settings)
    return await installation.agree(MARK, mark) == mark


async def require_the_secret(settings: Settings, installation: InstallationStore) -> None:
    """Raises InputRejected where another machine has another secret: its signatures would be worth nothing here."""
    if not await has_the_secret(settings, installation):
        raise InputRejected(
            "BODYDOUBLE_SECRET: this machine has another secret than the first one of the installation; set it to the "
            "text of the file `secret` in that one's data folder. Changed on purpose, everywhere? Then start `serve` "
            "once with --new-secret.",
            field="BODYDOUBLE_SECRET",
        )


async def adopt_secret(settings: Settings, database_url: str) -> None:
    """From now on this machine's secret is the installation's. Raises StorageUnavailable, InputRejected."""
    async with open_stores(settings, database_url) as stores:
        await stores.installation.agree_anew(MARK, _secret_mark(settings))


def _secret_mark(settings: Settings) -> str:
    """Tells secrets apart and says nothing of them."""
    return derive_key(open_secret(settings), MARK).hex()[:16]


def open_files(settings: Settings) -> FileStore:
    """Uploads and results. Raises InputRejected for a bucket's address that has a fault; StorageUnavailable."""
    limits = FileLimits(
        upload_seconds=settings.upload_url_seconds,
        download_seconds=settings.download_url_seconds,
        image_bytes_max=settings.image_bytes_max,
        video_bytes_max=settings.video_bytes_max,
        free_bytes_min=settings.free_bytes_min,
        account_bytes_max=settings.account_uploads_bytes_max,
    )
    secret = open_secret(settings)
    if settings.bucket:
        return ObjectFileStore(open_bucket(settings.bucket), settings.base_url, secret, limits, open_scratch(settings))
    return LocalFileStore(settings.files_folder, settings.base_url, secret, limits)


def open_scratch(settings: Settings) -> Scratch:
    """Where files lie for the time that somebody looks at them."""
    return Scratch(settings.data / "scratch", settings.free_bytes_min)

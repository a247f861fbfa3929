"""Opens the database, the stores and the files of one installation."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from bodydouble.bootstrap.buckets import open_bucket_files
from bodydouble.service.signing import InstallationSigner
from bodydouble.settings import Settings
from bodydouble.store import (
    Database,
    EmbeddedPostgres,
    FileLimits,
    LocalFileStore,
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
)
from bodydouble.store.secret import derive_key
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.operation_ports import InstallationStore

DAY_SECONDS = 86_400
MARK = "mark of the secret"


@contextmanager
def start_database(settings: Settings) -> Generator[str, None, None]:
    """The address of the database, as it is. The embedded server runs as long as the block.

    Raises:
        StorageUnavailable: the embedded server does not start.
    """
    if settings.database_url:
        yield settings.database_url
        return
    server = EmbeddedPostgres(settings.data / "postgres")
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def open_database(settings: Settings, *, under_others: bool = True) -> Generator[str, None, None]:
    """The address of a migrated database, as long as the block.

    ``under_others`` as for ``migrate``: a service migrates the database, a command only while no other process uses it.

    Raises:
        StorageUnavailable: the database does not start or answer, or has another version.
    """
    with start_database(settings) as database_url:
        migrate(database_url, under_others=under_others)
        yield database_url


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stores of one database."""

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
    """The stores over one pool of connections. Raises StorageUnavailable."""
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
    """The secret from which every key is derived. Raises InputRejected, StorageUnavailable."""
    return master_secret(settings.secret, settings.data)


def open_signer(settings: Settings) -> InstallationSigner:
    """The signer of the installation. Raises InputRejected, StorageUnavailable."""
    return InstallationSigner(derive_key(open_secret(settings), "signatures of the installation"))


async def has_the_secret(settings: Settings, installation: InstallationStore) -> bool:
    """Whether this machine has the installation's secret, which is that of its first machine.

    Raises StorageUnavailable, InputRejected.
    """
    mark = _secret_mark(settings)
    return await installation.agree(MARK, mark) == mark


async def require_the_secret(settings: Settings, installation: InstallationStore) -> None:
    """Raises InputRejected if other machines use another secret: they would reject this machine's signatures."""
    if not await has_the_secret(settings, installation):
        raise InputRejected(
            "BODYDOUBLE_SECRET: this machine has another secret than the first one of the installation; set it to the "
            "text of the file `secret` in that one's data folder. Changed on purpose, everywhere? Then start `serve` "
            "once with --new-secret.",
            field="BODYDOUBLE_SECRET",
        )


async def adopt_secret(settings: Settings, database_url: str) -> None:
    """Make this machine's secret the installation's. Raises StorageUnavailable, InputRejected."""
    async with open_stores(settings, database_url) as stores:
        await stores.installation.agree_anew(MARK, _secret_mark(settings))


def _secret_mark(settings: Settings) -> str:
    """A value that differs for different secrets and does not reveal them."""
    return derive_key(open_secret(settings), MARK).hex()[:16]


def open_files(settings: Settings) -> FileStore:
    """The store of uploads and results. Raises InputRejected for an invalid bucket address; StorageUnavailable."""
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
        return open_bucket_files(settings, secret, limits, open_scratch(settings))
    return LocalFileStore(settings.files_folder, settings.base_url, secret, limits)


def open_scratch(settings: Settings) -> Scratch:
    """The folder for temporary copies of files that are being inspected."""
    return Scratch(settings.data / "scratch", settings.free_bytes_min)

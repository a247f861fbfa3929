"""Adapters for PostgreSQL and for files. Those for buckets need an optional package: see `bootstrap.buckets`."""

from bodydouble.store.embedded import EmbeddedPostgres
from bodydouble.store.expiry import delete_older
from bodydouble.store.files import FileLimits, LocalFileStore
from bodydouble.store.migrate import migrate
from bodydouble.store.postgres import (
    Database,
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
)
from bodydouble.store.scratch import Scratch
from bodydouble.store.secret import derive_key, master_secret

__all__ = [
    "Database",
    "EmbeddedPostgres",
    "FileLimits",
    "LocalFileStore",
    "PostgresAccountStore",
    "PostgresDeliveryStore",
    "PostgresExecutorStore",
    "PostgresIdentityStore",
    "PostgresInstallationStore",
    "PostgresMetricsStore",
    "PostgresQueueStore",
    "PostgresSessionStore",
    "PostgresSwitchStore",
    "PostgresTaskStore",
    "Scratch",
    "delete_older",
    "derive_key",
    "master_secret",
    "migrate",
]

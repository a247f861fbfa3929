"""The ports on PostgreSQL: one class for each, over one ``Database``."""

from bodydouble.store.postgres.accounts import PostgresAccountStore
from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.deliveries import PostgresDeliveryStore
from bodydouble.store.postgres.executors import PostgresExecutorStore
from bodydouble.store.postgres.identities import PostgresIdentityStore
from bodydouble.store.postgres.installation import PostgresInstallationStore
from bodydouble.store.postgres.metrics import PostgresMetricsStore
from bodydouble.store.postgres.queue import PostgresQueueStore
from bodydouble.store.postgres.sessions import PostgresSessionStore
from bodydouble.store.postgres.switches import PostgresSwitchStore
from bodydouble.store.postgres.tasks import PostgresTaskStore

__all__ = [
    "Database",
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
]

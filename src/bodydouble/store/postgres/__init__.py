"""Tasks, accounts, callbacks and operation in PostgreSQL: one class for each port, over one ``Database``."""

from bodydouble.store.postgres.accounts import PostgresAccountStore
from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.deliveries import PostgresDeliveryStore
from bodydouble.store.postgres.identities import PostgresIdentityStore
from bodydouble.store.postgres.operation import PostgresOperationStore
from bodydouble.store.postgres.sessions import PostgresSessionStore
from bodydouble.store.postgres.tasks import PostgresTaskStore

__all__ = [
    "Database",
    "PostgresAccountStore",
    "PostgresDeliveryStore",
    "PostgresIdentityStore",
    "PostgresOperationStore",
    "PostgresSessionStore",
    "PostgresTaskStore",
]

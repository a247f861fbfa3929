"""PostgreSQL and files."""

from bodydouble.store.embedded import EmbeddedPostgres
from bodydouble.store.files import LocalFileStore
from bodydouble.store.migrate import migrate
from bodydouble.store.postgres import PostgresTaskStore

__all__ = ["EmbeddedPostgres", "LocalFileStore", "PostgresTaskStore", "migrate"]

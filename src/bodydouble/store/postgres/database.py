"""Connections, named queries, and one error for a database that is away."""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from bodydouble.store.named_queries import load_queries
from bodydouble.tasks.errors import StorageUnavailable

CONNECTIONS_MAX = 12
COMMAND_SECONDS_MAX = 30
IDLE_SECONDS_MAX = 10
"""In a transaction: a process that is frozen within one must not keep its locks."""
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # used again after the server has said goodbye and before the line is down
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, crashed, or starting up
    asyncpg.ObjectNotInPrerequisiteStateError,  # takes no connections, as while it is being restored
    asyncpg.IdleInTransactionSessionTimeoutError,  # we were frozen within one
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.ReadOnlySQLTransactionError,  # a replica that is not yet the leader
)


class Stateless(asyncpg.Connection):
    """A connection on which nothing is left behind: no settings, no cursors, no advisory locks, nobody listening.

    So it needs no reset before the next one takes it from the pool, which would be a second round trip each time.
    """

    def get_reset_query(self) -> str:
        return ""


class Database:
    """A pool of connections that speaks in named queries."""

    def __init__(self, pool: Any, url: str) -> None:
        self._pool, self.url = pool, url
        self._queries = load_queries()

    @classmethod
    async def connect(cls, url: str, connections_max: int = CONNECTIONS_MAX) -> "Database":
        """Raises StorageUnavailable."""
        with translated():
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=connections_max,
                command_timeout=COMMAND_SECONDS_MAX,
                connection_class=Stateless,
                server_settings={"idle_in_transaction_session_timeout": f"{IDLE_SECONDS_MAX}s"},
            )
        return cls(pool, url)

    @property
    def connections(self) -> Mapping[str, int]:
        """How many connections there are: used, idle, and at most."""
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return {"used": size - idle, "idle": idle, "max": self._pool.get_max_size()}

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close()

    async def row(self, name: str, *values: Any) -> Any:
        """The first row of a named query, or None. Raises StorageUnavailable."""
        with translated():
            return await self._pool.fetchrow(self._queries[name], *values)

    async def rows(self, name: str, *values: Any) -> list[Any]:
        """Every row of a named query. Raises StorageUnavailable."""
        with translated():
            return await self._pool.fetch(self._queries[name], *values)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["Transaction", None]:
        """Several queries that hold together. Raises StorageUnavailable."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield Transaction(connection, self._queries)


class Transaction:
    """The queries of one transaction."""

    def __init__(self, connection: Any, queries: dict[str, str]) -> None:
        self._connection, self._queries = connection, queries

    async def row(self, name: str, *values: Any) -> Any:
        """The first row of a named query, or None."""
        return await self._connection.fetchrow(self._queries[name], *values)


@contextmanager
def translated() -> Generator[None, None, None]:
    """Errors of a database that is away become StorageUnavailable."""
    try:
        yield
    except _LOST as error:
        raise StorageUnavailable(f"The database does not answer: {error}") from error

"""Connections, named queries, and one error for an unavailable database."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# asyncpg is only partially typed.

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from bodydouble.store.named_queries import load_queries
from bodydouble.tasks.errors import StorageUnavailable

CONNECTIONS_MAX = 12
COMMAND_SECONDS_MAX = 30
IDLE_SECONDS_MAX = 10
"""Longest idle time within a transaction: a frozen process must not keep its locks."""
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # used after the server has closed the session
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, crashed, or starting up
    asyncpg.ObjectNotInPrerequisiteStateError,  # accepts no connections, for example during a restore
    asyncpg.IdleInTransactionSessionTimeoutError,  # this process was frozen within a transaction
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.ReadOnlySQLTransactionError,  # a replica that is not yet the leader
)


class Stateless(asyncpg.Connection):
    """A connection without state: our queries leave no settings, cursors, advisory locks or listeners behind.

    So it needs no reset when it returns to the pool, which would be a second round trip for every query.
    """

    def get_reset_query(self) -> str:
        return ""


class Database:
    """A pool of connections that runs named queries."""

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
        """Numbers of connections: used, idle, and the maximum."""
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return {"used": size - idle, "idle": idle, "max": self._pool.get_max_size()}

    async def close(self) -> None:
        """Close all connections."""
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
        """Run several queries in one transaction. Raises StorageUnavailable."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield Transaction(connection, self._queries)


class Transaction:
    """The queries of one transaction."""

    def __init__(self, connection: Any, queries: dict[str, str]) -> None:
        self._connection, self._queries = connection, queries

    async def row(self, name: str, *values: Any) -> Any:
        """The first row of a named query, or None. Errors leave as asyncpg's own: ``transaction`` translates them."""
        return await self._connection.fetchrow(self._queries[name], *values)


@contextmanager
def translated() -> Generator[None, None, None]:
    """Translate errors of an unavailable database into StorageUnavailable."""
    try:
        yield
    except _LOST as error:
        raise StorageUnavailable(f"The database does not respond: {error}") from error

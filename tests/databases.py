"""PostgreSQL for tests: one embedded server for the whole run, and a new database for each test that needs one."""

# pyright: reportCallIssue=false, reportArgumentType=false
# psycopg's types accept only literal SQL.

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from bodydouble.store import EmbeddedPostgres, migrate

TEMPLATE = "migrated"
_numbers = count(1)


def database_url(server: EmbeddedPostgres, name: str) -> str:
    """Connection string of one database of a server."""
    return server.url.replace("@/postgres?", f"@/{name}?")


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running server with a migrated database as the template for copies."""
    folder = Path(tempfile.mkdtemp(prefix="bodydouble-test-"))
    folder.chmod(0o711)  # where the tests run as root, the server's own user has to get there
    server = EmbeddedPostgres(folder / "postgres")
    try:
        server.start()
        with psycopg.connect(server.url, autocommit=True) as connection:
            # Nothing here has to outlive a power cut.
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
            connection.execute(f"create database {TEMPLATE}")
        migrate(database_url(server, TEMPLATE))
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Connection string of a new, migrated database, whose tables and functions the test may change."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
        yield database_url(postgres, name)
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def reusable_database(postgres: EmbeddedPostgres) -> "ReusableDatabase":
    """One database for all tests that change its rows only: emptying it takes a tenth of the time of a new one."""
    name = "reused"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
    return ReusableDatabase(postgres, name)


@pytest.fixture
def empty_database(reusable_database: "ReusableDatabase") -> str:
    """Connection string of a migrated database without rows, for a test that changes neither tables nor functions."""
    reusable_database.reset()
    return reusable_database.url


class ReusableDatabase:
    """A migrated database that gets its first content back before each test."""

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self._server = server
        self.url = database_url(server, name)
        with psycopg.connect(self.url) as connection:
            tables = connection.execute(
                "select format('%I.%I', schemaname, tablename) from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema')"
            ).fetchall()
            sequences = connection.execute(
                "select format('%I.%I', schemaname, sequencename) from pg_sequences where last_value is null"
            ).fetchall()
            self._script = ";".join(
                [
                    "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()",
                    "set local session_replication_role = replica",  # no triggers, no foreign keys
                    *(f"delete from {table}" for (table,) in tables),
                    *(f"alter sequence {sequence} restart" for (sequence,) in sequences),
                    *(insert for (table,) in tables for insert in _inserts(connection, table)),
                ]
            )

    def reset(self) -> None:
        """Close all connections, delete all rows, and insert those that the migrations had inserted."""
        try:
            connection = psycopg.connect(self.url)
        except psycopg.OperationalError:  # a test has lost it
            restore_database(self._server, self.url)
            connection = psycopg.connect(self.url)
        with connection:
            connection.execute(self._script)


def _inserts(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """A statement that inserts the table's present rows; none if it is empty."""
    rows = connection.execute(f"select * from {table}").fetchall()
    values = [sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, row))).as_string(connection) for row in rows]
    return [f"insert into {table} values {', '.join(values)}"] if rows else []


def restore_database(server: EmbeddedPostgres, url: str) -> None:
    """Allow connections to a lost database again."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            f"alter database {psycopg.conninfo.conninfo_to_dict(url)['dbname']} with allow_connections true"  # pyright: ignore[reportAttributeAccessIssue]
        )


def lose_database(server: EmbeddedPostgres, url: str) -> None:
    """Break every connection to a database and refuse new ones."""
    with psycopg.connect(url) as connection:
        name = connection.info.dbname
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"alter database {name} with allow_connections false")
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])

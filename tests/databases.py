"""PostgreSQL for tests: one embedded server for the whole run, and a new database for each test that needs one."""

# pyright: reportCallIssue=false, reportArgumentType=false
# psycopg's types accept only literal SQL.

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

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
    """Connection string of a migrated, empty database for one test."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
        yield database_url(postgres, name)
        connection.execute(f"drop database {name} with (force)")


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

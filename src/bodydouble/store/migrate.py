"""Bringing a database up to date: the engine's schema, our numbered migrations, then our functions."""

import hashlib
import time
from importlib import metadata, resources
from typing import Any

import psycopg
from packaging.version import Version

from bodydouble import __version__
from bodydouble.tasks.errors import StorageUnavailable

LOCK = 0x626F6479  # "body": key of the advisory lock; one process migrates at a time
LOCK_RETRY_SECONDS = 0.05
OTHER_SESSIONS = """
select count(*) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""
JOURNAL = """
create table if not exists migration (name text primary key, applied_at timestamptz default now());
create table if not exists function_file (
    name      text primary key,
    checksum  text not null,  -- SHA-256 of the file
    version   text not null   -- of bodydouble
);
create table if not exists engine_version (version text primary key);  -- of dbos, which has made its schema
"""
RENAMED_MIGRATIONS = {"0004_rates.sql": "0005_rates.sql", "0005_metrics.sql": "0006_metrics.sql"}
"""Two files once had the same number. Databases from that time know these two by their former names."""


def load_migrations() -> dict[str, str]:
    """Our migrations by name, in the order of their numbers. They hold tables and data.

    Raises:
        ValueError: the numbers are not 1, 2, 3 and so on. A new file takes the next number.
    """
    files = _load("migrations")
    numbers = [name.partition("_")[0] for name in files]
    if numbers != [f"{number:04}" for number in range(1, len(files) + 1)]:
        raise ValueError(f"migrations have to be numbered from 0001 on, each number once: {', '.join(files)}")
    return files


def load_functions() -> dict[str, str]:
    """The current SQL functions, one a file, by file name. Each file can be executed again on any database."""
    return _load("functions")


def migrate(database_url: str, *, under_others: bool = True) -> None:
    """Apply the missing migrations and the changed functions, in one transaction. Many processes may call it at once.

    ``under_others=False`` refuses to change a database while other sessions are connected to it: processes of the
    version before may be using it. Functions that a newer version has installed stay as they are.

    Raises:
        StorageUnavailable: the database does not respond, belongs to a newer version, or was left unchanged because of
            ``under_others``.
    """
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            # Polled, not waited for: a waiting statement holds a snapshot, and the engine's own migrations (create
            # index concurrently) wait for every snapshot to end. Each would wait for the other.
            while connection.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
                time.sleep(LOCK_RETRY_SECONDS)
            connection.execute(JOURNAL)
            migrations, functions = _missing_migrations(connection), _changed_functions(connection)
            if (migrations or functions) and not under_others:
                _refuse_under_others(connection, [*migrations, *functions])
            _migrate_engine(connection, database_url)
            with connection.transaction():
                for name, text in migrations.items():
                    connection.execute(text.encode())
                    connection.execute("insert into migration (name) values (%s)", (name,))
                for name, text in functions.items():
                    connection.execute(text.encode())
                    connection.execute(
                        "insert into function_file (name, checksum, version) values (%s, %s, %s) "
                        "on conflict (name) do update set checksum = excluded.checksum, version = excluded.version",
                        (name, _checksum(text), __version__),
                    )
    except psycopg.OperationalError as error:
        raise StorageUnavailable(f"The database does not respond: {error}") from error


def _migrate_engine(connection: psycopg.Connection[Any], database_url: str) -> None:
    version = metadata.version("dbos")
    if connection.execute("select from engine_version where version = %s", (version,)).fetchone() is not None:
        return
    from dbos import DBOS  # a second of processor time, which most commands need not spend

    DBOS.migrate(database_url)
    connection.execute("insert into engine_version (version) values (%s)", (version,))


def _load(folder: str) -> dict[str, str]:
    found = resources.files("bodydouble.store").joinpath(folder).iterdir()
    return {file.name: file.read_text() for file in sorted(found, key=lambda file: file.name)}


def _missing_migrations(connection: psycopg.Connection[Any]) -> dict[str, str]:
    for former, name in RENAMED_MIGRATIONS.items():
        connection.execute("update migration set name = %s where name = %s", (name, former))
    applied = {row[0] for row in connection.execute("select name from migration")}
    files = load_migrations()
    unknown = applied - files.keys()
    if unknown:
        raise StorageUnavailable(
            f"The database belongs to a newer version of bodydouble (it has {', '.join(sorted(unknown))}). "
            "Run that version."
        )
    return {name: text for name, text in files.items() if name not in applied}


def _changed_functions(connection: psycopg.Connection[Any]) -> dict[str, str]:
    rows = connection.execute("select name, checksum, version from function_file").fetchall()
    installed = {name: (checksum, version) for name, checksum, version in rows}
    changed: dict[str, str] = {}
    for name, text in load_functions().items():
        checksum, version = installed.get(name, ("", "0"))
        if checksum != _checksum(text) and Version(version) <= Version(__version__):
            changed[name] = text
    return changed


def _refuse_under_others(connection: psycopg.Connection[Any], changes: list[str]) -> None:
    if connection.execute("select from migration limit 1").fetchone() is None:
        return  # an empty database: nobody else can be using its tables
    if connection.execute(OTHER_SESSIONS).fetchone() != (0,):
        raise StorageUnavailable(
            f"The database belongs to an older version of bodydouble (it lacks {', '.join(changes)}), and other "
            "processes are connected to it. Start `bodydouble serve` or `bodydouble worker` of this version, which "
            "update it."
        )


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""Bringing a database up to date: the engine's schema first, then our numbered files, each once."""

import time
from importlib import resources

import psycopg

from bodydouble.tasks.errors import StorageUnavailable

LOCK = 0x626F6479  # "body": one process migrates at a time


def migrate(database_url: str) -> None:
    """Apply what is missing. Safe to call from many processes at once.

    Raises:
        StorageUnavailable: the database does not answer, or was made by a newer version.
    """
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            # Asked again and again, for a statement that waits keeps a snapshot, and the engine's own migrations
            # (create index concurrently) wait for every snapshot: each would wait for the other.
            while connection.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
                time.sleep(0.05)
            from dbos import DBOS  # seconds to import, and most processes find everything in place

            DBOS.migrate(database_url)
            connection.execute(
                "create table if not exists migration (name text primary key, applied_at timestamptz default now())"
            )
            applied = {row[0] for row in connection.execute("select name from migration")}
            files = {
                f.name: f.read_text() for f in resources.files("bodydouble.store").joinpath("migrations").iterdir()
            }
            unknown = applied - files.keys()
            if unknown:
                raise StorageUnavailable(
                    f"The database was made by a newer version of bodydouble (it has {', '.join(sorted(unknown))})."
                )
            for name in sorted(files.keys() - applied):
                with connection.transaction():
                    connection.execute(files[name].encode())
                    connection.execute("insert into migration (name) values (%s)", (name,))
    except psycopg.OperationalError as error:
        raise StorageUnavailable(f"The database does not answer: {error}") from error

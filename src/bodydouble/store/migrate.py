"""Bringing a database up to date: the engine's schema first, then our numbered files, each once."""

import time
from importlib import resources

import psycopg

from bodydouble.tasks.errors import StorageUnavailable

LOCK = 0x626F6479  # "body": one process migrates at a time
OTHERS = """
select count(*) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""
FORMER_NAMES = {"0004_rates.sql": "0005_rates.sql", "0005_metrics.sql": "0006_metrics.sql"}
"""Two files once had the same number; databases from then know them by these names."""


def load_migrations() -> dict[str, str]:
    """Our files by name, in the order in which they are applied: by their number, which each has for itself.

    Raises:
        ValueError: the numbers are not 1, 2, 3 and so on; whoever adds a file takes the next one.
    """
    folder = resources.files("bodydouble.store").joinpath("migrations")
    files = {file.name: file.read_text() for file in sorted(folder.iterdir(), key=lambda file: file.name)}
    numbers = [name.partition("_")[0] for name in files]
    if numbers != [f"{number:04}" for number in range(1, len(files) + 1)]:
        raise ValueError(f"migrations have to be numbered from 0001 on, each number once: {', '.join(files)}")
    return files


def migrate(database_url: str, *, under_others: bool = True) -> None:
    """Apply what is missing. Safe to call from many processes at once.

    Without ``under_others`` a database that somebody else is connected to is left as it is: processes of the version
    before may work on it.

    Raises:
        StorageUnavailable: the database does not answer, was made by a newer version, or is left as it is.
    """
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            # Asked again and again, for a statement that waits keeps a snapshot, and the engine's own migrations
            # (create index concurrently) wait for every snapshot: each would wait for the other.
            while connection.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
                time.sleep(0.05)
            connection.execute(
                "create table if not exists migration (name text primary key, applied_at timestamptz default now())"
            )
            for former, name in FORMER_NAMES.items():
                connection.execute("update migration set name = %s where name = %s", (name, former))
            applied = {row[0] for row in connection.execute("select name from migration")}
            files = load_migrations()
            unknown = applied - files.keys()
            if unknown:
                raise StorageUnavailable(
                    f"The database was made by a newer version of bodydouble (it has {', '.join(sorted(unknown))})."
                )
            missing = [name for name in files if name not in applied]
            if missing and applied and not under_others and connection.execute(OTHERS).fetchone() != (0,):
                raise StorageUnavailable(
                    f"The database is of an older version of bodydouble (it lacks {', '.join(missing)}), and somebody "
                    "works on it. `bodydouble serve` or `bodydouble worker` of this version brings it up to date."
                )
            from dbos import DBOS  # seconds to import, and most processes find everything in place

            DBOS.migrate(database_url)
            for name in missing:
                with connection.transaction():
                    connection.execute(files[name].encode())
                    connection.execute("insert into migration (name) values (%s)", (name,))
    except psycopg.OperationalError as error:
        raise StorageUnavailable(f"The database does not answer: {error}") from error

"""Copies of an installation's database and files, consistent while the service runs.

The database is dumped first, in one transaction. Files never change once they exist, so every file that the dump names
is copied afterwards as it was, unless the cleanup removed it because it had expired.
"""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg

from bodydouble.store.server_user import installed_binaries
from bodydouble.tasks.errors import InputRejected, StorageUnavailable

OWN_TABLES = """
select count(*) from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')
"""


def dump_database(database_url: str, target: Path) -> None:
    """Write the database to the new file ``target``, in PostgreSQL's custom format. Raises StorageUnavailable."""
    _run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}"], database_url)


def restore_database(database_url: str, dump: Path) -> None:
    """Load a dump into an empty database, completely or not at all.

    Raises:
        InputRejected: the database has tables already.
        StorageUnavailable: the server does not respond, or rejects the dump.
    """
    try:
        with psycopg.connect(database_url) as connection:
            if connection.execute(OWN_TABLES).fetchone() != (0,):
                raise InputRejected("The database is not empty; a backup is restored into an empty one.")
    except psycopg.OperationalError as error:
        raise StorageUnavailable(f"The database does not respond: {error}") from error
    _run("pg_restore", ["--no-owner", "--exit-on-error", "--single-transaction", str(dump)], database_url)


def copy_files(source: Path, target: Path) -> tuple[int, int]:
    """Copy every file below ``source`` into the new folder ``target``: the number of files and of bytes.

    Leaves out files that are being written, and those that are removed meanwhile.
    """
    count = size = 0
    target.mkdir(parents=True)
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if not name.startswith(".parts")]
        below = target / Path(folder).relative_to(source)
        below.mkdir(exist_ok=True)
        for name in names:
            try:
                shutil.copy2(Path(folder) / name, below / name)
            except FileNotFoundError:
                continue
            count += 1
            size += (below / name).stat().st_size
    return count, size


def _run(program: str, arguments: list[str], database_url: str) -> None:
    done = subprocess.run(
        [str(installed_binaries() / program), *arguments, f"--dbname={database_url}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise StorageUnavailable(f"{program} failed: {last[0].replace(database_url, 'the database')}")

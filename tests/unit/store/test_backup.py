"""Copies of the database and the files."""

from pathlib import Path

import psycopg
import pytest

from bodydouble.store import EmbeddedPostgres
from bodydouble.store.backup import copy_files, dump_database, restore_database
from bodydouble.tasks.errors import InputRejected, StorageUnavailable
from databases import database_url


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres):
    """Connection string of a database without tables."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create database restored")
        yield database_url(postgres, "restored")
        connection.execute("drop database restored with (force)")


def test_a_dump_restores_rows_and_functions(fresh_database: str, empty_database: str, tmp_path: Path):
    """The restored database has the rows, the functions and the journal of migrations of the dumped one."""
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        connection.execute("insert into account (name) values ('studio')")

    dump_database(fresh_database, tmp_path / "dump")
    restore_database(empty_database, tmp_path / "dump")

    facts = "select (select array_agg(name) from account), count(*), max(checksum) from function_file"
    with psycopg.connect(fresh_database) as one, psycopg.connect(empty_database) as other:
        assert one.execute(facts).fetchone() == other.execute(facts).fetchone()


def test_a_database_with_tables_is_left_alone(fresh_database: str, tmp_path: Path):
    """Restoring into a database in use is refused."""
    dump_database(fresh_database, tmp_path / "dump")

    with pytest.raises(InputRejected, match="not empty"):
        restore_database(fresh_database, tmp_path / "dump")


def test_a_damaged_dump_restores_nothing(fresh_database: str, empty_database: str, tmp_path: Path):
    """A cut-off dump is refused with the tool's message, and no table is made."""
    dump_database(fresh_database, tmp_path / "dump")
    (tmp_path / "cut").write_bytes((tmp_path / "dump").read_bytes()[:-20_000])

    with pytest.raises(StorageUnavailable, match="pg_restore failed"):
        restore_database(empty_database, tmp_path / "cut")

    restore_database(empty_database, tmp_path / "dump")  # refused if a table was left


def test_files_are_copied_without_those_being_written(tmp_path: Path):
    """Whole files arrive under their paths; the folder of unfinished ones is left out."""
    (tmp_path / "files" / "results").mkdir(parents=True)
    (tmp_path / "files" / ".parts").mkdir()
    (tmp_path / "files" / "results" / "one.mp4").write_bytes(b"video")
    (tmp_path / "files" / ".parts" / "two").write_bytes(b"half")

    assert copy_files(tmp_path / "files", tmp_path / "copy") == (1, 5)

    assert [path.name for path in (tmp_path / "copy").rglob("*") if path.is_file()] == ["one.mp4"]

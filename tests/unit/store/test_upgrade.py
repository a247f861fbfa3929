"""A database of the version before: upgraded in place, and still usable by processes of that version."""

# pyright: reportCallIssue=false, reportArgumentType=false
# psycopg's types accept only literal SQL.

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bodydouble.service.identifiers import make_uuid7
from bodydouble.store import Database, EmbeddedPostgres, PostgresAccountStore, PostgresTaskStore, migrate
from bodydouble.store.migrate import load_functions, load_migrations
from bodydouble.store.named_queries import split_queries
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW
from bodydouble.tasks.task import CANCELLED, TaskId, TaskStatus
from databases import database_url

VERSION_BEFORE = Path(__file__).parents[2] / "version_before"
RETIRED: frozenset[tuple[str, str]] = frozenset()
"""Columns (table, column) that this version drops. The version before neither reads nor writes them."""
COLUMNS = """
select table_name, column_name, udt_name, is_nullable = 'YES' or column_default is not null or is_identity = 'YES'
from information_schema.columns where table_schema = 'public'
and table_name not in ('migration', 'function_file', 'engine_version')
"""


def former_queries() -> dict[str, str]:
    """The named queries of the version before."""
    return {
        name: text
        for file in (VERSION_BEFORE / "queries").iterdir()
        for name, text in split_queries(file.read_text()).items()
    }


@pytest.fixture(scope="module")
def former_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database as the version before leaves it. Tests copy it."""
    name, files = "version_before", sorted((VERSION_BEFORE / "migrations").iterdir())
    migrations = {file.name: file.read_text() for file in files}
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"create database {name}".encode())
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(migrate.__globals__, "load_migrations", lambda: migrations)
            patch.setitem(migrate.__globals__, "load_functions", dict)
            migrate(database_url(postgres, name))
        with psycopg.connect(database_url(postgres, name)) as connection:
            connection.execute("drop table function_file, engine_version")
        yield name
        server.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def upgraded(postgres: EmbeddedPostgres, former_database: str) -> Iterator[str]:
    """A copy that holds a task of the version before, then upgraded; its connection string."""
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"create database upgraded template {former_database} strategy file_copy".encode())
        url = database_url(postgres, "upgraded")
        with psycopg.connect(url) as connection:
            connection.execute("insert into account (name, balance) values ('somebody', 100)")
            connection.execute("insert into ledger (account_id, kind, amount) values (1, 'grant', 100)")
            task = (
                [None], [1], [make_uuid7()], ["m"], ["{}"], ["{}"], ["api"], [Decimal(30)], ["https://example.com"],
                [None], [None], ['["m"]'], [60.0], [100], [100], [None], WORKFLOW, QUEUE, APPLICATION_VERSION,
            )  # fmt: skip
            cursor = psycopg.RawCursor(connection)  # takes $1, as our queries have it
            created = cursor.execute(former_queries()["create_tasks"], task).fetchone()
            assert created is not None
            assert "created" in created
        migrate(url)
        yield url
        server.execute("drop database upgraded with (force)")


@pytest.mark.anyio
async def test_a_task_of_the_version_before_is_settled_by_this_one(upgraded: str) -> None:
    """An upgrade keeps tasks, credits and ledger, and installs every migration and function."""
    with psycopg.connect(upgraded) as connection:
        assert {row[0] for row in connection.execute("select name from migration")} == load_migrations().keys()
        assert {row[0] for row in connection.execute("select name from function_file")} == load_functions().keys()
        found = connection.execute("select id from task").fetchone()
        assert found is not None
    database = await Database.connect(upgraded)
    tasks, accounts = PostgresTaskStore(database), PostgresAccountStore(database)
    try:
        task = TaskId(found[0])
        assert await tasks.start_task(task, "one") is not None
        assert await tasks.settle(task, TaskStatus.FAILED, CANCELLED, "one")
        assert (await accounts.find_account("somebody")).balance == 100
        assert await accounts.ledger_differences() == []
    finally:
        await database.close()


def test_an_upgraded_database_has_what_the_version_before_uses(
    postgres: EmbeddedPostgres, former_database: str, upgraded: str
) -> None:
    """No column is dropped, renamed or retyped, and every new one can be left out of an insert."""
    with psycopg.connect(database_url(postgres, former_database)) as connection:
        before = {row[:2]: row[2] for row in connection.execute(COLUMNS)}
    with psycopg.connect(upgraded) as connection:
        rows = connection.execute(COLUMNS).fetchall()
    after = {row[:2]: row[2] for row in rows}
    assert {column: after.get(column) for column in before if column not in RETIRED} == {
        column: kind for column, kind in before.items() if column not in RETIRED
    }
    former_tables = {table for table, _ in before}
    assert [row[:2] for row in rows if row[0] in former_tables and row[:2] not in before and not row[3]] == []


def test_the_queries_of_the_version_before_mean_the_same(
    postgres: EmbeddedPostgres, former_database: str, upgraded: str
) -> None:
    """Each former query can be planned on the upgraded database and returns the columns that it returned before."""
    with psycopg.connect(database_url(postgres, former_database)) as connection:
        before = {name: describe(connection, name, text) for name, text in former_queries().items()}
    with psycopg.connect(upgraded) as connection:
        for name, text in former_queries().items():
            missing = before[name] - describe(connection, name, text)
            assert not missing, f"{name}: {missing}"


def describe(connection: psycopg.Connection[Any], name: str, statement: str) -> set[tuple[bytes | None, int]]:
    """Name and type of each column that a statement returns."""
    connection.pgconn.prepare(name.encode(), statement.encode())
    found = connection.pgconn.describe_prepared(name.encode())
    assert not found.error_message, f"{name}: {found.error_message.decode()}"
    return {(found.fname(column), found.ftype(column)) for column in range(found.nfields)}


def test_a_changed_function_is_installed_without_a_migration(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checksum decides. An unchanged file is not executed again."""
    files = load_functions()
    changed = files["requeue.sql"] + "comment on function requeue is 'changed';\n"
    comment = "select obj_description('requeue'::regproc)"
    monkeypatch.setitem(migrate.__globals__, "load_functions", lambda: files | {"requeue.sql": changed})
    migrate(fresh_database)
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        assert connection.execute(comment).fetchone() == ("changed",)
        connection.execute("comment on function requeue is 'by hand'")
        migrate(fresh_database)
        assert connection.execute(comment).fetchone() == ("by hand",)


def test_an_older_version_keeps_the_functions_of_a_newer_one(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of the version before that starts again during an upgrade does not undo it."""
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        connection.execute(
            "update function_file set checksum = 'of a newer file', version = '999.0' where name = 'settle.sql'"
        )
        migrate(fresh_database)
        kept = connection.execute("select checksum from function_file where name = 'settle.sql'").fetchone()
    assert kept == ("of a newer file",)


def test_an_upgrade_that_fails_changes_nothing(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations and functions are applied together or not at all."""
    migrations = load_migrations() | {"0999_more.sql": "create table more (id int)"}
    monkeypatch.setitem(migrate.__globals__, "load_migrations", lambda: migrations)
    monkeypatch.setitem(migrate.__globals__, "load_functions", lambda: {"broken.sql": "create function broken("})
    with pytest.raises(psycopg.errors.SyntaxError):
        migrate(fresh_database)
    with psycopg.connect(fresh_database) as connection:
        assert connection.execute("select to_regclass('more')").fetchone() == (None,)


def test_each_function_is_described_and_has_its_own_file() -> None:
    """A file begins with what its function does, and defines the function of its name with ``create or replace``."""
    for name, text in load_functions().items():
        assert text.startswith("-- "), name
        assert text.count("create or replace function") == 1, name
        assert f"create or replace function {name.removesuffix('.sql')}(" in text, name
    assert not any("create function" in text.lower() for text in load_migrations().values())

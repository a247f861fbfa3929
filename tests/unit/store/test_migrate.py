"""Migrations and named queries."""

from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import psycopg
import pytest

from bodydouble.store import EmbeddedPostgres, migrate
from bodydouble.store.migrate import RENAMED_MIGRATIONS, load_migrations
from bodydouble.store.named_queries import load_queries
from bodydouble.tasks.errors import StorageUnavailable
from databases import database_url
from worker_harness import wait_until

CONNECTED = "select count(*) from pg_stat_activity where datname = 'older'"

FILL = """
with a as (insert into account (name) select 'a' || n from generate_series(1, 500) as n returning id),
k as (insert into api_key (key_hash, account_id, prefix) select sha256(id::text::bytea), id, 'ak_' from a),
t as (
    insert into task (id, account_id, model, param, inputs, source, credits)
    select gen_random_uuid(), id, 'm', '{}', '{}', 'api', 1 from a, generate_series(1, 10) returning id, account_id
)
insert into delivery (task_id, account_id, url, status)
select id, account_id, 'https://example.com', case when account_id > 10 then 'delivered' else 'pending' end from t
"""


def test_many_at_once_migrate_once(postgres: EmbeddedPostgres) -> None:
    """Processes that start together bring an empty database up to date together."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create database unmigrated")
        url = database_url(postgres, "unmigrated")
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(migrate, [url] * 3))
        with psycopg.connect(url) as migrated:
            assert migrated.execute("select name from migration order by name").fetchone() == ("0001_tasks.sql",)
        connection.execute("drop database unmigrated with (force)")


def test_the_engine_migrates_once_a_version(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands on a migrated database do not import the engine; another version of it migrates again."""
    calls: list[str] = []
    monkeypatch.setattr("dbos.DBOS.migrate", calls.append)
    migrate(fresh_database)
    assert calls == []
    monkeypatch.setattr("importlib.metadata.version", lambda _: "999.0")
    migrate(fresh_database)
    migrate(fresh_database)
    assert calls == [fresh_database]


def test_a_newer_database_is_left_alone(fresh_database: str) -> None:
    """An old program does not work on tables that it does not know."""
    with psycopg.connect(fresh_database) as connection:
        connection.execute("insert into migration (name) values ('9999_future.sql')")
    with pytest.raises(StorageUnavailable, match=r"newer version .*9999_future\.sql"):
        migrate(fresh_database)


def test_a_command_changes_no_tables_under_others(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody works on an older database a command says who brings it up to date; alone, it does so itself."""
    files = load_migrations()
    older = dict(list(files.items())[:-1])
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create database older")
        url = database_url(postgres, "older")
        monkeypatch.setitem(migrate.__globals__, "load_migrations", lambda: older)
        migrate(url, under_others=False)
        monkeypatch.setitem(migrate.__globals__, "load_migrations", lambda: files)
        with psycopg.connect(url) as somebody:
            with pytest.raises(StorageUnavailable, match=f"it lacks {list(files)[-1]}.*bodydouble serve"):
                migrate(url, under_others=False)
            assert somebody.execute("select count(*) from migration").fetchone() == (len(older),)
        wait_until(lambda: connection.execute(CONNECTED).fetchone() == (0,))
        migrate(url, under_others=False)
        migrate(url)
        with psycopg.connect(url) as migrated:
            assert migrated.execute("select count(*) from migration").fetchone() == (len(files),)
            migrate(url, under_others=False)
        connection.execute("drop database older with (force)")


def test_each_number_is_given_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two files of one number, or a gap, are refused before anything is applied."""
    assert next(iter(load_migrations())) == "0001_tasks.sql"
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    (tmp_path / "migrations").mkdir()
    for names in (["0001_a.sql", "0001_b.sql"], ["0001_a.sql", "0003_b.sql"]):
        for name in names:
            (tmp_path / "migrations" / name).touch()
        with pytest.raises(ValueError, match="each number once"):
            load_migrations()
        for name in names:
            (tmp_path / "migrations" / name).unlink()


def test_a_database_that_knows_files_by_former_names_goes_on(fresh_database: str) -> None:
    """What was renumbered is not applied again."""
    with psycopg.connect(fresh_database) as connection:
        for former, name in RENAMED_MIGRATIONS.items():
            connection.execute("update migration set name = %s where name = %s", (former, name))
    migrate(fresh_database)
    with psycopg.connect(fresh_database) as connection:
        applied = {row[0] for row in connection.execute("select name from migration")}
    assert applied == load_migrations().keys()


def test_an_absent_database_is_said_to_be_absent() -> None:
    """No server there: the error says so instead of a driver's traceback."""
    with pytest.raises(StorageUnavailable, match="does not respond"):
        migrate("postgresql://postgres@/postgres?host=/nonexistent")


def test_every_query_is_described_and_can_be_planned(fresh_database: str) -> None:
    """Each statement begins with a comment that says what it is for, and fits the tables."""
    with psycopg.connect(fresh_database) as connection:
        for name, statement in load_queries().items():
            assert statement.startswith("-- "), name
            connection.execute(f"prepare {name} as {statement}".encode())


@pytest.mark.parametrize(
    ("name", "arguments", "index"),
    [
        ("get_task", "gen_random_uuid(), null", "task_pkey"),
        ("account_for_key", "'\\x00'", "api_key_pkey"),
        ("read_tasks", "array['\\x00'::bytea], array[gen_random_uuid()]", "api_key_pkey"),
        ("read_tasks", "array['\\x00'::bytea], array[gen_random_uuid()]", "Index Scan using task_"),
        ("list_tasks", "1, null, null, null, null, null, null, null, 20, null, null", "task_by_account"),
        ("queue_position", "gen_random_uuid()", "task_waiting"),
        ("claim_deliveries", "10, 60, '{}'", "delivery_due"),
    ],
)
def test_hot_queries_use_their_index(fresh_database: str, name: str, arguments: str, index: str) -> None:
    """What every poll, page and callback dispatcher asks is found by its index, however large the tables."""
    with psycopg.connect(fresh_database) as connection:
        connection.execute(FILL)
        connection.execute("analyze")
        connection.execute("set plan_cache_mode = force_custom_plan")
        connection.execute(f"prepare asked as {load_queries()[name]}".encode())
        plan = connection.execute(f"explain execute asked({arguments})".encode()).fetchall()
    assert any(index in row[0] for row in plan), plan

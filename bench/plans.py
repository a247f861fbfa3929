"""Pages and milliseconds of every frequent query on large tables.

    python bench/plans.py [--quick] [--rows N]

Fills a new PostgreSQL with N tasks over 90 days, of 1,000 accounts of very different size, with their ledger, callbacks
and workflows. Then prepares each statement as the service does, and executes it seven times. By then the server has
chosen between custom and generic plans. The exit status is 1 if a statement scans a large table sequentially, or
touches more pages of 8 KiB than its bound. The last line is one flat JSON object.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from bodydouble.store import EmbeddedPostgres, migrate
from bodydouble.store.named_queries import load_queries

ROWS = 10_000_000
ROWS_QUICK = 200_000
ACCOUNTS = 1_000
WAITING_SHARE = 0.001  # of all tasks, the newest
EXECUTIONS = 7
"""PostgreSQL makes five custom plans before it considers a generic one."""
LARGE_ROWS = 10_000
"""Rows from which a sequential scan of a table counts as a fault."""
LARGE_TABLES = ("delivery_try", "delivery", "task_stage", "task", "ledger", "dbos.workflow_status")
"""Referring tables come first: a logged table cannot refer to an unlogged one."""
TABLES = ("account", "api_key", "task", "ledger", "delivery", "delivery_try", "task_stage", "dbos.workflow_status")
MODEL = "wan/2-2-animate-replace"
FILLING = (
    "-c session_replication_role=replica"  # neither foreign keys nor triggers
    " -c synchronous_commit=off -c work_mem=256MB -c maintenance_work_mem=512MB"
)

CONTENT = {
    "body": json.dumps(
        {
            "model": MODEL,
            "img_urls": ["https://cdn.example.com/characters/one-of-many.png"],
            "video_urls": ["https://cdn.example.com/shots/one-of-many.mp4"],
            "resolution": "480P",
        }
    ),
    "success": json.dumps(
        {"code": 200, "message": "success", "media_info": {}, "media_keys": [f"results/1/{UUID(int=0)}.mp4"]}
    ),
    "failure": json.dumps({"code": 501, "message": "failed", "media_info": {}, "media_keys": []}),
    "hash": "\\x" + "5a" * 32,
}
"""Values on which no plan depends. They are the same in every row; only their length matters."""

FILL_FIRST = """
select setseed(0.5);
insert into account (name, balance) select 'account-' || g, 1e9 from generate_series(1, {accounts}) as g;
insert into ledger (account_id, kind, amount) select id, 'grant', 1e9 from account;
insert into api_key (key_hash, account_id, prefix) select sha256(id::text::bytea), id, 'ak_000000' from account;
insert into executor (id, host, pid, version)
select 'worker-' || g || ':/work', 'worker-' || g, g, '1' from generate_series(1, 20) as g;

create unlogged table plan as
select g, uuidv7(at - now()) as id, 1 + floor({accounts} * power(random(), 4))::bigint as account_id, at,
    case when g > {rows} - {waiting} then 'pending' when g > {rows} - {waiting} - 20 then 'running'
         when random() < 0.05 then 'failed' else 'success' end as status
from (select g, now() - interval '90 days' * (1 - g::float / {rows}) as at
      from generate_series(1, {rows}) as g) as rows;
"""
FILL_TABLES = (
    """
insert into task (id, account_id, model, param, inputs, status, source, credits, fraction, stage, result, callback_url,
    attempts, created_at, started_at, completed_at, idempotency_key, body_hash, turn, executor, deadline_at,
    media_expires_at, media_deleted_at)
select id, account_id, '{model}', '{body}', '{body}', status, 'api', case status when 'failed' then 0 else 30 end,
    case status when 'success' then 1 else 0 end, case status when 'success' then 'done' else 'render' end,
    case status when 'success' then '{success}'::jsonb when 'failed' then '{failure}'::jsonb end,
    case when g % 5 = 0 then 'https://studio.example.com/hook' end, 1, at,
    case when status <> 'pending' then at end, case when over then at + interval '2 minutes' end,
    case when g % 2 = 0 then 'order-' || g || '-of-the-account' end, case when g % 2 = 0 then '{hash}'::bytea end,
    greatest(g - {rows} + {waiting}, 0),
    case when status <> 'pending' then 'worker-' || (1 + g % 20) || ':/work' end, at + interval '1 day',
    case when over then at + interval '7 days' end,
    case when over and at < now() - interval '7 days 10 minutes' then at + interval '7 days' end
from plan, lateral (select status in ('success', 'failed') as over) as ended
order by over, g  -- rows without a result are shorter: inserted last, they would fill gaps all over the table
""",
    """
insert into ledger (account_id, task_id, kind, amount, created_at)
select account_id, id, 'reserve', 30, at from plan order by g
""",
    """
insert into ledger (account_id, task_id, kind, amount, created_at)
select account_id, id, case status when 'success' then 'charge' else 'release' end, 30, at + interval '2 minutes'
from plan where status in ('success', 'failed') order by g
""",
    """
insert into delivery (task_id, account_id, url, status, tries, next_try_at, created_at, delivered_at)
select id, account_id, 'https://studio.example.com/hook',
    case when g > {rows} - {waiting} - 500 then 'pending' else 'delivered' end, 1,
    case when g > {rows} - {waiting} - 500 then now() end, at, at
from plan where g % 5 = 0 and status in ('success', 'failed') order by g;
insert into delivery_try (delivery_id, at, http_status, milliseconds) select id, created_at, 200, 120 from delivery
""",
    """
insert into task_stage (task_id, stage, started_at, seconds)
select id, stage, at, 20 from plan, unnest(array['fetch', 'render']) as stage where g % 10 = 0
""",
    """
insert into dbos.workflow_status (workflow_uuid, status, name, queue_name, application_version, priority, executor_id,
    created_at, updated_at, started_at_epoch_ms, completed_at)
select id::text, case status when 'pending' then 'ENQUEUED' when 'running' then 'PENDING' else 'SUCCESS' end,
    'replace_task', 'tasks', '1', greatest(g - {rows} + {waiting}, 1), case when status <> 'pending' then 'worker' end,
    ms, ms, case when status <> 'pending' then ms end, case when status in ('success', 'failed') then ms end
from plan, lateral (select (extract(epoch from at) * 1000)::bigint as ms) as clock
where at > now() - interval '10 days' or status = 'pending' order by g
""",
)
FILL_LAST = """
update account as a set reserved = held.credits, active = held.tasks
from (select account_id, sum(credits) as credits, count(*) as tasks from task
      where status in ('pending', 'running') group by account_id) as held where held.account_id = a.id;
"""

DEQUEUE = """
select workflow_uuid from dbos.workflow_status
where queue_name = 'tasks' and status = 'ENQUEUED' and status in ('ENQUEUED', 'PENDING')
    and (application_version = '1' or application_version is null)
    and (application_name = 'bodydouble' or application_name is null)
order by priority, created_at limit 1 for update skip locked
"""
"""The durable engine's query for the next queue entry; it runs each time that a worker polls."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A statement with values, and the number of pages that it may touch."""

    name: str
    query: str
    values: Sequence[Any]
    pages_max: int


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Measurements of one execution."""

    milliseconds: float
    pages: int
    read_whole: Sequence[str]  # large tables that were scanned sequentially


def fill(url: str, rows: int) -> None:
    """Insert tasks and their related rows: unlogged, without foreign-key checks and indexes, on all cores."""
    waiting = max(int(rows * WAITING_SHARE), 100)
    values = {"rows": rows, "accounts": ACCOUNTS, "waiting": waiting, "model": MODEL, **CONTENT}

    def run(statements: str) -> None:
        with psycopg.connect(url, autocommit=True, options=FILLING) as connection:
            connection.execute(statements.encode())

    def run_all(statements: Iterable[str]) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(run, statements):
                pass

    indexes = _without_indexes(url)
    run(FILL_FIRST.format(**values))
    run_all(statements.format(**values) for statements in FILL_TABLES)
    run_all([*indexes, FILL_LAST])
    run("drop table plan")
    run("analyze")


def _without_indexes(url: str) -> list[str]:
    """Make the large tables unlogged and drop their indexes. Returns the statements that create the indexes."""
    indexes: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:
        for table in LARGE_TABLES:
            with contextlib.suppress(psycopg.errors.InvalidTableDefinition):  # logged tables refer to the engine's
                connection.execute(f"alter table {table} set unlogged".encode())
            found = connection.execute(
                "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index "
                "where indrelid = %s::regclass and not indisprimary",
                (table,),
            ).fetchall()
            for name, definition in found:
                connection.execute(f"drop index {name}".encode())
                indexes.append(definition)
    return indexes


class Subjects(NamedTuple):
    """Rows that the statements are asked for."""

    large: int  # account with the most tasks
    small: int  # account with the fewest tasks
    old: UUID  # a task with a callback, somewhere in the middle
    pending: UUID
    running: UUID
    key: bytes  # of the large account
    small_key: bytes
    cursor: UUID  # the fiftieth task of the large account
    week: datetime  # before it, finished tasks are deleted


def subjects(url: str) -> Subjects:
    """Rows of a filled database."""
    with psycopg.connect(url) as connection:

        def one(sql: str) -> Any:
            row = connection.execute(sql.encode()).fetchone()
            assert row is not None
            return row[0]

        large = one("select account_id from task group by 1 order by count(*) desc limit 1")
        small = one("select account_id from task group by 1 order by count(*), 1 limit 1")
        old = one("select id from task where callback_url is not null order by id offset 1000 limit 1")
        pending = one("select id from task where status = 'pending' order by id desc limit 1")
        running = one("select id from task where status = 'running' limit 1")
        key = one(f"select key_hash from api_key where account_id = {large}")
        small_key = one(f"select key_hash from api_key where account_id = {small}")
        cursor = one(f"select id from task where account_id = {large} order by id desc offset 50 limit 1")
        week = one("select now() - interval '40 days'")
    return Subjects(
        large=large,
        small=small,
        old=old,
        pending=pending,
        running=running,
        key=key,
        small_key=small_key,
        cursor=cursor,
        week=week,
    )


def cases(url: str) -> list[Case]:
    """Every frequent statement, for a large and a small account, for the newest rows and some in the middle."""
    queries = load_queries()
    large, small, old, pending, running, key, small_key, cursor, week = subjects(url)
    body = json.dumps({"model": MODEL})
    create: list[Any] = [key, None, UUID(int=7 << 76), MODEL, body, body, "api", 30, None, "key-1", b"hash"]
    create += [json.dumps([MODEL]), 86400, 10**6, 10**6, None]
    names = ["replace_task", "tasks", "1"]
    together = [[value, value] for value in create]
    together[0], together[2], together[9] = [key, small_key], [UUID(int=7 << 76), UUID(int=1 + (7 << 76))], ["a", "b"]
    nothing = [None] * 6
    made = [
        ("create_tasks", "one alone", [[value] for value in create] + names, 120),
        ("create_tasks", "two together", together + names, 240),
        ("read_tasks", "", [[key], [old]], 20),
        ("account_for_key", "", [key], 12),
        ("get_task", "", [old, None], 10),
        ("list_tasks", "of a large account", [large, *nothing, None, 21, None, None], 60),
        ("list_tasks", "its second page", [large, cursor, *nothing[1:], None, 21, None, None], 60),
        ("list_tasks", "of a small account", [small, *nothing, None, 21, None, None], 60),
        ("list_tasks", "failed, large account", [large, None, "failed", *nothing[2:], None, 21, None, None], 200),
        ("list_tasks", "failed, small account", [small, None, "failed", *nothing[2:], None, 21, None, None], 60),
        ("list_tasks", "running, large account", [large, None, "running", *nothing[2:], None, 21, None, None], 1000),
        ("list_tasks", "of everybody", [None, *nothing, None, 21, None, None], 60),
        ("list_tasks", "of everybody, failed", [None, None, "failed", *nothing[2:], None, 21, None, None], 60),
        ("list_tasks", "of everybody, running", [None, None, "running", *nothing[2:], None, 21, None, None], 1000),
        ("queue_position", "the last one", [pending], 1200),
        ("waiting_tasks", "", [1000], 1200),
        ("start_task", "", [pending, "worker-1:/work"], 120),
        ("settle", "", [running, None, "failed", '{"code": 501}', 60.0], 150),
        ("request_cancel", "", [pending, one_account(url, pending)], 80),
        ("overdue_tasks", "", [100], 300),
        ("late_starts", "", [100], 300),
        ("expired_media", "", [100], 300),
        ("delete_old_tasks", "", [week, 100], 6000),
        ("claim_deliveries", "", [64, 90.0, [large]], 2000),
        ("deliveries", "", [old], 12),
        ("delivery_tries", "", [old], 20),
        ("stage_times", "", [old], 12),
        ("executors", "", [], 200),
        ("ledger_page", "", [large, None, 101], 250),
        ("task_ledger", "", [old], 12),
        ("queue_state", "", [30.0], 2500),
        ("usage", "", [large, 30], 60),
    ]
    named = [
        Case(name=f"{name} {what}".strip(), query=queries[name], values=values, pages_max=pages)
        for name, what, values, pages in made
    ]
    return [*named, Case(name="engine: take from the queue", query=DEQUEUE, values=[], pages_max=60)]


def one_account(url: str, task: UUID) -> int:
    """The id of the account that owns the task."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select account_id from task where id = %s", (task,)).fetchone()
        assert row is not None
        return int(row[0])


def examine(connection: psycopg.Connection[Any], case: Case) -> Finding:
    """Measurements of the prepared statement on a warm connection. All changes are rolled back."""
    literals = psycopg.ClientCursor(connection).mogrify(", ".join(["%s"] * len(case.values)), case.values)
    call = f"execute hot({literals})" if case.values else "execute hot"
    connection.execute(f"prepare hot as {case.query}".encode())
    connection.commit()
    for _ in range(EXECUTIONS - 1):
        connection.execute(call.encode())
        connection.rollback()
    before = _whole_reads(connection)
    row = connection.execute(f"explain (analyze, buffers, timing off, format json) {call}".encode()).fetchone()
    after = _whole_reads(connection)
    connection.rollback()
    connection.execute("deallocate hot")
    connection.commit()
    assert row is not None
    plan = row[0][0]
    pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    read_whole = [table for table in after if after[table] > before[table]]
    return Finding(milliseconds=plan["Execution Time"], pages=pages, read_whole=read_whole)


def _whole_reads(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Sequential scans of each large table by this connection, including those inside functions."""
    rows = connection.execute(
        "select s.relid::regclass::text, s.seq_scan from pg_stat_xact_all_tables as s join pg_class as c "
        "on c.oid = s.relid where c.reltuples >= %s and s.relid::regclass::text = any (%s)",
        (LARGE_ROWS, list(TABLES)),
    )
    return {table: int(scans) for table, scans in rows.fetchall()}


def fresh_server(folder: Path) -> EmbeddedPostgres:
    """A new server without fsync. Its rows are generated, and only plans are measured."""
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        for setting in ("fsync = off", "max_wal_size = '8GB'", "autovacuum = off"):
            connection.execute(f"alter system set {setting}".encode())
        connection.execute("select pg_reload_conf()")
    migrate(server.url)
    return server


def main() -> None:
    """Fill, examine, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help=f"{ROWS_QUICK:,} tasks instead of {ROWS:,}")
    parser.add_argument("--rows", type=int, help="tasks")
    chosen = parser.parse_args()
    rows = chosen.rows or (ROWS_QUICK if chosen.quick else ROWS)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    figures: dict[str, Any] = {"machine": platform.machine(), "cores": os.cpu_count(), "commit": commit.stdout.strip()}
    folder = Path(tempfile.mkdtemp(prefix="bodydouble-bench-"))
    folder.chmod(0o711)  # when run as root, the database's own user needs access
    wrong = 0
    server = fresh_server(folder)
    try:
        began = time.perf_counter()
        fill(server.url, rows)
        with psycopg.connect(server.url) as connection:
            row = connection.execute("select pg_database_size(current_database())").fetchone()
            assert row is not None
            figures |= {"tasks": rows, "gigabytes": round(row[0] / 1e9, 2)}
        print(f"{rows:,} tasks, {figures['gigabytes']} GB, filled in {time.perf_counter() - began:.0f} s\n")
        print(f"{'statement':44}{'ms':>9}{'pages':>9}{'bound':>9}")
        for case in cases(server.url):
            with psycopg.connect(server.url) as connection:
                finding = examine(connection, case)
            bad = [f"sequential scan of {table}" for table in finding.read_whole]
            if finding.pages > case.pages_max:
                bad.append("more pages than its bound")
            wrong += bool(bad)
            print(
                f"{case.name:44}{finding.milliseconds:9.2f}{finding.pages:9}{case.pages_max:9}  {', '.join(bad)}",
                flush=True,
            )
            name = "".join(c if c.isalnum() else "_" for c in case.name)
            figures |= {f"{name}_ms": round(finding.milliseconds, 3), f"{name}_pages": finding.pages}
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures | {"out_of_bounds": wrong}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

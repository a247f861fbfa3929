"""A batch of creates is stored as the same creates one after the other, and as the engine would enqueue them."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import psycopg
import pytest
from hypothesis import given, settings

from bodydouble.service.identifiers import make_uuid7
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW

MODEL = "wan/2-2-animate-replace"
EVERYBODY = (
    # name, balance, creates a minute, active at most, disabled, then scope and disabled of the key
    ("rich", "1000", None, None, False, "all", False),
    ("poor", "25", None, None, False, "all", False),
    ("slow", "1000", 2, None, False, "all", False),
    ("narrow", "1000", None, 2, False, "all", False),
    ("closed", "1000", None, None, True, "all", False),
    ("reader", "1000", None, None, False, "read", False),
    ("locked out", "1000", None, None, False, "all", True),
)
NAMES = [row[0] for row in EVERYBODY]
creates = st.lists(
    st.tuples(
        st.sampled_from([*NAMES[:4] * 3, *NAMES[4:], "stranger"]),
        st.sampled_from(["0", "10", "10.5"]),  # credits
        st.sampled_from([None, "one", "two"]),  # idempotency key
        st.sampled_from([b"this", b"that"]),  # the body's hash
        st.sampled_from([MODEL, MODEL, "switched off"]),  # a feature
    ),
    min_size=2,
    max_size=10,
)
TASK = """
select a.name, t.model, t.param, t.inputs, t.status, t.source, t.credits, t.fraction, t.stage, t.callback_url,
    t.version, t.idempotency_key, t.body_hash, t.turn, t.traceparent,
    round(extract(epoch from t.deadline_at - t.created_at)),
    (select array_agg((l.kind, l.amount, l.account_id = a.id, l.memo)) from ledger as l where l.task_id = t.id),
    to_jsonb(w) - array['workflow_uuid', 'owner_xid', 'created_at', 'updated_at'],
    w.created_at = w.updated_at, w.owner_xid is not null,
    replace(i.inputs, t.id::text, 'its own id'), i.retention_timestamp = w.created_at
from task as t join account as a on a.id = t.account_id
left join dbos.workflow_status as w on w.workflow_uuid = t.id::text
left join dbos.workflow_input as i on i.workflow_uuid = t.id::text
order by a.name, t.turn
"""
CREATE = """
select place, (one).outcome, (one).account_id, (one).available, (one).rate_max, (one).rate_left, (one).reset_seconds,
    (one).retry_seconds, (one).memo
from (
    select place, one from create_tasks(
        %s::bytea[], %s::bigint[], %s::uuid[], %s::text[], %s::jsonb[], %s::jsonb[], %s::text[], %s::numeric[],
        %s::text[], %s::text[], %s::bytea[], %s::jsonb[], %s::double precision[], %s::int[], %s::int[], %s::text[],
        %s, %s, %s
    ) offset 0
) as called
"""
ACCOUNT = "select name, balance, reserved, active, turn from account order by name"


def store(connection: psycopg.Connection[Any], asked: Sequence[Any], *, together: bool) -> tuple[Any, Any, Any]:
    """What each is answered, what is stored of the tasks and of the accounts then; nothing of it stays."""
    columns = [_values(*one) for one in asked]
    groups = [columns] if together else [[one] for one in columns]
    outcomes: list[Any] = []
    names = {row[0]: row[1] for row in connection.execute("select id, name from account").fetchall()}
    for group in groups:
        values = [list(column) for column in zip(*group, strict=True)]
        rows = connection.execute(CREATE, [*values, WORKFLOW, QUEUE, APPLICATION_VERSION]).fetchall()
        outcomes += [
            (outcome, names.get(account), available, maximum, left, round(reset or 0), round(retry or 0), memo)
            for _, outcome, account, available, maximum, left, reset, retry, memo in sorted(rows)
        ]
    stored = connection.execute(TASK).fetchall(), connection.execute(ACCOUNT).fetchall()
    connection.rollback()
    return outcomes, *stored


def _values(owner: str, credits: str, key: str | None, body_hash: bytes, feature: str) -> Sequence[Any]:
    param, inputs = json.dumps({"model": MODEL}), json.dumps({"prompt": "“ü” 人"})
    limits = 60.0, 100, 100
    features = json.dumps([feature, "renderer puppet"])
    return (
        owner.encode(), None, make_uuid7(), MODEL, param, inputs, "api", Decimal(credits),
        "https://example.com/hook", key, body_hash if key else None, features, *limits, "00-trace-00",
    )  # fmt: skip


@pytest.fixture
def connection(empty_database: str) -> Iterator[psycopg.Connection[Any]]:
    """To a database with everybody's account and key, and something switched off."""
    with psycopg.connect(empty_database) as connection:
        for name, balance, rate, active, disabled, scope, locked in EVERYBODY:
            connection.execute(
                "with a as (insert into account (name, balance, creates_per_minute, active_max, disabled) "
                "values (%s, %s, %s, %s, %s) returning id) "
                "insert into api_key (key_hash, account_id, prefix, scope, disabled) select %s, id, '', %s, %s from a",
                (name, balance, rate, active, disabled, name.encode(), scope, locked),
            )
        connection.execute("insert into switched_off (name, message) values ('switched off', 'for the test')")
        connection.commit()
        yield connection


def test_creates_that_are_stored_together_are_stored_as_one_after_the_other(
    connection: psycopg.Connection[Any],
) -> None:
    """Outcomes, tasks, ledger, the engine's rows, balances, counts, turns: all the same, whoever comes with whom."""

    @settings(max_examples=60, deadline=None)
    @given(asked=creates)
    def check(asked: Sequence[Any]) -> None:
        assert store(connection, asked, together=True) == store(connection, asked, together=False)

    check()


def test_the_plain_ones_are_compared_at_all(connection: psycopg.Connection[Any]) -> None:
    """Of a group without obstacles everything is stored, under an id of its own, and handed to the engine."""
    outcomes, tasks, accounts = store(connection, [("rich", "10", None, b"", MODEL)] * 3, together=True)
    assert [outcome[0] for outcome in outcomes] == ["created"] * 3
    assert [outcome[2] for outcome in outcomes] == [990, 980, 970]
    assert [row[13] for row in tasks] == [1, 2, 3]
    assert all(row[17]["status"] == "ENQUEUED" and "its own id" in row[20] for row in tasks)
    assert ("rich", Decimal(970), Decimal(30), 3, 3) in accounts


def test_the_engines_rows_are_those_of_its_own_function(connection: psycopg.Connection[Any]) -> None:
    """``create_tasks`` writes what ``dbos.enqueue_workflow`` writes; a version of the engine that writes more fails."""
    own, engines = make_uuid7(), make_uuid7()
    values = [[value] for value in _values("rich", "10", None, b"", MODEL)]
    values[2] = [own]
    connection.execute(CREATE, [*values, WORKFLOW, QUEUE, APPLICATION_VERSION])
    connection.execute(
        "select dbos.enqueue_workflow(workflow_name => %s, queue_name => %s, "
        "positional_args => array[to_json(%s::text)], workflow_id => %s, app_version => %s, priority => 1)",
        (WORKFLOW, QUEUE, str(engines), str(engines), APPLICATION_VERSION),
    )
    rows = [
        connection.execute(
            "select to_jsonb(w) - array['workflow_uuid', 'owner_xid', 'created_at', 'updated_at'], "
            "replace(i.inputs, w.workflow_uuid, 'its own id'), i.retention_timestamp = w.created_at "
            "from dbos.workflow_status as w join dbos.workflow_input as i using (workflow_uuid) "
            "where w.workflow_uuid = %s",
            (str(workflow),),
        ).fetchone()
        for workflow in (own, engines)
    ]
    assert rows[0] is not None
    assert rows[0][:2] == (rows[1] or ())[:2]

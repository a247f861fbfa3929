"""What the hot queries touch over generated rows: the cases and bounds of ``bench/plans.py``, on a smaller table."""

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bodydouble.store import EmbeddedPostgres
from databases import TEMPLATE, database_url

ROWS = 50_000


def load_bench() -> Any:
    """The script as a module."""
    spec = spec_from_file_location("bench_plans", Path(__file__).parents[3] / "bench" / "plans.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["bench_plans"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plans = load_bench()


@pytest.fixture(scope="module")
def filled(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with many tasks of accounts of very different size."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database filled template {TEMPLATE} strategy file_copy")
        url = database_url(postgres, "filled")
        plans.fill(url, ROWS)
        yield url
        connection.execute("drop database filled with (force)")


def test_no_hot_query_reads_a_table_from_end_to_end(filled: str) -> None:
    """Each statement, prepared and asked often, finds its rows by an index and stays within its bound of pages."""
    wrong: list[str] = []
    for case in plans.cases(filled):
        with psycopg.connect(filled) as connection:
            finding = plans.examine(connection, case)
        if finding.read_whole or finding.pages > case.pages_max:
            wrong.append(f"{case.name}: {finding.pages} of {case.pages_max} pages, whole {finding.read_whole}")
    assert not wrong


def test_a_lost_index_is_noticed(filled: str) -> None:
    """Without the index of failed tasks their list goes beyond its bound: the bounds bind."""
    name = "list_tasks of everybody, failed"
    (case,) = (case for case in plans.cases(filled) if case.name == name)
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("update pg_index set indisvalid = false where indexrelid = 'task_failed'::regclass")
        try:
            with psycopg.connect(filled) as another:
                assert plans.examine(another, case).pages > case.pages_max
        finally:
            connection.execute("update pg_index set indisvalid = true where indexrelid = 'task_failed'::regclass")

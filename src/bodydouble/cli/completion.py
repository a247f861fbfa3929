"""Values for the shell's completion. Names of accounts, tasks and others are read from a running installation."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bodydouble.settings import Settings

ANSWER_SECONDS_MAX = 2
"""Time to connect to the database: a shell waits for its completions."""


def complete_account(context: typer.Context, incomplete: str) -> list[str]:
    """Names of accounts."""
    return [str(name) for (name,) in _column(context, "account_names", incomplete)]


def complete_key(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of keys with their prefixes and names."""
    return [(str(key), f"{prefix}… {name}") for key, prefix, name in _column(context, "key_names", incomplete)]


def complete_task(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of the newest tasks, with their status."""
    return [(str(task), str(status)) for task, status in _column(context, "task_names", incomplete)]


def complete_label(incomplete: str) -> list[str]:
    """Visible labels."""
    from bodydouble.renderers.shot_inputs import LABELS  # slow import: other completions do not need it

    return [label for label in LABELS if label.startswith(incomplete)]


def _column(context: typer.Context, query: str, incomplete: str) -> Iterator[tuple[object, ...]]:
    """The rows of a query. Never starts a database; errors are ignored, because completion must not print anything."""
    with contextlib.suppress(Exception):
        import psycopg  # slow imports: other completions do not need them

        from bodydouble.store.embedded import EmbeddedPostgres
        from bodydouble.store.named_queries import load_queries

        given = context.params.get("data")
        chosen: dict[str, Any] = {"data": Path(given)} if given else {}
        settings = Settings(**chosen)
        folder = settings.data / "postgres"
        url = settings.database_url or (EmbeddedPostgres(folder).url if folder.exists() else "")
        if url:
            sql = load_queries()[query].replace("$1", "%s").encode()
            with psycopg.connect(url, connect_timeout=ANSWER_SECONDS_MAX) as connection:
                yield from connection.execute(sql, (incomplete,)).fetchall()

"""What people see: two consoles, and errors as one line."""

import sys
from pathlib import Path
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from bodydouble.settings import Settings
from bodydouble.tasks.errors import BodydoubleError, InputRejected, InvalidParams

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

EXIT_FAILED = 1
EXIT_USAGE = 2
TABLE_CHARACTERS_MAX = 10_000


class CommandGroup(TyperGroup):
    """Ends an error that was raised on purpose as one line on stderr, never as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (InputRejected, InvalidParams) as error:
            fail(error.message, EXIT_USAGE)
        except BodydoubleError as error:
            fail(error.message)
        except KeyboardInterrupt:
            fail("interrupted", 130)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """One line on stderr, then the end."""
    err.print(f"[bold red]error:[/] {escape(message)}")
    raise typer.Exit(code)


def load_settings(**chosen: Any) -> Settings:
    """Settings from the environment and the file, with what was ``chosen`` (not None) on the command line."""
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        fail(f"setting {name}: {first['msg']} (got {first['input']!r})", EXIT_USAGE)


def make_table(*columns: str) -> Table:
    """A table whose cells are never broken or cut: they are there to be copied."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ignore")
    return table


def show_table(table: Table) -> None:
    """As wide as it is, whatever the terminal."""
    needed = table.__rich_measure__(out, out.options.update(max_width=TABLE_CHARACTERS_MAX)).maximum
    Console(highlight=False, width=max(needed, out.width)).print(table)


def is_interactive() -> bool:
    """Whether somebody reads along."""
    return sys.stderr.isatty()


def existing_file(path: Path, what: str) -> Path:
    """``path``, absolute. Ends with a clear line where there is no such file."""
    if not path.is_file():
        fail(f"{what}: there is no file {path}", EXIT_USAGE)
    return path.resolve()

"""Output for people: two consoles, tables that fit the terminal, and errors as one line.

Text from outside (names, messages, file names) may contain control characters. Every function here shows them as
escape sequences such as ``\\x1b``, so that no output can change the terminal's state or hide text.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import TextWrapper
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from bodydouble.tasks.errors import BodydoubleError, InputRejected, InvalidParams

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
TABLE_CHARACTERS_MAX = 10_000
VALUE_CHARACTERS_MIN = 20
"""Smallest width of the column of values. On a narrower terminal each value is printed below its name."""
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 except tab and line feed, DEL, C1, and the marks that change the direction of text."""
METAVARS = {
    "<path>": "PATH",
    "<int>": "N",
    "<int range>": "N",
    "<float>": "N",
    "<float range>": "N",
    "<str>": "TEXT",
    "<bool>": "",
}


def printable(text: str) -> str:
    """``text`` with control characters as escape sequences such as ``\\x1b``."""
    return CONTROL_CHARACTERS.sub(lambda match: ascii(match[0])[1:-1], text)


class SafeConsole(Console):
    """A console that never sends a control character from a text."""

    def print(self, *objects: Any, **arguments: Any) -> None:
        """The method of ``rich.console.Console`` of this name."""
        super().print(*(printable(o) if isinstance(o, str) else o for o in objects), **arguments)


class SafeTable(Table):
    """A table without control characters in its cells."""

    def add_row(self, *cells: Any, **arguments: Any) -> None:
        """The method of ``rich.table.Table`` of this name."""
        super().add_row(*(printable(c) if isinstance(c, str) else c for c in cells), **arguments)


out = SafeConsole(highlight=False, soft_wrap=True)
err = SafeConsole(stderr=True, highlight=False, soft_wrap=True)


class CommandGroup(TyperGroup):
    """Shows errors as one line on stderr instead of a traceback, and placeholders in capitals in the help."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (InputRejected, InvalidParams) as error:
            fail(error.message, EXIT_USAGE)
        except BodydoubleError as error:
            fail(error.message)
        except KeyboardInterrupt:
            fail("interrupted", EXIT_INTERRUPTED)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, with consistent placeholders for the values of its arguments and options."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _prepare_help(command, ctx)
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of the program."""
        _prepare_help(self, ctx)
        super().format_help(ctx, formatter)


def _prepare_help(command: Any, context: Any) -> None:
    """Set placeholders in capitals, and let the terminal's width break the lines of each paragraph.

    Options are listed without typer's frames: in 80 columns these cut long names off and leave 18 for the words.
    """
    if not hasattr(command, "commands"):
        command.rich_markup_mode = None
    if command.help:
        paragraphs = command.help.split("\n\n")
        command.help = "\n\n".join(re.sub(r"(?<=\S)\n *", " ", paragraph) for paragraph in paragraphs)
    for parameter in command.get_params(context):
        if parameter.param_type_name == "argument":
            parameter.metavar = parameter.metavar or parameter.name.upper()
            parameter.display_type_rich = _no_type
        elif parameter.metavar is None and not parameter.type_descriptor.is_choice:
            parameter.metavar = METAVARS.get(parameter.display_type(context))
    for subcommand in getattr(command, "commands", {}).values():
        _prepare_help(subcommand, context)


def _no_type(ctx: Any) -> str:
    return ""


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Print one line on stderr and end the command with status ``code``."""
    err.print(f"[bold red]error:[/] {escape(message)}")
    raise typer.Exit(code)


def warn(message: str) -> None:
    """Print one line on stderr."""
    err.print(f"[yellow]warning:[/] {escape(message)}")


def make_table(*columns: str) -> Table:
    """An empty table for ``show_table``."""
    table = SafeTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ignore")
    return table


def show_table(table: Table) -> None:
    """Print a table without breaking or cutting any cell.

    On a terminal that is too narrow every row becomes a block with one ``column: value`` line for each cell. Without a
    terminal the table is as wide as it needs to be.
    """
    needed = table.__rich_measure__(out, out.options.update(max_width=TABLE_CHARACTERS_MAX)).maximum
    if out.is_terminal and needed > out.width:
        _show_blocks(table)
    else:
        Console(file=out.file, highlight=False, width=max(needed, out.width)).print(table)


def _show_blocks(table: Table) -> None:
    columns = [list(column.cells) for column in table.columns]
    for number in range(table.row_count):
        cells = [Text.from_markup(str(cells[number])).plain for cells in columns]
        names = [str(column.header) for column in table.columns]
        if number:
            out.print()
        show_facts([(name, cell) for name, cell in zip(names, cells, strict=True) if cell])


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and plain-text values, one pair a line; long values continue below, broken between words only."""
    name_characters = max(len(name) for name, _ in facts) + 2
    width = out.width if out.is_terminal else TABLE_CHARACTERS_MAX
    longest_word = max((len(word) for _, value in facts for word in value.split()), default=0)
    beside = width - name_characters >= max(VALUE_CHARACTERS_MIN, longest_word)
    for name, value in facts:
        text = printable(value) or "–"
        if beside:
            first, later = " " * name_characters, " " * name_characters
        else:
            first = later = "  "
            out.print(f"[bold]{escape(name)}[/]")
        wrapper = TextWrapper(
            width=width,
            initial_indent=first,
            subsequent_indent=later,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines = [line for part in text.splitlines() for line in wrapper.wrap(part)]
        shown = escape("\n".join(lines))
        out.print(f"[bold]{escape(name):<{name_characters}}[/]{shown[name_characters:]}" if beside else shown)


def is_interactive() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr.isatty()


def existing_file(path: Path, name: str) -> Path:
    """``path``, absolute. Ends the command if there is no such file; ``name`` is the argument's name."""
    if not path.is_file():
        fail(f"{name}: there is no file {path}", EXIT_USAGE)
    return path.resolve()

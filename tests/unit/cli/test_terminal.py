"""Output that fits the terminal and cannot change its state."""

import io
import re
from typing import Any

import pytest
from rich.markup import escape
from typer.main import get_command
from typer.testing import CliRunner

from bodydouble.cli import app, terminal
from bodydouble.cli.terminal import SafeConsole, fail, make_table, printable, show_facts, show_table
from bodydouble.cli.values import print_json

PLACEHOLDER = r"[A-Z_]+(\.\.\.)?(\|[A-Za-z]+)*|[a-z]+(\|[a-z]+)+"
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202etxt.exe\r"


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch):
    """Consoles on a terminal of a given width; the stream that they write to."""

    def make(width: int) -> io.StringIO:
        stream = io.StringIO()
        console = SafeConsole(
            file=stream, width=width, force_terminal=True, color_system=None, highlight=False, soft_wrap=True
        )
        monkeypatch.setattr(terminal, "out", console)
        monkeypatch.setattr(terminal, "err", console)
        return stream

    return make


def _is_clean(text: str) -> bool:
    return not terminal.CONTROL_CHARACTERS.search(text)


def test_control_characters_are_shown_as_escapes():
    """Escape sequences, C1 controls, carriage returns and marks of text direction become visible text."""
    assert printable("a\x1b[31mb\tc\n") == "a\\x1b[31mb\tc\n"
    assert _is_clean(printable(HOSTILE))


def test_no_output_sends_a_control_character(screen, capsys):
    """Messages, tables, facts and JSON are clean, whatever the text from outside contains."""
    stream = screen(80)
    with pytest.raises(Exception):  # noqa: B017, PT011 - typer.Exit
        fail(HOSTILE)
    table = make_table("name")
    table.add_row(escape(HOSTILE))
    show_table(table)
    show_facts([("name", HOSTILE)])
    print_json({"name": HOSTILE})
    assert "\\x1b[2J" in stream.getvalue()
    assert _is_clean(stream.getvalue())
    assert _is_clean(capsys.readouterr().out)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_table_that_does_not_fit_becomes_blocks_of_whole_words(width, screen):
    """No line is longer than the terminal, and ids and words stay whole."""
    stream = screen(width)
    table = make_table("task", "account", "created", "result")
    task = "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"
    table.add_row(task, "studio", "2026-01-01 12:00:00", "501 The video contains nobody who could be replaced")
    table.add_row(task, "other", "2026-01-01 12:00:00", "")
    show_table(table)
    lines = stream.getvalue().splitlines()
    assert max(len(line) for line in lines) <= width
    words = stream.getvalue().split()
    assert words.count(task) == 2
    assert {"contains", "nobody", "replaced", "studio"} <= set(words)


def test_a_table_that_fits_stays_a_table(screen):
    """On a wide terminal each row is one line."""
    stream = screen(100)
    table = make_table("id", "name")
    table.add_row("1", "first")
    show_table(table)
    assert [line.split() for line in stream.getvalue().splitlines()][-1] == ["1", "first"]


@pytest.mark.parametrize("width", [40, 80])
def test_facts_break_between_words(width, screen):
    """Long values continue below; a path is never cut."""
    stream = screen(width)
    show_facts([("disk", "/srv/a/b, 100 GB free of the many that the machine had at first"), ("port", "8000")])
    assert max(len(line) for line in stream.getvalue().splitlines()) <= width
    assert "/srv/a/b," in stream.getvalue().split()


def _placeholders() -> dict[str, dict[str, list[str]]]:
    """Option or parameter → placeholder of its value → the commands with it."""
    found: dict[str, dict[str, list[str]]] = {}

    def visit(command: Any, context: Any, path: str) -> None:
        for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
            child = command.get_command(context, name)
            visit(child, command.context_class(child, info_name=name, parent=context), f"{path} {name}")
        for parameter in command.get_params(context):
            is_option = parameter.param_type_name == "option"
            if not (is_option and (parameter.is_flag or parameter.metavar is None)):
                name = parameter.opts[0] if is_option else parameter.name
                found.setdefault(name, {}).setdefault(str(parameter.metavar), []).append(path)
            elif parameter.metavar is None and not parameter.is_flag:
                assert parameter.type_descriptor.is_choice, f"{path} {parameter.opts[0]} shows a Python type"

    program = get_command(app)
    visit(program, program.context_class(program, info_name="bodydouble"), "bodydouble")
    return found


def test_a_value_has_one_placeholder_in_all_commands():
    """``--data FOLDER`` is not ``--data PATH`` elsewhere; placeholders are in capitals, or list the choices."""
    found = _placeholders()
    assert len(found["--data"]["FOLDER"]) > 30
    assert {name: kinds for name, kinds in found.items() if len(kinds) > 1} == {}
    assert [kind for kinds in found.values() for kind in kinds if not re.fullmatch(PLACEHOLDER, kind)] == []


def test_defaults_are_shown():
    """A default that the settings decide is in the help too."""
    assert "8000" in CliRunner().invoke(app, ["serve", "--help"]).output


def test_options_are_named_whole_on_a_narrow_terminal():
    """In 80 columns the help of every command shows each option's name without a cut."""
    cut = []

    def visit(command: Any, context: Any) -> None:
        for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
            child = command.get_command(context, name)
            visit(child, command.context_class(child, info_name=name, parent=context, terminal_width=80))
        if not hasattr(command, "list_commands"):
            shown = command.get_help(context)
            listed = [option for option in command.params if not getattr(option, "hidden", False)]
            options = [name for option in listed for name in option.opts if name.startswith("-")]
            cut.extend(f"{context.command_path} {name}" for name in options if name not in shown)

    program = get_command(app)
    visit(program, program.context_class(program, info_name="bodydouble", terminal_width=80))
    assert cut == []

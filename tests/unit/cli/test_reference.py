"""The reference of the command line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bodydouble.cli import app

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()


def _commands(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for part, command in group.commands.items():
        if getattr(command, "commands", None):
            yield from _commands(command, f"{name}{part} ")
        elif not command.hidden:
            yield f"{name}{part}", command


def test_the_reference_has_every_document_for_programs():
    """The table lists exactly the commands with --json."""
    commands = _commands(typer.main.get_command(app))
    with_json = {name for name, command in commands if any(p.name == "as_json" for p in command.params)}
    assert (
        set(re.findall(r"^\| `([a-z ]+)` \|", PAGE.partition("## Output for programs")[2], re.MULTILINE)) == with_json
    )


def test_the_reference_names_every_command():
    """Each command or group stands in the first table."""
    table = PAGE.partition("##")[0]
    commands = {name.partition(" ")[0] for name, _ in _commands(typer.main.get_command(app))}
    assert [name for name in commands if f"`{name}`" not in table] == []

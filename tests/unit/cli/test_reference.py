"""The reference of the command line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bodydouble.cli import app

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "commands.md").read_text()
MENTION = re.compile(r"`bodydouble ([^`\n]+)`")


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


def _wrong_options(mention: str) -> list[str]:
    """The options in the text of a command that the command does not have; its name if there is no such command."""
    command: Any = typer.main.get_command(app)
    words = mention.split()
    while words and getattr(command, "commands", None):
        if not re.match("[a-z]", words[0]):  # an option, or a place holder
            break
        if words[0] not in command.commands:
            return [words[0]]
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    named = {word.partition("=")[0].rstrip(",.") for word in words if re.match(r"--?[a-z]", word)}
    return sorted(named - known - {"-h", "--help"})


def test_commands_within_sentences_exist():
    """Pages and messages name no command or option that there is not."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("skills/**/*.md"), *ROOT.glob("src/**/*.py")]
    mentions = [(file.name, mention) for file in files for mention in MENTION.findall(file.read_text())]
    assert len(mentions) > 50
    assert [(file, mention, wrong) for file, mention in mentions if (wrong := _wrong_options(mention))] == []

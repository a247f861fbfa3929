"""The command ``bodydouble`` and its subcommands."""

from typing import Annotated

import typer

from bodydouble import __version__
from bodydouble.cli import (
    accounts,
    backup,
    callbacks,
    demo,
    dialects,
    doctor,
    evaluation,
    inspection,
    keys,
    ledger,
    listen,
    mcp,
    models,
    people,
    provenance,
    proxy,
    replace,
    serve,
    settings,
    switch,
    tasks,
    verify,
)
from bodydouble.cli.terminal import CommandGroup

app = typer.Typer(
    name="bodydouble",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bodydouble {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Replace a person in a video with the character of a picture.

    Start with `bodydouble doctor`, then `bodydouble demo`.
    """


app.command()(serve.serve)
app.command()(serve.worker)
app.command()(serve.init)
app.command(hidden=True)(serve.api)
app.command(hidden=True)(proxy.proxy)
app.command()(replace.replace)
app.command()(replace.move)
app.command()(people.people)
app.command()(listen.listen)
app.command()(dialects.dialects)
app.command()(mcp.mcp)
app.command()(demo.demo)
app.command("eval")(evaluation.evaluate)
app.command("inspect")(inspection.inspect)
app.command()(verify.verify)
app.command()(doctor.doctor)
app.command()(settings.settings)
app.add_typer(models.app, name="models")
app.command(rich_help_panel="For operators")(backup.backup)
app.command(rich_help_panel="For operators")(backup.restore)
for group in (keys, accounts, tasks, callbacks, ledger, switch, provenance):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2], rich_help_panel="For operators")

"""``keys``: access to a running or a sleeping installation."""

import asyncio
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from bodydouble.cli.serve import DataOption
from bodydouble.cli.terminal import EXIT_USAGE, fail, load_settings

app = typer.Typer(help="Keys that give access to the API.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Keys that give access to the API."""


@app.command()
def create(
    account: Annotated[str, typer.Option(help="Whose key; the account is made where there is none.")] = "default",
    credits_granted: Annotated[
        str, typer.Option("--credits", metavar="N", help="Credits to give to the account with it.")
    ] = "0",
    data: DataOption = None,
) -> None:
    """Make a key and print it, alone, on stdout. It cannot be shown again. Works whether `serve` runs or not.

    Examples:

      bodydouble keys create

      KEY=$(bodydouble keys create --account studio --credits 500)
    """
    from bodydouble import bootstrap

    try:
        amount = Decimal(credits_granted)
    except InvalidOperation:
        fail(f"--credits: {credits_granted} is no number", EXIT_USAGE)
    if not amount.is_finite() or amount < 0:
        fail(f"--credits: {credits_granted} is no amount of credits; it must be 0 or more", EXIT_USAGE)
    if not account.strip() or len(account) > 200:
        fail("--account: a name has 1 to 200 characters", EXIT_USAGE)
    settings = load_settings(data=data)
    with bootstrap.open_database(settings) as database_url:
        typer.echo(asyncio.run(bootstrap.create_key(settings, database_url, account.strip(), amount)))

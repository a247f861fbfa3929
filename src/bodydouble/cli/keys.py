"""``keys``: access to a running or a sleeping installation."""

from typing import Annotated

import typer

from bodydouble.cli.completion import complete_account, complete_key
from bodydouble.cli.serve import DataOption
from bodydouble.cli.terminal import err, make_table, show_table
from bodydouble.cli.values import parse_amount, parse_moment, parse_span, print_json, show_moment
from bodydouble.tasks.account import AccountId, ApiKey, Scope

app = typer.Typer(help="Keys that give access to the API.", no_args_is_help=True)

KeyArgument = Annotated[
    str,
    typer.Argument(help="Its id, or its first nine characters.", autocompletion=complete_key, show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def keys() -> None:
    """Keys that give access to the API."""


@app.command()
def create(
    account: Annotated[
        str,
        typer.Option(help="Whose key; the account is made where there is none.", autocompletion=complete_account),
    ] = "default",
    name: Annotated[str, typer.Option(help="What it is for; shown in lists.")] = "",
    scope: Annotated[Scope, typer.Option(help="all; or read: look, but neither create nor change.")] = Scope.ALL,
    expires: Annotated[
        str | None, typer.Option(metavar="SPAN|DATE", help="When it ends: 30d, 12h, 2026-12-31.  [default: never]")
    ] = None,
    credits_granted: Annotated[
        str, typer.Option("--credits", metavar="N", help="Credits to give to the account with it.")
    ] = "0",
    data: DataOption = None,
) -> None:
    """Make a key and print it, alone, on stdout. It cannot be shown again. Works whether `serve` runs or not.

    Examples:

      bodydouble keys create

      KEY=$(bodydouble keys create --account studio --name ci --credits 500)

      bodydouble keys create --account studio --scope read --expires 30d
    """
    from bodydouble.cli.installation import AdminServices, operate

    amount = parse_amount(credits_granted, "--credits")
    expires_at = parse_moment(expires, "--expires", past=False) if expires else None

    async def make(admin: AdminServices) -> str:
        owner = await admin.accounts.open_account(account, amount, "granted with a new key")
        return (await admin.accounts.create_key(owner.id, name, scope, expires_at)).secret

    typer.echo(operate(data, make, make=True))


@app.command("ls", hidden=True)
@app.command("list")
def list_keys(
    account: Annotated[str | None, typer.Option(help="Of this account alone.", autocompletion=complete_account)] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """All keys: never the secrets.

    Example: bodydouble keys list --account studio
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def look(admin: AdminServices) -> tuple[list[ApiKey], dict[AccountId, str]]:
        if account is not None:
            owner = await admin.operation.account(account)
            return await admin.operation.keys(owner.id), {owner.id: owner.name}
        return await admin.operation.keys(None), await admin.operation.account_names()

    found, names = operate(data, look)
    if as_json:
        print_json([_for_programs(key, names[key.account]) for key in found])
        return
    table = make_table("id", "account", "key", "name", "scope", "created", "last used", "ends", "state")
    for key in found:
        state = "[red]disabled[/]" if key.disabled else "[green]on[/]"
        row = (str(key.id), names[key.account], f"{key.prefix}…", key.name, key.scope.value)
        moments = (show_moment(moment) for moment in (key.created_at, key.last_used_at, key.expires_at))
        table.add_row(*row, *moments, state)
    show_table(table)


@app.command()
def disable(key: KeyArgument, data: DataOption = None) -> None:
    """Switch a key off, at once and for every process.

    Example: bodydouble keys disable ak_12ab34
    """
    _switch(key, data, disabled=True)


@app.command()
def enable(key: KeyArgument, data: DataOption = None) -> None:
    """Switch a key on again.

    Example: bodydouble keys enable 7
    """
    _switch(key, data, disabled=False)


@app.command()
def rotate(
    key: KeyArgument,
    grace: Annotated[str, typer.Option(metavar="SPAN", help="How long the old one still works.")] = "1h",
    data: DataOption = None,
) -> None:
    """Make a new key of the same name and scope, and print it, alone, on stdout; the old one ends after the grace.

    Example: KEY=$(bodydouble keys rotate 7 --grace 1d)
    """
    from bodydouble.cli.installation import AdminServices, operate

    seconds = parse_span(grace, "--grace").total_seconds()

    async def replace(admin: AdminServices) -> str:
        owner, known = await admin.operation.find_key(key)
        return (await admin.accounts.rotate_key(owner, known.id, seconds)).secret

    typer.echo(operate(data, replace))
    err.print(f"The old key works for another {grace}." if seconds else "The old key works no more.")


def _switch(reference: str, data: DataOption, *, disabled: bool) -> None:
    from bodydouble.cli.installation import AdminServices, operate

    async def switch(admin: AdminServices) -> ApiKey:
        owner, known = await admin.operation.find_key(reference)
        return await admin.accounts.set_key_disabled(owner, known.id, disabled=disabled)

    key = operate(data, switch)
    err.print(f"Key {key.id} ({key.prefix}…) is {'disabled' if key.disabled else 'on'}.")


def _for_programs(key: ApiKey, account: str) -> dict[str, object]:
    return {
        "id": key.id,
        "account": account,
        "prefix": key.prefix,
        "name": key.name,
        "scope": key.scope,
        "disabled": key.disabled,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "expires_at": key.expires_at,
    }

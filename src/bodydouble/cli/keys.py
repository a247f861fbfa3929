"""``keys``: create, list, disable and rotate API keys."""

from typing import Annotated

import typer
from rich.markup import escape

from bodydouble.cli.completion import complete_account, complete_key
from bodydouble.cli.options import AccountOption, DataOption, JsonOption
from bodydouble.cli.terminal import err, make_table, show_table
from bodydouble.cli.values import parse_amount, parse_moment, parse_span, print_json, show_moment
from bodydouble.tasks.account import AccountId, ApiKey, Scope

app = typer.Typer(help="Manage the keys of the API.", no_args_is_help=True)

KeyArgument = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="The key's id or its first nine characters.",
        autocompletion=complete_key,
        show_default=False,
    ),
]


@app.callback()
def keys() -> None:
    """Manage the keys of the API."""


@app.command()
def create(
    account: Annotated[
        str,
        typer.Option(
            metavar="ACCOUNT", help="The key's account; created if it does not exist.", autocompletion=complete_account
        ),
    ] = "default",
    name: Annotated[str, typer.Option(metavar="NAME", help="What the key is for; shown in lists.")] = "",
    scope: Annotated[Scope, typer.Option(help="all; or read: cannot create or change anything.")] = Scope.ALL,
    expires: Annotated[
        str | None, typer.Option(metavar="SPAN|DATE", help="Expiry: 30d, 12h, 2026-12-31.", show_default="never")
    ] = None,
    credits_granted: Annotated[
        str, typer.Option("--credits", metavar="N", help="Credits to grant to the account.")
    ] = "0",
    data: DataOption = None,
) -> None:
    """Create a key and print it alone on stdout. It cannot be shown again. `serve` need not run.

    Examples:

      bodydouble keys create

      KEY=$(bodydouble keys create --account studio --name ci --credits 500)

      bodydouble keys create --account studio --scope read --expires 30d
    """
    from bodydouble.cli.installation import AdminServices, operate

    amount = parse_amount(credits_granted, "--credits")
    expires_at = parse_moment(expires, "--expires", past=False) if expires else None

    async def create_key(admin: AdminServices) -> str:
        owner = await admin.accounts.open_account(account, amount, "granted with a new key")
        return (await admin.accounts.create_key(owner.id, name, scope, expires_at)).secret

    typer.echo(operate(data, create_key))


@app.command("ls", hidden=True)
@app.command("list")
def list_keys(
    account: AccountOption = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List keys, without their secrets.

    Example: bodydouble keys list --account studio
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def query(admin: AdminServices) -> tuple[list[ApiKey], dict[AccountId, str]]:
        if account is not None:
            owner = await admin.operation.account(account)
            return await admin.operation.keys(owner.id), {owner.id: owner.name}
        return await admin.operation.keys(None), await admin.operation.account_names()

    found, names = operate(data, query)
    if as_json:
        print_json([_json_of(key, names[key.account]) for key in found])
        return
    table = make_table("id", "account", "key", "name", "scope", "created", "last used", "expires", "state")
    for key in found:
        state = "[red]disabled[/]" if key.disabled else "[green]enabled[/]"
        row = (str(key.id), names[key.account], f"{key.prefix}…", key.name, key.scope.value)
        moments = (show_moment(moment) for moment in (key.created_at, key.last_used_at, key.expires_at))
        table.add_row(*(escape(cell) for cell in row), *moments, state)
    show_table(table)


@app.command()
def disable(key: KeyArgument, data: DataOption = None) -> None:
    """Disable a key immediately.

    Example: bodydouble keys disable ak_12ab34
    """
    _switch(key, data, disabled=True)


@app.command()
def enable(key: KeyArgument, data: DataOption = None) -> None:
    """Enable a key again.

    Example: bodydouble keys enable 7
    """
    _switch(key, data, disabled=False)


@app.command()
def rotate(
    key: KeyArgument,
    grace: Annotated[str, typer.Option(metavar="SPAN", help="How long the old key remains valid.")] = "1h",
    data: DataOption = None,
) -> None:
    """Create a replacement with the same name and scope, and print it alone on stdout. The old key expires later.

    Example: KEY=$(bodydouble keys rotate 7 --grace 1d)
    """
    from bodydouble.cli.installation import AdminServices, operate

    seconds = parse_span(grace, "--grace").total_seconds()

    async def rotate_key(admin: AdminServices) -> str:
        owner, known = await admin.operation.find_key(key)
        return (await admin.accounts.rotate_key(owner, known.id, seconds)).secret

    typer.echo(operate(data, rotate_key))
    err.print(f"The old key remains valid for {grace}." if seconds else "The old key is no longer valid.")


def _switch(reference: str, data: DataOption, *, disabled: bool) -> None:
    from bodydouble.cli.installation import AdminServices, operate

    async def switch(admin: AdminServices) -> ApiKey:
        owner, known = await admin.operation.find_key(reference)
        return await admin.accounts.set_key_disabled(owner, known.id, disabled=disabled)

    key = operate(data, switch)
    err.print(f"Key {key.id} ({key.prefix}…) is {'disabled' if key.disabled else 'enabled'}.")


def _json_of(key: ApiKey, account: str) -> dict[str, object]:
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

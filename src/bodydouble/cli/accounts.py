"""``accounts``: who may work here, with how many credits, under which limits."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bodydouble.cli.completion import complete_account
from bodydouble.cli.keys import JsonOption
from bodydouble.cli.serve import DataOption
from bodydouble.cli.terminal import EXIT_USAGE, err, fail, load_settings, make_table, show_table
from bodydouble.cli.values import parse_amount, print_json, show_amount, show_moment
from bodydouble.tasks.account import Account
from bodydouble.tasks.identity import KnownIdentity

app = typer.Typer(help="Accounts, their credits and limits.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", autocompletion=complete_account, show_default=False)]


@app.callback()
def accounts() -> None:
    """Accounts, their credits and limits."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="ACCOUNT", show_default=False)],
    credits_granted: Annotated[str, typer.Option("--credits", metavar="N", help="Credits to begin with.")] = "0",
    data: DataOption = None,
) -> None:
    """Make an account; one that is there already stays as it is, and gets the credits.

    Example: bodydouble accounts create studio --credits 500
    """
    from bodydouble.cli.installation import AdminServices, operate

    amount = parse_amount(credits_granted, "--credits")

    async def make(admin: AdminServices) -> Account:
        return await admin.accounts.open_account(name, amount, "granted at the start")

    _say(operate(data, make, make=True))


@app.command("ls", hidden=True)
@app.command("list")
def list_accounts(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Everybody, with credits, tasks and limits.

    Example: bodydouble accounts list --json
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def look(admin: AdminServices) -> list[Account]:
        return await admin.operation.accounts()

    found = operate(data, look)
    if as_json:
        print_json(found)
        return
    table = make_table("account", "available", "reserved", "active", "creates/min", "tasks at once", "state")
    for account in found:
        limits = (account.creates_per_minute, account.active_max)
        table.add_row(
            account.name,
            show_amount(account.balance),
            show_amount(account.reserved),
            str(account.active),
            *("default" if limit is None else str(limit) for limit in limits),
            "[red]disabled[/]" if account.disabled else "[green]on[/]",
        )
    show_table(table)


@app.command(context_settings={"ignore_unknown_options": True})
def grant(
    name: NameArgument,
    amount: Annotated[str, typer.Argument(metavar="CREDITS", help="Negative takes back.", show_default=False)],
    memo: Annotated[str, typer.Option(help="Why; stands in the ledger.")] = "",
    data: DataOption = None,
) -> None:
    """Give credits to an account, or take back what is not spent or reserved.

    Examples:

      bodydouble accounts grant studio 1000 --memo "invoice 2026-17"

      bodydouble accounts grant studio -12.5
    """
    from bodydouble.cli.installation import AdminServices, operate

    credits_moved = parse_amount(amount, "CREDITS", negative=True)

    async def give(admin: AdminServices) -> Account:
        return await admin.operation.grant(name, credits_moved, memo)

    _say(operate(data, give))


@app.command()
def limits(
    name: NameArgument,
    creates_per_minute: Annotated[
        str | None, typer.Option(metavar="N|default", help="Tasks that it may create in a minute.")
    ] = None,
    active_max: Annotated[
        str | None, typer.Option("--tasks-at-once", metavar="N|default", help="Tasks waiting or running.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Give an account limits of its own; `default` goes back to the installation's. Holds from the next request on.

    Example: bodydouble accounts limits studio --creates-per-minute 600 --tasks-at-once 500
    """
    from bodydouble.cli.installation import AdminServices, operate

    if creates_per_minute is None and active_max is None:
        fail("nothing to set; give --creates-per-minute or --tasks-at-once", EXIT_USAGE)
    rate = _limit(creates_per_minute, "--creates-per-minute")
    room = _limit(active_max, "--tasks-at-once")

    async def limit(admin: AdminServices) -> Account:
        known = await admin.operation.account(name)
        return await admin.operation.set_limits(
            name,
            creates_per_minute=known.creates_per_minute if creates_per_minute is None else rate,
            active_max=known.active_max if active_max is None else room,
            disabled=known.disabled,
        )

    account = operate(data, limit)
    shown = ("default" if n is None else str(n) for n in (account.creates_per_minute, account.active_max))
    err.print("{}: {} creates a minute, {} tasks at once".format(account.name, *shown))


@app.command()
def link(
    name: NameArgument,
    operator: Annotated[bool, typer.Option("--operator", help="For somebody who runs the installation.")] = False,
    data: DataOption = None,
) -> None:
    """Print a link that signs in at the console once, within the hour, for an account.

    Examples:

      bodydouble accounts link studio

      bodydouble accounts link default --operator
    """
    from bodydouble.cli.installation import AdminServices, operate
    from bodydouble.service import sign_in_url
    from bodydouble.tasks.session import Role

    async def make(admin: AdminServices) -> str:
        return await admin.sessions.make_link_token(name, Role.OPERATOR if operator else Role.USER)

    typer.echo(sign_in_url(load_settings(data=data).base_url, operate(data, make)))


@app.command()
def identities(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Who comes in through the identity provider, and into which account.

    Example: bodydouble accounts identities
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def look(admin: AdminServices) -> Sequence[KnownIdentity]:
        return await admin.identities.list()

    found = operate(data, look)
    if as_json:
        print_json(found)
        return
    table = make_table("subject", "name", "account", "seen", "issuer")
    for known in found:
        seen = show_moment(known.seen_at) if known.name else "not yet"
        table.add_row(known.subject, known.name, known.account, seen, known.issuer)
    show_table(table)


@app.command()
def admit(
    name: NameArgument,
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="Who it is at the provider: `sub`.", show_default=False)
    ],
    data: DataOption = None,
) -> None:
    """Let somebody of the identity provider into an account that is there, from the next sign-in on.

    The provider's `sub` never changes and is nobody else's, as a name or an e-mail address may be; it is in `accounts
    identities` once they have been here. What they had before, tasks and credits, stays in the account that it is in.

    Example: bodydouble accounts admit studio 7c1e5a52-2f0e-4b67-9d5e-0c1f6f8f2a11
    """
    from bodydouble.cli.installation import AdminServices, operate

    issuer = load_settings(data=data).oidc_issuer
    if not issuer:
        fail("no identity provider is set: BODYDOUBLE_OIDC_ISSUER", EXIT_USAGE)

    async def let_in(admin: AdminServices) -> Account:
        account = await admin.operation.account(name)
        await admin.identities.admit(issuer, subject, account.id)
        return account

    err.print(f"{subject} of {issuer} comes into {operate(data, let_in).name} from the next sign-in on.", markup=False)


@app.command()
def disable(name: NameArgument, data: DataOption = None) -> None:
    """Refuse all keys of an account. Its tasks under way go on.

    Example: bodydouble accounts disable studio
    """
    _switch(name, data, disabled=True)


@app.command()
def enable(name: NameArgument, data: DataOption = None) -> None:
    """Take an account's keys again.

    Example: bodydouble accounts enable studio
    """
    _switch(name, data, disabled=False)


def _switch(name: str, data: DataOption, *, disabled: bool) -> None:
    from bodydouble.cli.installation import AdminServices, operate

    async def switch(admin: AdminServices) -> Account:
        known = await admin.operation.account(name)
        return await admin.operation.set_limits(
            name, creates_per_minute=known.creates_per_minute, active_max=known.active_max, disabled=disabled
        )

    account = operate(data, switch)
    err.print(f"Account {account.name} is {'disabled' if account.disabled else 'on'}.")


def _limit(text: str | None, option: str) -> int | None:
    if text is None or text == "default":
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        fail(f"{option}: {text} is neither a number above 0 nor `default`", EXIT_USAGE)
    return int(text)


def _say(account: Account) -> None:
    err.print(f"{account.name}: {show_amount(account.balance)} credits available")

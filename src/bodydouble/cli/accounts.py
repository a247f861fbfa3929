"""``accounts``: create accounts, grant credits, set limits, and manage sign-in."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from bodydouble.cli.completion import complete_account, complete_label
from bodydouble.cli.options import DataOption, JsonOption
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import EXIT_USAGE, err, fail, make_table, show_table, warn
from bodydouble.cli.values import parse_amount, print_json, show_amount, show_moment
from bodydouble.tasks.account import Account
from bodydouble.tasks.identity import KnownIdentity

app = typer.Typer(help="Manage accounts, their credits and limits.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", autocompletion=complete_account, show_default=False)]


@app.callback()
def accounts() -> None:
    """Manage accounts, their credits and limits."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="ACCOUNT", show_default=False)],
    credits_granted: Annotated[str, typer.Option("--credits", metavar="N", help="Credits to grant.")] = "0",
    data: DataOption = None,
) -> None:
    """Create an account. An existing account only gets the credits.

    Example: bodydouble accounts create studio --credits 500
    """
    from bodydouble.cli.installation import AdminServices, operate

    amount = parse_amount(credits_granted, "--credits")

    async def open_account(admin: AdminServices) -> Account:
        return await admin.accounts.open_account(name, amount, "granted at the start")

    _show_balance(operate(data, open_account))


@app.command("ls", hidden=True)
@app.command("list")
def list_accounts(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List accounts with credits, tasks and limits.

    Example: bodydouble accounts list --json
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def query(admin: AdminServices) -> list[Account]:
        return await admin.operation.accounts()

    found = operate(data, query)
    if as_json:
        print_json(found)
        return
    table = make_table("account", "available", "reserved", "active", "creates/min", "tasks at once", "label", "state")
    for account in found:
        limits = (account.creates_per_minute, account.active_max)
        table.add_row(
            escape(account.name),
            show_amount(account.balance),
            show_amount(account.reserved),
            str(account.active),
            *("default" if limit is None else str(limit) for limit in limits),
            account.label,
            "[red]disabled[/]" if account.disabled else "[green]enabled[/]",
        )
    show_table(table)


@app.command(context_settings={"ignore_unknown_options": True})
def grant(
    name: NameArgument,
    amount: Annotated[
        str, typer.Argument(metavar="CREDITS", help="Negative amounts are taken back.", show_default=False)
    ],
    memo: Annotated[str, typer.Option(help="Reason, stored in the ledger.")] = "",
    data: DataOption = None,
) -> None:
    """Grant credits to an account, or take back credits that are neither spent nor reserved.

    Examples:

      bodydouble accounts grant studio 1000 --memo "invoice 2026-17"

      bodydouble accounts grant studio -12.5
    """
    from bodydouble.cli.installation import AdminServices, operate

    credits_moved = parse_amount(amount, "CREDITS", negative=True)

    async def grant_credits(admin: AdminServices) -> Account:
        return await admin.operation.grant(name, credits_moved, memo)

    _show_balance(operate(data, grant_credits))


@app.command()
def limits(
    name: NameArgument,
    creates_per_minute: Annotated[
        str | None, typer.Option(metavar="N|default", help="Tasks that the account may create per minute.")
    ] = None,
    active_max: Annotated[
        str | None, typer.Option("--tasks-at-once", metavar="N|default", help="Tasks that may wait or run at once.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Set an account's limits; `default` restores the installation's. Applies from the next request.

    Example: bodydouble accounts limits studio --creates-per-minute 600 --tasks-at-once 500
    """
    from bodydouble.cli.installation import AdminServices, operate

    if creates_per_minute is None and active_max is None:
        fail("nothing to set; give --creates-per-minute or --tasks-at-once", EXIT_USAGE)
    rate = _limit(creates_per_minute, "--creates-per-minute")
    room = _limit(active_max, "--tasks-at-once")

    async def set_limits(admin: AdminServices) -> Account:
        known = await admin.operation.account(name)
        return await admin.operation.set_limits(
            name,
            creates_per_minute=known.creates_per_minute if creates_per_minute is None else rate,
            active_max=known.active_max if active_max is None else room,
            disabled=known.disabled,
        )

    account = operate(data, set_limits)
    shown = ("default" if n is None else str(n) for n in (account.creates_per_minute, account.active_max))
    err.print("{}: {} creates per minute, {} tasks at once".format(account.name, *shown), markup=False)


@app.command(name="label")
def set_label(
    name: NameArgument,
    value: Annotated[
        str, typer.Argument(metavar="none|eu|china|both", autocompletion=complete_label, show_default=False)
    ],
    data: DataOption = None,
) -> None:
    """Set the visible label of an account's results, besides the installation's. Applies to tasks created from now on.

    A task can add a label, and cannot remove this one.

    Example: bodydouble accounts label studio eu
    """
    from bodydouble.cli.installation import AdminServices, operate
    from bodydouble.renderers.shot_inputs import LABELS

    if value not in LABELS:
        fail(f"{value}: not a label; use one of {', '.join(LABELS)}", EXIT_USAGE)

    async def store(admin: AdminServices) -> Account:
        return await admin.operation.set_label(name, value)

    account = operate(data, store)
    err.print(f"{account.name}: visible label {account.label} on results of new tasks", markup=False)


@app.command()
def link(
    name: NameArgument,
    operator: Annotated[bool, typer.Option("--operator", help="With the rights of an operator.")] = False,
    data: DataOption = None,
) -> None:
    """Print a link that signs in to the console once, within an hour. Uses the running service's address.

    Examples:

      bodydouble accounts link studio

      bodydouble accounts link default --operator
    """
    from bodydouble.cli.installation import AdminServices, find_installation, run_operation
    from bodydouble.cli.running_services import service_of
    from bodydouble.service import sign_in_url
    from bodydouble.tasks.session import SessionRole

    async def make_token(admin: AdminServices) -> str:
        return await admin.sessions.make_link_token(name, SessionRole.OPERATOR if operator else SessionRole.USER)

    settings = find_installation(data)
    token = run_operation(settings, make_token)
    service = service_of(settings.data)
    if service is None and not settings.public_url:
        warn(f"no service is running here; the link works once `bodydouble serve` listens on {settings.base_url}")
    typer.echo(sign_in_url(service.base_url if service else settings.base_url, token))


@app.command()
def identities(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List users of the identity provider and their accounts.

    Example: bodydouble accounts identities
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def query(admin: AdminServices) -> Sequence[KnownIdentity]:
        return await admin.identities.list()

    found = operate(data, query)
    if as_json:
        print_json(found)
        return
    table = make_table("subject", "name", "account", "last sign-in", "issuer")
    for known in found:
        seen = show_moment(known.seen_at) if known.name else "not yet"
        cells = (known.subject, known.name, known.account, seen, known.issuer)
        table.add_row(*(escape(cell) for cell in cells))
    show_table(table)


@app.command()
def admit(
    name: NameArgument,
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="The user's `sub` claim at the provider.", show_default=False)
    ],
    data: DataOption = None,
) -> None:
    """Let a user of the identity provider sign in to an existing account, from the next sign-in.

    The `sub` claim identifies a user permanently; names and e-mail addresses may change. `accounts identities` shows it
    after the user's first sign-in. Tasks and credits of the user's previous account stay there.

    Example: bodydouble accounts admit studio 7c1e5a52-2f0e-4b67-9d5e-0c1f6f8f2a11
    """
    from bodydouble.cli.installation import AdminServices, operate

    issuer = load_settings(data=data).oidc_issuer
    if not issuer:
        fail("no identity provider is configured; set BODYDOUBLE_OIDC_ISSUER", EXIT_USAGE)

    async def admit_user(admin: AdminServices) -> Account:
        account = await admin.operation.account(name)
        await admin.identities.admit(issuer, subject, account.id)
        return account

    account = operate(data, admit_user)
    err.print(f"{subject} of {issuer} signs in to {account.name} from the next sign-in.", markup=False)


@app.command()
def disable(name: NameArgument, data: DataOption = None) -> None:
    """Refuse all keys of an account. Its running tasks continue.

    Example: bodydouble accounts disable studio
    """
    _switch(name, data, disabled=True)


@app.command()
def enable(name: NameArgument, data: DataOption = None) -> None:
    """Accept an account's keys again.

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
    err.print(f"Account {account.name} is {'disabled' if account.disabled else 'enabled'}.", markup=False)


def _limit(text: str | None, option: str) -> int | None:
    if text is None or text == "default":
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        fail(f"{option}: {text} is neither a number above 0 nor `default`", EXIT_USAGE)
    return int(text)


def _show_balance(account: Account) -> None:
    err.print(f"{account.name}: {show_amount(account.balance)} credits available", markup=False)

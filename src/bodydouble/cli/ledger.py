"""``ledger``: show transfers of credits, and check balances against them."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bodydouble.cli.accounts import NameArgument
from bodydouble.cli.options import DataOption, JsonOption
from bodydouble.cli.terminal import EXIT_FAILED, make_table, out, show_table
from bodydouble.cli.values import print_json, show_amount, show_moment
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.credits import LedgerDifference, LedgerEntry

app = typer.Typer(help="Show and check transfers of credits.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Show and check transfers of credits."""


@app.command()
def check(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Compare balances, reservations and charges with the ledger. The exit status is 1 if anything differs.

    Example: bodydouble ledger check && echo consistent
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def query(admin: AdminServices) -> tuple[list[LedgerDifference], dict[AccountId, str]]:
        return await admin.operation.ledger_differences(), await admin.operation.account_names()

    found, names = operate(data, query)
    if as_json:
        print_json({"accounts": len(names), "differences": found})
    elif found:
        table = make_table("account", "task", "amount", "stored", "by the ledger")
        for difference in found:
            task = str(difference.task) if difference.task else ""
            amounts = (show_amount(difference.stored), show_amount(difference.by_ledger))
            table.add_row(escape(names[difference.account]), task, difference.what, *amounts)
        show_table(table)
    else:
        out.print(f"All amounts agree with the ledger ({len(names)} account{'' if len(names) == 1 else 's'}).")
    if found:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def show(
    name: NameArgument,
    limit: Annotated[int, typer.Option(help="Number of transfers.", min=1, max=10_000)] = 50,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List an account's transfers, newest first.

    Example: bodydouble ledger show studio --limit 20
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def query(admin: AdminServices) -> list[LedgerEntry]:
        return await admin.operation.ledger(name, limit)

    found = operate(data, query)
    if as_json:
        print_json(found)
    else:
        show_table(ledger_table(found))


def ledger_table(entries: Sequence[LedgerEntry]) -> Table:
    """A table with one transfer a row."""
    table = make_table("when", "kind", "credits", "task", "memo")
    for entry in entries:
        task = str(entry.task) if entry.task else ""
        table.add_row(
            show_moment(entry.created_at), entry.kind.value, show_amount(entry.amount), task, escape(entry.memo)
        )
    return table

"""``ledger``: where every credit went, and whether all agrees with it."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from bodydouble.cli.accounts import NameArgument
from bodydouble.cli.keys import JsonOption
from bodydouble.cli.serve import DataOption
from bodydouble.cli.terminal import EXIT_FAILED, make_table, out, show_table
from bodydouble.cli.values import print_json, show_amount, show_moment
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.credits import LedgerDifference, LedgerEntry

app = typer.Typer(help="Where every credit went.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Where every credit went."""


@app.command()
def check(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Compare balances, reservations and charges with the ledger. Ends with 1 where anything differs.

    Example: bodydouble ledger check && echo all is well
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def look(admin: AdminServices) -> tuple[list[LedgerDifference], dict[AccountId, str]]:
        return await admin.operation.ledger_differences(), await admin.operation.account_names()

    found, names = operate(data, look)
    if as_json:
        print_json({"accounts": len(names), "differences": found})
    elif found:
        table = make_table("account", "task", "what", "stored", "by the ledger")
        for difference in found:
            task = str(difference.task) if difference.task else ""
            amounts = (show_amount(difference.stored), show_amount(difference.by_ledger))
            table.add_row(names[difference.account], task, difference.what, *amounts)
        show_table(table)
    else:
        out.print(f"Everything agrees with the ledger ({len(names)} account{'' if len(names) == 1 else 's'}).")
    if found:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def show(
    name: NameArgument,
    limit: Annotated[int, typer.Option(help="So many transfers, the newest.", min=1, max=10_000)] = 50,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """An account's transfers, newest first.

    Example: bodydouble ledger show studio --limit 20
    """
    from bodydouble.cli.installation import AdminServices, operate

    async def look(admin: AdminServices) -> list[LedgerEntry]:
        return await admin.operation.ledger(name, limit)

    found = operate(data, look)
    if as_json:
        print_json(found)
    else:
        show_table(ledger_table(found))


def ledger_table(entries: Sequence[LedgerEntry]) -> Table:
    """Transfers, one a line."""
    table = make_table("when", "kind", "credits", "task", "memo")
    for entry in entries:
        task = str(entry.task) if entry.task else ""
        table.add_row(show_moment(entry.created_at), entry.kind.value, show_amount(entry.amount), task, entry.memo)
    return table

"""The page of credits: balance, usage by day and model, ledger."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from bodydouble.console.authentication import ConsoleDep, SignedInUser, UserDep
from bodydouble.console.dependencies import Console
from bodydouble.console.formatting import TRANSFERS, credits_text
from bodydouble.console.pages import PageRoute, render
from bodydouble.console.usage_chart import draw_usage
from bodydouble.tasks.credits import LedgerEntry, TransferKind

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LEDGER_ROWS, CSV_ROWS = 25, 500
RANGES = (7, 30, 90)


@router.get("/credits")
async def credits_page(
    request: Request,
    console: ConsoleDep,
    user: UserDep,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    """Show available and reserved credits, usage and the ledger."""
    usage = await console.accounts.usage(user.caller, days)
    ledger = await console.accounts.ledger(user.caller, cursor, LEDGER_ROWS)
    totals: dict[str, list[int]] = {}
    for entry in usage:
        counts = totals.setdefault(entry.model, [0, 0])
        counts[0] += entry.succeeded
        counts[1] += entry.failed
    return render(
        request,
        "credits.html",
        user,
        chart=draw_usage(usage, datetime.now(UTC).date(), days),
        usage=usage,
        totals=totals,
        days=days,
        ranges=RANGES,
        ledger=ledger,
        groups=group_by_task(ledger.entries),
        cursor=cursor,
        transfers=TRANSFERS,
    )


@dataclass(frozen=True, kw_only=True)
class TransferGroup:
    """Transfers of one task, or one transfer without a task."""

    entries: Sequence[LedgerEntry]  # newest first

    @property
    def word(self) -> str:
        """The newest transfer in a word or two, such as the outcome of a task."""
        return TRANSFERS[self.entries[0].kind][0]

    @property
    def change(self) -> Decimal:
        """The effect of all transfers on the balance."""
        return sum((entry.amount * TRANSFERS[entry.kind][1] for entry in self.entries), Decimal(0))

    @property
    def steps(self) -> str:
        """Every transfer, oldest first: ``reserved 62.5, released 32.5, charged 30``."""
        steps = [f"{TRANSFERS[e.kind][0].lower()} {credits_text(e.amount)}" for e in reversed(self.entries)]
        return ", ".join(steps)


def group_by_task(entries: Sequence[LedgerEntry]) -> list[TransferGroup]:
    """The transfers of each task together, in the order of each group's newest transfer.

    A charge is stored beside the release of what was reserved too much, so it counts as the newest of its moment.
    """
    groups: dict[object, list[LedgerEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.task or entry.id, []).append(entry)
    is_charge = TransferKind.CHARGE
    return [TransferGroup(entries=sorted(g, key=lambda e: e.kind is not is_charge)) for g in groups.values()]


@router.get("/credits.csv")
async def ledger_csv(console: ConsoleDep, user: UserDep) -> Response:
    """Stream the whole ledger as CSV, newest first."""
    return StreamingResponse(
        _rows(console, user),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="bodydouble-ledger.csv"'},
    )


async def _rows(console: Console, user: SignedInUser) -> AsyncGenerator[str, None]:
    yield "time,kind,amount,balance_change,task_id,memo\r\n"
    cursor: str | None = None
    while True:
        page = await console.accounts.ledger(user.caller, cursor, CSV_ROWS)
        text = io.StringIO()
        writer = csv.writer(text)
        for entry in page.entries:
            change = entry.amount * TRANSFERS[entry.kind][1]
            memo = entry.memo
            if memo.startswith(("=", "+", "-", "@", "\t")):  # a spreadsheet would evaluate it
                memo = "'" + memo
            writer.writerow(
                [
                    entry.created_at.astimezone(UTC).isoformat(timespec="seconds"),
                    entry.kind.value,
                    credits_text(entry.amount).replace(",", ""),
                    credits_text(change).replace(",", ""),
                    entry.task or "",
                    memo,
                ]
            )
        yield text.getvalue()
        cursor = page.next_cursor
        if cursor is None:
            return

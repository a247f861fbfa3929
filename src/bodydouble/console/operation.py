"""For operators: workers, the queue, failures, accounts, and what is switched off."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.console.pages import PageRoute, redirect, render
from bodydouble.console.visitors import ConsoleDep, FormDep, OperatorDep, Visitor
from bodydouble.console.wiring import Console
from bodydouble.service import sign_in_url
from bodydouble.service.operation import SWITCHES
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.operation import MAINTENANCE
from bodydouble.tasks.session import Role

router = APIRouter(route_class=PageRoute, prefix="/operator", include_in_schema=False)

FAILURE_DAYS = 7
RETRY_SECONDS = 300


@router.get("")
async def operator_page(request: Request, console: ConsoleDep, who: OperatorDep) -> Response:
    """The installation at a glance."""
    return await _page(request, console, who)


async def _page(request: Request, console: Console, who: Visitor, link: str = "", link_for: str = "") -> Response:
    operation = console.operation
    off = {switch.name: switch for switch in await operation.switched_off()}
    executors = [(executor, operation.is_alive(executor)) for executor in await operation.executors()]
    return render(
        request,
        "operator.html",
        who,
        state=await operation.queue_state(),
        executors=sorted(executors, key=lambda pair: not pair[1]),
        now=datetime.now(UTC),
        failures=await operation.failures(FAILURE_DAYS),
        failure_days=FAILURE_DAYS,
        accounts=await operation.accounts(),
        maintenance=off.get(MAINTENANCE),
        switches=[(name, off.get(name)) for name in SWITCHES if name != MAINTENANCE],
        link=link,
        link_for=link_for,
        link_minutes=round(console.sessions.limits.link_seconds / 60),
    )


@router.post("/switch")
async def switch(request: Request, console: ConsoleDep, who: OperatorDep, form: FormDep) -> Response:
    """Take new work of a name, or none."""
    name, off = form.get("name", ""), form.get("to") == "off"
    if off:
        await console.operation.switch_off(name, form.get("message", ""), RETRY_SECONDS)
    else:
        await console.operation.switch_on(name)
    what = "Maintenance" if name == MAINTENANCE else name
    if name == MAINTENANCE:
        return redirect(request, "/operator", f"{what} is {'on: new work is refused' if off else 'over'}.")
    return redirect(request, "/operator", f"{what} is switched {'off' if off else 'on'}.")


@router.post("/accounts")
async def open_account(request: Request, console: ConsoleDep, who: OperatorDep, form: FormDep) -> Response:
    """A new account with credits."""
    name = form.get("name", "")
    await console.accounts.open_account(name, _amount(form.get("amount") or "0"), f"granted by {who.account.name}")
    return redirect(request, "/operator#accounts", f"The account {name} is there.")


@router.post("/accounts/grant")
async def grant(request: Request, console: ConsoleDep, who: OperatorDep, form: FormDep) -> Response:
    """Give credits, or take back."""
    memo = form.get("memo") or f"granted by {who.account.name}"
    account = await console.operation.grant(form.get("name", ""), _amount(form.get("amount", "")), memo)
    return redirect(request, "/operator#accounts", f"{account.name} has {account.balance.normalize():f} credits now.")


@router.post("/accounts/disable")
async def disable(request: Request, console: ConsoleDep, who: OperatorDep, form: FormDep) -> Response:
    """Refuse all keys and sessions of an account, or take them again."""
    account = await console.operation.account(form.get("name", ""))
    off = form.get("to") == "off"
    if off and account.id == who.account.id:
        raise InvalidParams(["This is the account that you are signed in for; another operator can disable it"])
    await console.operation.set_limits(
        account.name, creates_per_minute=account.creates_per_minute, active_max=account.active_max, disabled=off
    )
    return redirect(request, "/operator#accounts", f"{account.name} is {'disabled' if off else 'enabled'}.")


@router.post("/accounts/link")
async def make_link(request: Request, console: ConsoleDep, who: OperatorDep, form: FormDep) -> Response:
    """A link that signs somebody in once; this answer is the only one that shows it."""
    name, role = form.get("name", ""), form.get("role", "user")
    if role not in set(Role):
        raise InvalidParams(["role: is user or operator"])
    token = await console.sessions.make_link_token(name, Role(role))
    return await _page(request, console, who, link=sign_in_url(console.base_url, token), link_for=name)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise InvalidParams([f"amount: {text or 'nothing'} is no number"]) from None
    if not amount.is_finite() or abs(amount) >= 10**12 or amount != round(amount, 4):
        raise InvalidParams(["amount: at most 12 digits before the point and 4 behind it"])
    return amount

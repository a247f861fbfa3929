"""The operator page: workers, queue, failures, accounts, feature switches."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.console.authentication import ConsoleDep, FormDep, OperatorDep, SignedInUser
from bodydouble.console.dependencies import Console
from bodydouble.console.pages import PageRoute, redirect, render
from bodydouble.renderers.shot_inputs import LABELS
from bodydouble.service import sign_in_url
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.operation import MAINTENANCE
from bodydouble.tasks.session import SessionRole

router = APIRouter(route_class=PageRoute, prefix="/operator", include_in_schema=False)

FAILURE_DAYS = 7
"""Period of the table of failures."""
RETRY_SECONDS = 300
"""``Retry-After`` of a feature that is switched off on this page."""


@router.get("")
async def operator_page(request: Request, console: ConsoleDep, user: OperatorDep) -> Response:
    """Show the state of the installation."""
    return await _page(request, console, user)


async def _page(request: Request, console: Console, user: SignedInUser, link: str = "", link_for: str = "") -> Response:
    operation = console.operation
    off = {switch.name: switch for switch in await operation.switched_off()}
    executors = [(executor, operation.is_alive(executor)) for executor in await operation.executors()]
    return render(
        request,
        "operator.html",
        user,
        state=await operation.queue_state(),
        executors=sorted(executors, key=lambda pair: not pair[1]),
        now=datetime.now(UTC),
        failures=await operation.failures(FAILURE_DAYS),
        failure_days=FAILURE_DAYS,
        accounts=await operation.accounts(),
        labels=LABELS,
        maintenance=off.get(MAINTENANCE),
        switches=[(name, off.get(name)) for name in operation.switchable if name != MAINTENANCE],
        link=link,
        link_for=link_for,
        link_minutes=round(console.sessions.limits.link_seconds / 60),
    )


@router.post("/switch")
async def switch(request: Request, console: ConsoleDep, user: OperatorDep, form: FormDep) -> Response:
    """Switch a feature or maintenance on or off."""
    name, off = form.get("name", ""), form.get("to") == "off"
    if off:
        await console.operation.switch_off(name, form.get("message", ""), RETRY_SECONDS)
    else:
        await console.operation.switch_on(name)
    if name == MAINTENANCE:
        return redirect(request, "/operator", f"Maintenance is {'on: new tasks are rejected' if off else 'off'}.")
    return redirect(request, "/operator", f"{name} is switched {'off' if off else 'on'}.")


@router.post("/accounts")
async def open_account(request: Request, console: ConsoleDep, user: OperatorDep, form: FormDep) -> Response:
    """Open an account with credits."""
    name = form.get("name", "")
    await console.accounts.open_account(name, _amount(form.get("amount") or "0"), f"granted by {user.account.name}")
    return redirect(request, "/operator#accounts", f"Account {name} is open.")


@router.post("/accounts/grant")
async def grant(request: Request, console: ConsoleDep, user: OperatorDep, form: FormDep) -> Response:
    """Grant credits; a negative amount revokes them."""
    memo = form.get("memo") or f"granted by {user.account.name}"
    account = await console.operation.grant(form.get("name", ""), _amount(form.get("amount", "")), memo)
    return redirect(
        request, "/operator#accounts", f"{account.name} has {account.balance.normalize():f} credits available."
    )


@router.post("/accounts/label")
async def set_label(request: Request, console: ConsoleDep, user: OperatorDep, form: FormDep) -> Response:
    """Set the visible label on an account's results of new tasks."""
    label = form.get("label", "")
    if label not in LABELS:
        raise InvalidParams([f"label: must be one of {', '.join(LABELS)}"])
    account = await console.operation.set_label(form.get("name", ""), label)
    return redirect(request, "/operator#accounts", f"New tasks of {account.name} get the label {account.label}.")


@router.post("/accounts/disable")
async def disable(request: Request, console: ConsoleDep, user: OperatorDep, form: FormDep) -> Response:
    """Disable or enable an account with all its keys and sessions."""
    account = await console.operation.account(form.get("name", ""))
    off = form.get("to") == "off"
    if off and account.id == user.account.id:
        raise InvalidParams(["You are signed in with this account; another operator can disable it"])
    await console.operation.set_limits(
        account.name, creates_per_minute=account.creates_per_minute, active_max=account.active_max, disabled=off
    )
    return redirect(request, "/operator#accounts", f"{account.name} is {'disabled' if off else 'enabled'}.")


@router.post("/accounts/link")
async def make_link(request: Request, console: ConsoleDep, user: OperatorDep, form: FormDep) -> Response:
    """Create a sign-in link that works once, and show it once."""
    name, role = form.get("name", ""), form.get("role", "user")
    if role not in set(SessionRole):
        raise InvalidParams(["role: must be user or operator"])
    token = await console.sessions.make_link_token(name, SessionRole(role))
    return await _page(request, console, user, link=sign_in_url(console.base_url, token), link_for=name)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise InvalidParams([f"amount: {text or 'an empty text'} is not a number"]) from None
    if not amount.is_finite() or abs(amount) >= 10**12 or amount != round(amount, 4):
        raise InvalidParams(["amount: at most 12 digits before the decimal point and 4 after it"])
    return amount

"""What operators do on their page."""

from decimal import Decimal
from typing import Any

import pytest

from bodydouble.console import Console

pytestmark = pytest.mark.anyio


async def test_operators_switch_maintenance_grant_and_open_accounts(operator: Any, console: Console) -> None:
    """The actions take effect immediately for all users."""
    await operator.post("/operator/switch", name="maintenance", to="off", message="Back at noon")
    assert "Back at noon" in (await operator.get("/operator")).text
    assert "Back at noon" in (await operator.get("/models")).text
    await operator.post("/operator/switch", name="maintenance", to="on")
    assert await console.operation.switched_off() == []
    await operator.post("/operator/accounts", name="north", amount="20")
    await operator.post("/operator/accounts/grant", name="north", amount="-5.5")
    north = await console.operation.account("north")
    assert north.balance == Decimal("14.5")
    page = (await operator.post("/operator/accounts/link", name="north")).text
    token = page.split("sign-in?link=")[1][:43]
    assert (await console.sessions.session(await console.sessions.sign_in(token))).account.name == "north"
    await operator.post("/operator/accounts/disable", name="north", to="off")
    assert (await console.operation.account("north")).disabled


async def test_operators_set_the_visible_label_of_an_account(operator: Any, console: Console) -> None:
    """The page shows the label of each account; a label that does not exist is rejected."""
    await operator.post("/operator/accounts", name="north", amount="0")
    assert 'value="eu" selected' not in (await operator.get("/operator")).text
    await operator.post("/operator/accounts/label", name="north", label="eu")
    assert (await console.operation.account("north")).label == "eu"
    assert (await operator.get("/operator")).text.count('value="eu" selected') == 1
    await operator.post("/operator/accounts/label", name="north", label="blue")
    assert "label: must be one of none, eu, china, both" in (await operator.get("/operator")).text

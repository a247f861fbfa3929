"""The API reference in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from live_service import API, LiveService

pytestmark = pytest.mark.acceptance
BALANCE = f"{API}account/balance"


def test_the_reference_sends_a_request_with_a_key(page: Page, live: LiveService) -> None:
    """Under its policy the viewer shows our samples, and a request sent from it with a key gets the balance."""
    page.goto(f"{live.url}/docs#tag/credits/GET{BALANCE}")
    page.get_by_role("button", name=f"(get {BALANCE})").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[placeholder^=QUx]").fill(live.key)
    with page.expect_response(re.compile("balance")) as answer:
        dialog.get_by_role("button", name="Send get request").click()
    assert answer.value.json()["data"]["balance"] >= 0
    page.keyboard.press("Escape")
    expect(page.get_by_text("Client Libraries")).not_to_be_visible()

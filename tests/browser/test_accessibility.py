"""No page of the console has a barrier: axe, a phone's screen, and the keyboard."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from live_service import LiveService
from page_watch import barriers

pytestmark = pytest.mark.acceptance
LAYOUT_SHIFT = """new Promise(tell => new PerformanceObserver(list =>
    tell(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))
  ).observe({type: "layout-shift", buffered: true}) ?? setTimeout(tell, 300, 0))"""
"""Limit of the cumulative layout shift; web.dev calls 0.1 good."""


PAGES = (
    "/",
    "/tasks",
    "/tasks?q=nothing",
    "/keys",
    "/webhooks",
    "/credits",
    "/verify",
    "/models",
    "/models/wan/2-2-animate-replace",
    "/models/wan/2-2-animate-move",
    "/operator",
)


def test_no_page_has_a_barrier(page: Page, live: LiveService) -> None:
    """axe finds no violation in either theme, the layout is stable, and no page is wider than a phone's screen."""
    task = live.create("https://example.com/a.png", "https://example.com/b.mp4")["data"]["task_id"]
    live.call("POST", "job/CancelTask", params={"task_id": task})
    live.wait(task)  # its pages change no more, and later tests see none of its credits come back
    for path in (*PAGES, f"/tasks/{task}"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{live.url}{path}")
        assert page.evaluate(LAYOUT_SHIFT) < 0.1, path
        assert barriers(page) == [], path
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_no_page_that_refuses_has_a_barrier(
    stranger: BrowserContext, signed_in: BrowserContext, live: LiveService
) -> None:
    """axe finds no violation on the sign-in page, after a used link, and on the page for status 404, on a phone."""
    for context, path in ((stranger, "/sign-in"), (stranger, "/sign-in?link=used"), (signed_in, "/no/such/page")):
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{live.url}{path}")
        assert barriers(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.close()


def test_the_playground_works_by_keyboard(page: Page, live: LiveService) -> None:
    """The first Tab key skips the menu, every control can be focused, and missing inputs are announced."""
    page.goto(f"{live.url}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))
    assert {"resolution", "keep_audio", "Run"} <= set(reached)
    page.get_by_role("button", name="Run", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Choose a picture of the character first")

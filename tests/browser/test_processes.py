"""Several API processes behind one address."""

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from live_service import LiveService
from page_watch import Watch
from proxies import RoundRobinProxy, running_proxy

pytestmark = pytest.mark.acceptance


def test_clicks_may_go_to_any_process(signed_in: BrowserContext, live: LiveService) -> None:
    """A user whose requests alternate between two processes notices no difference."""
    secret = (live.folder / "secret").read_text().strip()
    second = LiveService().start(
        "--no-worker",
        DATABASE_URL=live.database_url,
        BODYDOUBLE_SECRET=secret,
        BODYDOUBLE_FILES=str(live.folder / "files"),
    )
    front = RoundRobinProxy([live.port, second.port])
    page, watch = signed_in.new_page(), Watch(front.url)
    watch.over(page)
    try:
        with running_proxy(front):
            _click_about(page, front, [live, second])
    finally:
        page.close()
        second.stop()
        second.remove()
    assert watch.faults == []
    assert min(front.counts.values()) >= 5


def _click_about(page: Page, front: RoundRobinProxy, services: list[LiveService]) -> None:
    page.goto(f"{front.url}/keys")
    page.get_by_label("Name").fill("made by either")
    page.get_by_role("button", name="Create key").click()
    key = page.locator(".secret code").first.inner_text()
    row = page.get_by_role("row").filter(has_text="made by either")
    for _ in range(4):
        page.goto(f"{front.url}/keys")
        expect(row).to_contain_text("Active")
    row.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("status").filter(has_text="is disabled")).to_be_visible()
    for service in services:
        headers = {"x-api-key": key}
        answer = httpx.get(f"{service.url}/api/v1/client/account/balance", headers=headers, timeout=30)
        assert answer.json()["code"] == 403
    page.goto(f"{front.url}/tasks")
    expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_visible()

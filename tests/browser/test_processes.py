"""Several API processes behind one address."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import Browser, expect

from fronts import Alternation, standing
from live_service import LiveService
from page_watch import Watch

pytestmark = pytest.mark.acceptance


def test_clicks_may_go_to_any_process(browser: Browser, fresh_database: str) -> None:
    """Every request of one user goes to the other process than the one before: nothing shows it."""
    services = [LiveService(), LiveService()]
    front = Alternation([service.port for service in services])
    settings = {"DATABASE_URL": fresh_database, "BODYDOUBLE_SECRET": "s" * 32, "BODYDOUBLE_PUBLIC_URL": front.url}
    try:
        services[0].start("--no-worker", **settings)
        services[1].start("--no-worker", **settings)
        with standing(front):
            context = browser.new_context()
            page, watch = context.new_page(), Watch(front.url)
            watch.over(page)
            page.goto(services[1].sign_in)
            page.wait_for_url(front.url + "/")
            page.goto(f"{front.url}/keys")
            page.get_by_label("Name").fill("made by either")
            page.get_by_role("button", name="Create key").click()
            key = page.locator(".secret code").first.inner_text()
            for _ in range(4):
                page.goto(f"{front.url}/keys")
                expect(page.get_by_role("row").filter(has_text="made by either")).to_contain_text("Active")
            page.get_by_role("row").filter(has_text="made by either").get_by_role("button", name="Disable").click()
            expect(page.get_by_role("status").filter(has_text="is disabled")).to_be_visible()
            for service in services:
                headers = {"x-api-key": key}
                answer = httpx.get(f"{service.url}/api/v1/client/account/balance", headers=headers)
                assert answer.json()["code"] == 403
            page.get_by_role("button", name="Sign out").click()
            page.goto(f"{front.url}/tasks")
            expect(page).to_have_url(f"{front.url}/sign-in?next=/tasks")
            context.close()
        assert watch.faults == []
        assert min(front.counts.values()) >= 10
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(LiveService.stop, services))
        for service in services:
            service.remove()

"""Files given to the form: their uploads over an unreliable connection, their price, files that do not play."""

import os
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from live_service import LiveService
from proxies import DisconnectingProxy, running_proxy

pytestmark = pytest.mark.acceptance
SIZE = 12_000_000
LOST_MILLISECONDS_MAX = 120_000


def test_an_upload_goes_on_where_the_line_broke(signed_in: BrowserContext, live: LiveService, tmp_path: Path) -> None:
    """An interrupted upload reports the lost connection, then sends only the missing bytes and completes."""
    video = tmp_path / "large.mp4"
    video.write_bytes(os.urandom(SIZE))
    line = DisconnectingProxy(live.port, SIZE // 2)
    with running_proxy(line):
        page = signed_in.new_page()
        page.goto(line.url)
        drop = page.locator('[data-drop="video"]')
        most = 3 * LOST_MILLISECONDS_MAX
        with page.expect_request(lambda request: "/console/people?" in request.url, timeout=most) as looked:
            drop.locator("input").set_input_files(video)
            expect(drop).to_contain_text("Connection lost at", timeout=LOST_MILLISECONDS_MAX)
            line.mend()
            expect(drop).to_contain_text("large.mp4 · 12.0 MB", timeout=LOST_MILLISECONDS_MAX)
        sent = line.sent_bytes
        stored = httpx.get(httpx.URL(looked.value.url).params["video"], timeout=30)
        page.close()
    assert stored.content == video.read_bytes()
    assert sent < 1.25 * SIZE


def test_an_upload_that_cannot_succeed_is_not_tried_for_ever(
    signed_in: BrowserContext, live: LiveService, media: dict[str, Path]
) -> None:
    """A full service and a changed file are reported; the button tries again."""
    page = signed_in.new_page()
    page.goto(live.url)
    drop = page.locator('[data-drop="image"]')
    page.route(re.compile("/files/uploads/"), lambda route: route.fulfill(status=507))
    drop.locator("input").set_input_files(media["image"])
    expect(drop).to_contain_text("no storage space")
    page.unroute_all()
    page.evaluate("() => { Blob.prototype.arrayBuffer = () => Promise.reject(new Error('gone')); }")
    page.route(re.compile("/files/uploads/"), lambda route: route.abort())
    drop.get_by_role("button", name="Try again").click()
    expect(drop).to_contain_text("was changed")
    page.unroute_all()
    drop.get_by_role("button", name="Try again").click()
    expect(drop).to_contain_text("astronaut.png ·")
    page.close()


HOLD_UPLOADS = """() => {
    const real = window.fetch;
    window.fetch = (path, options) => String(path).startsWith("/console/uploads")
        ? new Promise(() => {}) : real(path, options);
}"""


def test_the_price_during_an_upload_is_that_of_the_whole_video(
    page: Page, live: LiveService, media: dict[str, Path]
) -> None:
    """The price per second becomes the price of the video's length at once, and says which it is."""
    page.goto(f"{live.url}/")
    expect(page.locator("[data-price-note]")).to_have_text("per second of video")
    expect(page.locator("[data-price]")).to_have_text("12.5 credits")
    page.evaluate(HOLD_UPLOADS)
    page.locator('[data-drop="video"] input').set_input_files(media["video"])
    expect(page.locator("[data-price-note]")).to_have_text("by its duration")
    expect(page.locator("[data-price]")).to_have_text("12.5 credits")


def test_a_file_that_the_browser_cannot_play_says_so(page: Page, live: LiveService, tmp_path: Path) -> None:
    """The note replaces the preview."""
    video = tmp_path / "other.mp4"
    video.write_bytes(b"none that a browser knows")
    page.goto(f"{live.url}/")
    page.evaluate("() => { window.fetch = () => new Promise(() => {}); }")
    page.locator('[data-drop="video"] input').set_input_files(video)
    expect(page.get_by_text("This browser cannot play the file")).to_be_visible()

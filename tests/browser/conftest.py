"""A real Chromium before a real service. Where there is no Chromium nothing here is collected."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from bodydouble.perception import ModelPack
from live_service import LiveService
from material import astronaut, carphone, write_image, write_video
from page_watch import Watch

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
STEP_MILLISECONDS_MAX = 120_000


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A portrait, and a second of two men side by side: the larger on the right."""
    folder = tmp_path_factory.mktemp("media")
    frames = []
    for right in carphone(25, 216):
        left = cv2.resize(right[:, ::-1], (198, 162))
        left = cv2.copyMakeBorder(left, 54, 0, 0, 0, cv2.BORDER_REPLICATE)
        frames.append(np.ascontiguousarray(np.hstack([left, right]), np.uint8))
    return {
        "image": write_image(folder / "astronaut.png", astronaut()),
        "video": write_video(folder / "two.mp4", frames, sound=True),
    }


@pytest.fixture(scope="session")
def live(model_pack: ModelPack) -> Iterator[LiveService]:
    """A service with a worker that may call back to this machine."""
    live = LiveService().start(BODYDOUBLE_OUTBOUND_ALLOW="127.0.0.0/8")
    yield live
    live.stop()
    live.remove()


@pytest.fixture(scope="module")
def playwright() -> Iterator["Playwright"]:
    """The driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: "Playwright") -> Iterator["Browser"]:
    """Debian's Chromium."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def signed_in(browser: "Browser", live: LiveService) -> "BrowserContext":
    """Signed in by the link that the service printed."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(STEP_MILLISECONDS_MAX)
    page = context.new_page()
    page.goto(live.sign_in)
    page.wait_for_url(live.url + "/")
    page.close()
    return context


@pytest.fixture
def page(signed_in: "BrowserContext", live: LiveService) -> Iterator["Page"]:
    """A tab of its own; nothing in it may go wrong, and it may ask nobody but the service."""
    page, watch = signed_in.new_page(), Watch(live.url)
    watch.over(page)
    yield page
    page.close()
    assert watch.faults == []

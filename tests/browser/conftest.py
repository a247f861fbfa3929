"""Fixtures of the browser tests: Chromium and a real service. Without Chromium, no test is collected."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bodydouble.perception import ModelPack
from live_service import LiveService
from material import astronaut, carphone, write_image, write_video
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, standing_provider
from page_watch import Watch

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

    STEP_MILLISECONDS_MAX = 120_000  # bounds what hangs; a slow or busy machine is no failure
    expect.set_options(timeout=STEP_MILLISECONDS_MAX)

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
RATE, SECONDS = 10, 1  # of the video: what is tried is the console, and each frame costs a second


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A portrait, and a second of two men side by side: the larger on the right."""
    folder = tmp_path_factory.mktemp("media")
    frames = []
    for right in carphone(RATE * SECONDS, 216):
        left = cv2.resize(right[:, ::-1], (198, 162))
        left = cv2.copyMakeBorder(left, 54, 0, 0, 0, cv2.BORDER_REPLICATE)
        frames.append(np.ascontiguousarray(np.hstack([left, right]), np.uint8))
    return {
        "image": write_image(folder / "astronaut.png", astronaut()),
        "video": write_video(folder / "two.mp4", frames, RATE, sound=True),
    }


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """An identity provider."""
    with standing_provider() as provider:
        yield provider


@pytest.fixture(scope="session")
def live(model_pack: ModelPack, provider: Provider) -> Iterator[LiveService]:
    """A service with a worker that may call back to this machine, and an identity provider."""
    live = LiveService().start(
        BODYDOUBLE_OUTBOUND_ALLOW="127.0.0.0/8",
        BODYDOUBLE_OIDC_ISSUER=provider.url,
        BODYDOUBLE_OIDC_CLIENT_ID=CLIENT_ID,
        BODYDOUBLE_OIDC_CLIENT_SECRET=CLIENT_SECRET,
        BODYDOUBLE_OIDC_NAME="the studio",
        BODYDOUBLE_OIDC_ALLOW="127.0.0.0/8",
    )
    yield live
    live.stop()
    live.remove()


@pytest.fixture(scope="module")
def playwright() -> Iterator["Playwright"]:
    """The driver."""
    with sync_playwright() as driver:  # pyright: ignore[reportPossiblyUnboundVariable]
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: "Playwright") -> Iterator["Browser"]:
    """Debian's Chromium."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def cookies() -> list[Any]:
    """Cookies of the first sign-in, kept because the printed link works only once."""
    return []


@pytest.fixture(scope="module")
def signed_in(browser: "Browser", live: LiveService, cookies: list[Any]) -> "BrowserContext":
    """A browser context, signed in with the printed link."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(STEP_MILLISECONDS_MAX)
    if cookies:
        context.add_cookies(cookies)
        return context
    page = context.new_page()
    page.goto(live.sign_in)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(live.url + "/")
    page.close()
    cookies += context.cookies()
    return context


@pytest.fixture
def stranger(browser: "Browser") -> Iterator["BrowserContext"]:
    """A browser context that is not signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(STEP_MILLISECONDS_MAX)
    yield context
    context.close()


@pytest.fixture
def page(signed_in: "BrowserContext", live: LiveService) -> Iterator["Page"]:
    """A new tab; errors in it, and requests to other hosts, fail the test."""
    page, watch = signed_in.new_page(), Watch(live.url)
    watch.over(page)
    yield page
    page.close()
    assert watch.faults == []

"""Pictures of every page, in both themes and three sizes: ``make screenshots``.

A service of its own runs real tasks, so that what is shown was made; only the earlier days of the usage chart are
made up. All pictures go to the first folder; those that the documentation shows go, smaller, to the second.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import psycopg
from playwright.sync_api import BrowserContext, Page, sync_playwright

from bodydouble.bootstrap.demo_material import fetch_sources, write_character, write_clip
from live_service import MODEL, LiveService

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
SIZES = {"wide": (1920, 1080), "desk": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
WAIT_MILLISECONDS_MAX = 600_000
SHOWN = (
    "task-desk-light",
    "task-side-by-side-desk-dark",
    "credits-desk-light",
    "task-phone-light",
    "tasks-phone-dark",
    "keys-phone-light",
)
SHOWN_SHARE = {"wide": 0.75, "desk": 0.75, "phone": 1.0}
PROVIDER = {
    "BODYDOUBLE_OIDC_ISSUER": "https://sign-in.example",
    "BODYDOUBLE_OIDC_CLIENT_ID": "bodydouble",
    "BODYDOUBLE_OIDC_NAME": "your studio account",
}
"""Not opened by any test; only its button is shown."""
EARLIER_DAYS = """
insert into usage_day (account_id, day, model, succeeded, failed, credits)
select a.id, current_date - n, %s, 3 + n %% 5, n %% 3, 30 + 12 * ((n * 7) %% 11)
from account as a, generate_series(1, 29) as n where a.name = 'default' and n %% 7 not in (2, 3)
"""


@dataclass(frozen=True, kw_only=True)
class View:
    """One page in one state: how to get there and what to do there before the picture."""

    path: str
    prepare: Callable[[Page], None] = field(default=lambda page: None)


def main(output: Path, documentation: Path) -> None:
    """Run the tasks, then visit every page."""
    output.mkdir(parents=True, exist_ok=True)
    live = LiveService().start(**PROVIDER)
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = browser.new_context()
            context.set_default_timeout(WAIT_MILLISECONDS_MAX)
            sign_in(context, live.sign_in)
            views = work(context, live, output)
            shoot(context, live.url, views, output)
            newcomer = browser.new_context()
            sign_in(newcomer, newcomer_link(live))
            shoot(newcomer, live.url, NEWCOMER, output)
            shoot(browser.new_context(), live.url, OUTSIDE, output)
            browser.close()
        shrink(output, documentation)
    finally:
        live.stop()
        live.remove()


def shrink(output: Path, documentation: Path) -> None:
    """Copies for the documentation, each below 150 kB or so."""
    for name in SHOWN:
        share = SHOWN_SHARE["phone" if "phone" in name else "desk"]
        whole = cv2.imread(str(output / f"{name}.jpg"))
        assert whole is not None
        size = round(whole.shape[1] * share), round(whole.shape[0] * share)
        picture = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(documentation / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 78])


def sign_in(context: BrowserContext, link: str) -> None:
    """Sign in with the link."""
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    page.close()


def newcomer_link(live: LiveService) -> str:
    """A sign-in link of an account without tasks."""
    command = [sys.executable, "-m", "bodydouble", "accounts"]
    data = ["--data", str(live.folder)]
    subprocess.run([*command, "create", "newcomer", *data], check=True, capture_output=True)
    made = subprocess.run([*command, "link", "newcomer", *data], check=True, capture_output=True, text=True)
    return f"{live.url}/sign-in?{made.stdout.strip().partition('?')[2]}"


def work(context: BrowserContext, live: LiveService, output: Path) -> Mapping[str, View]:
    """One replacement in the playground, one through the API, one that fails, one that is cancelled, one that waits."""
    image, video = live.folder / "astronaut.png", live.folder / "carphone.mp4"
    sources = fetch_sources()
    write_character(image, sources)
    write_clip(video, sources)
    with psycopg.connect(live.database_url, autocommit=True) as connection:
        connection.execute(EARLIER_DAYS.encode(), (MODEL,))
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live.url)
    while page.locator(".note.warn").is_visible():  # the worker starts after the pages
        page.wait_for_timeout(1000)
        page.reload()
    page.locator('[data-drop="image"] input').set_input_files(image)
    page.locator('[data-drop="video"] input').set_input_files(video)
    page.locator(".people button").first.wait_for()
    page.get_by_role("radio", name="480P").check()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_label("Preview of the result").wait_for()
    save(page, output, "playground-running")
    page.locator("video.final").wait_for()
    page.evaluate("document.querySelector('video.final').currentTime = 1.2")
    save(page, output, "playground")
    task = page.url.split("task=")[1]
    page.close()
    cancelled = live.create(live.upload(image), live.upload(video))["data"]["task_id"]
    live.call("POST", "job/CancelTask", params={"task_id": cancelled})
    failed = live.create("https://example.invalid/portrait.jpg", live.upload(video))["data"]["task_id"]
    live.wait(failed)
    live.wait(live.create(live.upload(image), live.upload(video))["data"]["task_id"])
    return {
        "playground-empty": View(path="/"),
        "playground-refused": View(path="/", prepare=_refused),
        "tasks": View(path="/tasks"),
        "tasks-none-fits": View(path="/tasks?status=running"),
        "task": View(path=f"/tasks/{task}", prepare=_at_a_moment),
        "task-side-by-side": View(path=f"/tasks/{task}", prepare=_side_by_side),
        "task-failed": View(path=f"/tasks/{failed}"),
        "task-cancelled": View(path=f"/tasks/{cancelled}"),
        "keys": View(path="/keys"),
        "keys-confirm": View(
            path="/keys", prepare=lambda page: page.get_by_role("button", name="Rotate").first.click()
        ),
        "webhooks": View(path="/webhooks"),
        "verify": View(path="/verify"),
        "credits": View(path="/credits"),
        "models": View(path="/models"),
        "model": View(path="/models/wan/2-2-animate-replace"),
        "operator": View(path="/operator"),
        "menu": View(path="/tasks", prepare=_open_menu),
        "keys-made": View(path="/keys", prepare=_make_key),
        "missing": View(path="/no/such/page"),
    }


NEWCOMER = {
    "tasks-empty": View(path="/tasks"),
    "keys-empty": View(path="/keys"),
    "credits-empty": View(path="/credits"),
    "forbidden": View(path="/operator"),
}
OUTSIDE = {"sign-in": View(path="/sign-in"), "sign-in-used": View(path="/sign-in?link=used")}


def _refused(page: Page) -> None:
    page.locator('[data-drop="image"] input').set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    page.get_by_role("button", name="Run", exact=True).click()


def _at_a_moment(page: Page) -> None:
    page.locator("video.final").wait_for()
    page.evaluate("document.querySelector('video.final').currentTime = 1.2")
    page.get_by_text("Contact sheet").click()
    page.locator("[data-sheet-save]").wait_for()


def _side_by_side(page: Page) -> None:
    page.locator("video.final").wait_for()
    page.evaluate("document.querySelector('video.final').currentTime = 2.4")
    page.get_by_role("radio", name="Side by side").check()
    page.get_by_text("Quality report").click()
    page.locator(".report > div").first.wait_for()


def _open_menu(page: Page) -> None:
    button = page.get_by_role("button", name="Menu")
    if button.is_visible():
        button.click()


def _make_key(page: Page) -> None:
    page.get_by_label("Name").fill("render farm")
    page.get_by_role("button", name="Create key").click()
    page.locator(".secret code").first.wait_for()


def shoot(context: BrowserContext, origin: str, views: Mapping[str, View], output: Path) -> None:
    """Every view once, then in every theme and size."""
    context.set_default_timeout(WAIT_MILLISECONDS_MAX)
    for name, view in views.items():
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(origin + view.path)
        view.prepare(page)
        save(page, output, name)
        page.close()


def save(page: Page, output: Path, name: str) -> None:
    """What is on the page now, in every theme and size."""
    for variant in _variants(page):
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=output / f"{name}-{variant}.jpg", full_page=True, type="jpeg", quality=84)


def _variants(page: Page) -> Iterator[str]:
    for size, (width, height) in SIZES.items():
        for theme in THEMES:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(250)
            yield f"{size}-{theme}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

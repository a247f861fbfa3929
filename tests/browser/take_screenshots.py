"""Pictures of every page, in both themes, on a phone and on a desk: ``make screenshots``.

A service of its own runs real tasks, so that what is shown was made. The pictures go to ``docs/screenshots``.
"""

import re
import sys
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bodydouble.cli.demo_material import write_character, write_clip
from live_service import LiveService

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
TASK_MILLISECONDS_MAX = 300_000


def main(output: Path) -> None:
    """Run the tasks, then visit every page."""
    output.mkdir(parents=True, exist_ok=True)
    live = LiveService().start()
    try:
        image, video = live.folder / "astronaut.png", live.folder / "carphone.mp4"
        write_character(image)
        write_clip(video)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = browser.new_context(viewport={"width": 1440, "height": 900}, device_scale_factor=1)
            page = context.new_page()
            page.goto(live.sign_in)
            page.wait_for_url(live.url + "/")
            task = _work(page, live, image, video, output)
            _visit(context, live, task, output)
            browser.close()
    finally:
        live.stop()
        live.remove()


def _work(page: Page, live: LiveService, image: Path, video: Path, output: Path) -> str:
    """One replacement in the playground, one through the API, one that fails, one that is cancelled."""
    _shoot(page, output, "playground-empty", f"{live.url}/")
    page.locator('[data-drop="image"] input').set_input_files(image)
    page.locator('[data-drop="video"] input').set_input_files(video)
    page.locator(".people button").first.wait_for(timeout=TASK_MILLISECONDS_MAX)
    page.get_by_role("radio", name="480P").check()
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator("[data-percent]", has_text=re.compile(r"^[5-9]\d %")).wait_for(timeout=TASK_MILLISECONDS_MAX)
    _save(page, output / "playground-running-desk-light.jpg")
    page.locator("video.final").wait_for(timeout=TASK_MILLISECONDS_MAX)
    page.evaluate("document.querySelector('video.final').currentTime = 1.2")
    page.get_by_text("Contact sheet").click()
    page.locator("[data-sheet-save]").wait_for()
    for theme in THEMES:
        for name, (width, height) in SIZES.items():
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            _save(page, output / f"playground-{name}-{theme}.jpg")
    task = page.url.split("task=")[1]
    cancelled = live.create(live.upload(image), live.upload(video))["data"]["task_id"]
    live.call("POST", "job/CancelTask", params={"task_id": cancelled})
    failed = live.create("https://example.invalid/portrait.jpg", live.upload(video))["data"]["task_id"]
    live.wait(failed)
    live.wait(live.create(live.upload(image), live.upload(video))["data"]["task_id"])
    return task


def _visit(context: BrowserContext, live: LiveService, task: str, output: Path) -> None:
    pages = {
        "tasks": "/tasks",
        "task": f"/tasks/{task}",
        "keys": "/keys",
        "credits": "/credits?days=7",
        "models": "/models",
        "model": "/models/wan/2-2-animate-replace",
        "operator": "/operator",
        "missing": "/no/such/page",
    }
    page = context.new_page()
    for name, path in pages.items():
        _shoot(page, output, name, f"{live.url}{path}")
    context.clear_cookies()
    _shoot(page, output, "sign-in", f"{live.url}/sign-in")


def _save(page: Page, path: Path) -> None:
    page.screenshot(path=path, full_page=True, type="jpeg", quality=84)


def _shoot(page: Page, output: Path, name: str, url: str) -> None:
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.goto(url)
            page.wait_for_load_state("networkidle")
            _save(page, output / f"{name}-{size}-{theme}.jpg")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The console in a browser, from the sign-in to the finished video."""

import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from clips import numbered, write_clip
from live_service import PERCEIVING, LiveService, free_port
from material import write_video
from oidc_provider import Provider
from page_watch import barriers

pytestmark = pytest.mark.acceptance
TASK_MILLISECONDS_MAX = 600_000
PREVIEW = "document.querySelector('video[aria-label=\"Preview of the result\"]')"
PREVIEWED = "preview.mp4"
"""Path in a task's workspace: its first second is rendered."""


def curl(live: LiveService, key: str) -> Any:
    """The balance from the API."""
    command = ["curl", "-s", "-H", f"x-api-key: {key}", f"{live.url}/api/v1/client/account/balance"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def until(page: Page, expression: str) -> None:
    """Wait until ``expression`` is true. The driver's own way needs eval, which the content security policy forbids."""
    deadline = time.monotonic() + 120
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(30)


def test_the_printed_link_works_once(stranger: BrowserContext, signed_in: object, live: LiveService) -> None:
    """A used link is rejected in another browser, with the reason."""
    page = stranger.new_page()
    page.goto(live.sign_in)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("has been used")


def test_somebody_comes_in_through_the_identity_provider(
    stranger: BrowserContext, live: LiveService, provider: Provider
) -> None:
    """The sign-in at the provider leads back to the page that required it."""
    provider.claims = {"email": "ada@studio.example"}
    page = stranger.new_page()
    page.goto(f"{live.url}/tasks")
    page.get_by_role("link", name="Sign in with the studio").click()
    page.get_by_role("link", name="Continue as Ada").click()
    page.wait_for_url(f"{live.url}/tasks")
    expect(page.get_by_text("ada@studio.example")).to_be_visible()
    expect(page.get_by_role("heading", name="No tasks yet")).to_be_visible()


def test_a_key_works_with_curl_until_it_is_rotated(page: Page, live: LiveService) -> None:
    """A key created in the browser works in the shell; after rotation only the new key works."""
    page.goto(f"{live.url}/keys")
    page.get_by_label("Name").fill("render farm")
    page.get_by_role("button", name="Create key").click()
    first = page.locator(".secret code").first.inner_text()
    assert curl(live, first)["code"] == 200
    row = page.get_by_role("row").filter(has_text="render farm")
    row.get_by_role("button", name="Rotate").click()
    assert barriers(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    expect(page.locator(".secret code").first).not_to_have_text(first)
    second = page.locator(".secret code").first.inner_text()
    assert curl(live, first)["code"] == 401
    assert curl(live, second)["code"] == 200
    page.reload()
    assert second not in page.content()


LOSE_ONE_ANSWER = """() => {
    const real = window.fetch;
    window.fetch = (path, options) => {
        if (path !== "/console/tasks") return real(path, options);
        window.fetch = real;
        return real(path, options).then(() => { throw new TypeError("the line broke"); });
    };
}"""


HIDE, SHOW_AGAIN = (
    f"""() => {{
        {turn}
        document.dispatchEvent(new Event("visibilitychange"));
    }}"""
    for turn in (
        'Object.defineProperty(document, "hidden", { configurable: true, value: true });',
        "delete document.hidden;",
    )
)
"""A hidden tab has no event stream: what it shows stays."""


def test_the_second_person_is_replaced_and_the_video_plays(
    page: Page, live: LiveService, media: dict[str, Path]
) -> None:
    """Both files are uploaded, the smaller person is clicked, the task shows its preview, the result is compared."""
    before = live.balance()
    page.goto(f"{live.url}/")
    page.locator('[data-drop="image"] input').set_input_files(media["image"])
    page.locator('[data-drop="video"] input').set_input_files(media["video"])
    people = page.get_by_role("radiogroup", name="Person to replace").get_by_role("radio")
    expect(people).to_have_count(2, timeout=TASK_MILLISECONDS_MAX)
    people.nth(1).click()
    page.locator('[data-drop="video"] video').dispatch_event("loadedmetadata")  # as late as it may come
    expect(people.nth(1)).to_have_attribute("aria-checked", "true")
    assert barriers(page) == []
    page.get_by_role("radio", name="480P").check()
    expect(page.locator("[data-price]")).to_have_text("6 credits")
    expect(page.locator('[data-snippet="curl"] pre')).to_contain_text('"person": [')
    page.evaluate(LOSE_ONE_ANSWER)
    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(live.hold, "*", PREVIEWED)  # from the start: the task may be quicker than the browser
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_text("The service does not respond")).to_be_visible()
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        child = holding.result()
    until(page, f"{PREVIEW}?.duration > 0.9")
    page.evaluate(HIDE)  # it follows the task no more: a held process would be taken for a dead one after a minute
    child.resume()
    assert barriers(page) == []
    page.evaluate(SHOW_AGAIN)
    final = page.locator("video.final")
    expect(final).to_be_visible(timeout=TASK_MILLISECONDS_MAX)

    task = live.task(page.url.split("task=")[1])
    assert before - live.balance() == task["credits"], "pressed again after a lost answer, it costs once"
    assert (task["status"], task["source"], task["credits"]) == ("success", "playground", 6)
    expect(page.locator("[data-price-note]")).to_have_text(f"of {live.balance():,.12g} available")
    x, y = task["param"]["input"]["person"]
    assert x < 198 / 462, "the one on the left"
    assert 0 < y < 1
    page.get_by_role("button", name="Play").click()
    until(page, "document.querySelector('video.final').currentTime > 0.2")
    until(
        page,
        "Math.abs(document.querySelector('video.source').currentTime"
        " - document.querySelector('video.final').currentTime) < 0.1",
    )
    page.get_by_role("radio", name="Side by side").check()
    expect(page.locator("[data-compare]")).to_have_attribute("data-mode", "side")
    page.get_by_text("Contact sheet").click()
    expect(page.get_by_role("link", name="Save the sheet")).to_be_visible()
    assert barriers(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == httpx.get(task["result"]["media_urls"][0], timeout=30).content


SHOW_TWO = """async () => {
    const own = document.querySelector('script[src$="/playground.js"]').src;
    const { showTask } = await import(own.replace("playground.js", "task.js"));
    const real = window.fetch;
    let release;
    const held = new Promise((resolve) => (release = resolve));
    window.fetch = async (path) => {
        if (path.includes("first")) await held;
        return new Response(path.split("/")[2]);
    };
    const box = document.createElement("div");
    const first = showTask(box, "first"), second = showTask(box, "second");
    await second;
    release();
    await first;
    window.fetch = real;
    return box.textContent;
}"""


START_PREVIEW = """async () => {
    const own = document.querySelector('script[src$="/playground.js"]').src;
    const { GrowingPreview } = await import(own.replace("playground.js", "growing-preview.js"));
    const screen = document.querySelector(".screen");
    screen.append(Object.assign(document.createElement("img"), { hidden: true, alt: "" }));
    screen.querySelector("img").dataset.preview = "";
    window.growing = new GrowingPreview(screen);
}"""


def test_a_preview_grows_where_it_stood(page: Page, live: LiveService, tmp_path: Path) -> None:
    """A longer version replaces the shown one at the same time; one that had ended plays on."""
    frames = numbered(30)
    urls = [live.upload(write_video(tmp_path / f"{n}.mp4", frames[:n], rate=10)) for n in (10, 20, 30)]
    page.goto(f"{live.url}/")
    page.evaluate(START_PREVIEW)
    page.evaluate("(url) => growing.showVideo(url)", urls[0])
    until(page, f"{PREVIEW}?.ended")
    page.evaluate("(url) => growing.showVideo(url)", urls[1])
    until(page, f"{PREVIEW}.duration > 1.9 && {PREVIEW}.currentTime > 1.1")
    page.evaluate(f"{PREVIEW}.pause(), {PREVIEW}.currentTime = 0.5")
    page.evaluate("(url) => growing.showVideo(url)", urls[2])
    until(page, f"{PREVIEW}.duration > 2.9")
    assert page.evaluate(f"{PREVIEW}.paused && {PREVIEW}.currentTime === 0.5")
    assert page.locator(".screen video").count() == 1


def test_the_task_that_was_asked_for_last_is_shown(page: Page, live: LiveService) -> None:
    """The result does not depend on the order of responses."""
    page.goto(f"{live.url}/")
    assert page.evaluate(SHOW_TWO) == "second?part=panel"


def test_a_file_that_was_removed_says_nothing_more(page: Page, live: LiveService, media: dict[str, Path]) -> None:
    """A file removed while it waits for its upload URL leaves no trace and no error."""
    page.goto(f"{live.url}/")
    drop = page.locator('[data-drop="image"]')
    page.evaluate(
        """() => {
            const real = window.fetch;
            window.fetch = (path, options) => path.startsWith("/console/uploads")
                ? new Promise((_, reject) => (options.signal.onabort = () => reject(options.signal.reason)))
                : real(path, options);
        }"""
    )
    drop.locator("input").set_input_files(media["image"])
    expect(drop.locator(".name")).to_have_text("astronaut.png")
    drop.locator("[data-clear]").click()
    expect(drop.locator("[data-clear]")).to_be_hidden()
    assert drop.locator(".name").inner_text().strip() == ""
    expect(drop.locator("[data-retry]")).to_be_hidden()


def test_a_file_that_the_browser_cannot_play_is_shown_as_a_copy(page: Page, live: LiveService, tmp_path: Path) -> None:
    """After the upload of an AVI the drop zone plays a copy that the service made."""
    video = write_clip(tmp_path / "old.avi", numbered(10), time_base=Fraction(1, 25), codec="mpeg4")
    page.goto(f"{live.url}/")
    page.locator('[data-drop="video"] input').set_input_files(video)
    until(page, "document.querySelector('[data-drop=video] video')?.videoWidth === 256")
    expect(page.get_by_text("This browser cannot play the file")).to_be_hidden()


def test_run_needs_credits(page: Page, live: LiveService) -> None:
    """With an empty balance the button is disabled before any file is chosen."""
    answer = {"credits": 62.5, "estimated": True, "size": None, "resolution": "720P", "plays": True}
    answer |= {"balance": 0, "affordable": False, "curl": "", "python": ""}
    page.route("**/console/price", lambda route: route.fulfill(json=answer))
    page.goto(f"{live.url}/")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()


def test_a_reload_keeps_the_draft(page: Page, live: LiveService, media: dict[str, Path]) -> None:
    """Uploaded files and chosen options are there again, and the price says what is produced."""
    page.goto(f"{live.url}/")
    page.locator('[data-drop="image"] input').set_input_files(media["image"])
    page.locator('[data-drop="video"] input').set_input_files(media["video"])
    page.get_by_role("radio", name="580P").check()
    expect(page.locator('[data-drop="image"] .name')).to_contain_text("MB")
    note = page.locator("[data-size-note]")
    expect(note).to_have_text("Output 462 × 216 pixels, priced as 480P because the file is no larger.")
    page.reload()
    expect(page.locator('[data-drop="image"] img')).to_be_visible()
    expect(page.locator('[data-drop="video"] .name')).to_have_text("two.mp4")
    expect(page.get_by_role("radio", name="580P")).to_be_checked()
    expect(note).to_contain_text("462 × 216")
    page.locator('[data-drop="image"] [data-clear]').click()
    page.reload()
    expect(page.locator('[data-drop="video"] .name')).to_have_text("two.mp4")
    expect(page.locator('[data-drop="image"] .hint')).to_be_visible()


SUBMIT_TWICE = """[0, 0].map(() => document.querySelector('form[action="/keys"]')
    .dispatchEvent(new SubmitEvent("submit", {bubbles: true, cancelable: true})))"""


def test_a_form_is_sent_once(page: Page, live: LiveService) -> None:
    """A double click submits a form once."""
    page.goto(f"{live.url}/keys")
    assert page.evaluate(SUBMIT_TWICE) == [True, False]


HIDE_AND_SEEK = """async () => {
    const own = document.querySelector('script[src$="/playground.js"]').src;
    const { showTask } = await import(own.replace("playground.js", "task.js"));
    const real = [window.fetch, window.EventSource], told = [];
    window.fetch = async () => new Response('<p data-state="running"></p><p class="screen"><img data-preview></p>');
    window.EventSource = class {
        constructor() { told.push("open"); }
        close() { told.push("close"); }
    };
    let hidden = false;
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    const turn = (to) => {
        hidden = to;
        document.dispatchEvent(new Event("visibilitychange"));
    };
    const stop = await showTask(document.createElement("div"), "any");
    turn(true);
    turn(false);
    stop();
    turn(true);
    delete document.hidden;
    [window.fetch, window.EventSource] = real;
    return told.join(" ");
}"""


def test_a_tab_that_nobody_looks_at_holds_no_connection(page: Page, live: LiveService) -> None:
    """Hidden tabs close their event stream, because a browser has only six connections to a host."""
    page.goto(f"{live.url}/")
    assert page.evaluate(HIDE_AND_SEEK) == "open close close open close"


DROP_BESIDE = """() => {
    const files = new DataTransfer();
    files.items.add(new File(["a"], "a.png"));
    const dropped = new DragEvent("drop", { dataTransfer: files, cancelable: true, bubbles: true });
    document.querySelector("h1").dispatchEvent(dropped);
    return dropped.defaultPrevented;
}"""


def test_a_file_that_misses_its_place_opens_nothing(page: Page, live: LiveService) -> None:
    """A file dropped outside the drop zone does not replace the page."""
    page.goto(f"{live.url}/")
    assert page.evaluate(DROP_BESIDE)


SHOW = """async () => {
    const own = document.querySelector('script[src$="/app.js"]').src;
    const { showTask } = await import(own.replace("app.js", "task.js"));
    showTask(document.createElement("div"), "any");
}"""


def test_a_session_that_ended_leads_to_the_sign_in(
    stranger: BrowserContext, signed_in: BrowserContext, live: LiveService, cookies: list[Any]
) -> None:
    """After the end of the session the page reloads instead of showing the sign-in page in the panel."""
    stranger.add_cookies(cookies)
    page = stranger.new_page()
    page.goto(f"{live.url}/models")  # this page asks for nothing by itself, so only the panel can notice the end
    stranger.clear_cookies()
    page.evaluate(SHOW)
    expect(page).to_have_url(f"{live.url}/sign-in?next=/models")


def test_a_running_task_is_cancelled_and_its_callback_sent_again(
    page: Page, live: LiveService, media: dict[str, Path]
) -> None:
    """The list shows the task without reload; its page cancels it, releases its credits, and resends the callback."""
    page.goto(f"{live.url}/tasks")
    before = live.balance()
    body = {"img_urls": [live.upload(media["image"])], "video_urls": [live.upload(media["video"])]}
    request = {
        "model": "wan/2-2-animate-replace",
        "input": body,
        "callback_url": f"http://127.0.0.1:{free_port()}/hook",
    }
    task = live.call("POST", "job/CreateTask", json=request)["data"]["task_id"]
    live.hold(task, PERCEIVING)  # however quick the machine, it runs when it is cancelled
    page.get_by_role("link", name=f"Task {task}").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("h1 ~ p [data-status]")).to_have_text("Cancelled")
    expect(page.get_by_text(re.compile("Nothing was charged|was not charged"))).to_be_visible()
    assert live.balance() == before
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("status").filter(has_text="being sent again")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{live.url}/tasks")
    assert live.call("GET", "job/TaskInfo", params={"task_id": task})["code"] == 404


def test_maintenance_holds_at_once_and_everywhere(page: Page, live: LiveService) -> None:
    """During maintenance the API returns 455 with the message; afterwards it accepts tasks."""
    page.goto(f"{live.url}/operator")
    page.get_by_label("Message to callers").fill("Back at noon")
    page.get_by_role("button", name="Begin maintenance").click()
    page.get_by_role("dialog").get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Under maintenance since")).to_be_visible()
    refused = live.create("https://example.com/a.png", "https://example.com/b.mp4")
    assert (refused["code"], refused["message"]) == (455, "Back at noon")
    page.get_by_role("button", name="End maintenance").click()
    expect(page.get_by_text("Under maintenance since")).to_be_hidden()
    assert live.call("GET", "files/upload-url", params={"content_type": "image/png", "ext": ".png"})["code"] == 200

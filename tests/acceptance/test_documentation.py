"""The commands of README and docs, in their order, on a fresh installation.

A block that cannot run here has the line ``<!-- not run: REASON -->`` above it. ``NAME=…`` is filled in from the output
of the command before, as a reader does. The Python blocks run in tests/unit/client/test_guide.py and in test_plugin.py.
docs/reference is generated from the code and has no commands to follow.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import command_server
from bodydouble.perception import ModelPack
from live_service import MODEL, LiveService, free_port
from material import astronaut, carphone, write_image, write_video

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]
PLACES = ("*.md", "docs/*.md", "docs/decisions/*.md", "packages/client/*.md", "skills/**/*.md")
PAGES = sorted(str(path.relative_to(ROOT)) for place in PLACES for path in ROOT.glob(place))
PYTHON_ELSEWHERE = ("README.md", "docs/client.md", "docs/write-a-renderer.md", "packages/client/README.md")
"""Pages whose Python blocks run in other tests."""
SHELL_ELSEWHERE = ("docs/write-a-renderer.md",)
BLOCK = re.compile(r"^(<!-- not run: [^\n]+ -->\n)?```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^\s*(```|~~~)", re.MULTILINE)
PORTRAIT_SIZE = (320, 320)
"""Width and height in pixels: small, because preparing the character takes most of a short `replace`."""
PAGE_SECONDS_MAX = 600
OUTBOUND_ALLOW = "127.0.0.0/8"
PROLOGUE = r"""
set -euo pipefail
bodydouble() { "$PYTHON" -I -S "$ASK" "$SOCKET" "$@" | tee "$LAST"; }
curl() {
  local status=0
  case " $* " in
    *" -N "*) first_event "$@"; return ;;
  esac
  command curl --max-time 60 "$@" | tee "$LAST" || status=$?
  ! grep -qE '^\{"code":[45]' "$LAST" && return $status
}
first_event() {  # the stream of a running task does not end by itself
  local line stream
  exec {stream}< <(exec curl -s "$@")
  local process=$!
  while read -r line <&$stream && [[ $line != data:* ]]; do :; done
  kill $process 2>/dev/null || true  # the stream of an ended task ends
  exec {stream}<&-
  [[ $line == data:* ]]
}
found() {  # the value of a field in the last output, else the next one that the test prepared
  local value
  value=$(grep -oiE "\"?$1\"?: *\"?[^\",}]+" "$LAST" | head -1) || true
  value=$(sed -E 's/^"?[A-Za-z_-]+"?: *"?//' <<< "$value" | tr -d '\r')
  [ -n "$value" ] || { value=$(head -1 "$PREPARED/$1"); sed -i '1{$!d}' "$PREPARED/$1"; }
  printf %s "$value"
}
: > "$LAST"
"""
FIELDS = {"ETAG": "etag", "OFFSET": "upload-offset", "KEY_ID": "id", "TASK_ID": "task_id"}
"""Name of a variable that the reader fills in → where its value stands; other names in lower case."""


def runnable(page: str) -> str:
    """The shell blocks of a page as one script."""
    blocks = BLOCK.findall((ROOT / page).read_text())
    return "\n".join(text for mark, language, text in blocks if not mark and not language)


def filled_in(script: str, service: LiveService, folder: Path) -> str:
    """``script`` for this installation: its port and key, and a place for what the reader fills in."""
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{service.port}").replace("ak_…", service.key)
    for path in ("/backups", "/srv"):
        script = re.sub(rf"(?<= ){path}(?=/)", str(folder / path[1:]), script)
    return re.sub(r"^([A-Z_]+)=….*$", lambda m: f"{m[1]}=$(found {FIELDS.get(m[1], m[1].lower())})", script, flags=re.M)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that each page assumes: a picture and a video of three frames under the names that they use."""
    portrait = np.asarray(cv2.resize(astronaut(), PORTRAIT_SIZE, interpolation=cv2.INTER_AREA), np.uint8)
    folder = tmp_path_factory.mktemp("reader")
    (folder / "demo-out").mkdir()
    for name in ("demo-out/character.png", "portrait.jpg", "portrait.png"):
        write_image(folder / name, portrait)
    for name in ("demo-out/clip.mp4", "clip.mp4", "shot.mp4"):
        write_video(folder / name, carphone(3, 216))
    (folder / "backups").mkdir()
    (folder / "srv").mkdir()
    return folder


@pytest.fixture(scope="module")
def installation(model_pack: ModelPack) -> Iterator[LiveService]:
    """A service without a worker: its tasks stay as they are."""
    live = LiveService().start("--no-worker", BODYDOUBLE_OUTBOUND_ALLOW=OUTBOUND_ALLOW)
    yield live
    live.stop()
    live.remove()


def ended_task(service: LiveService) -> str:
    """A task with a callback that was cancelled."""
    inputs = {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/b.mp4"]}
    body = {"model": MODEL, "input": inputs, "callback_url": f"http://127.0.0.1:{free_port()}/"}
    task_id = service.call("POST", "job/CreateTask", json=body)["data"]["task_id"]
    service.call("POST", "job/CancelTask", params={"task_id": task_id})
    return str(task_id)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a server of the commands."""
    path = tmp_path_factory.mktemp("commands") / "socket"
    with command_server.command_server(path):
        yield path


def test_a_mark_covers_the_block_below_it_only() -> None:
    """The block between two marked ones is run."""
    marked = "<!-- not run: a reason -->\n```\n{}\n```\n"
    blocks = BLOCK.findall(f"{marked.format(1)}\n```\n2\n```\n\n{marked.format(3)}")
    assert [(bool(mark), text) for mark, _, text in blocks] == [(True, "1\n"), (False, "2\n"), (True, "3\n")]


def test_every_block_is_run_or_marked() -> None:
    """A block in a language that no test runs needs the mark with a reason."""
    for page in PAGES:
        blocks = BLOCK.findall((ROOT / page).read_text())
        assert len(FENCE.findall((ROOT / page).read_text())) == 2 * len(blocks), f"{page}: a block is indented"
        for mark, language, text in blocks:
            if mark or language.startswith("{") or (language == "python" and page in PYTHON_ELSEWHERE):
                continue
            if language == "python":
                exec(compile(text, page, "exec"), {})
            elif page != "docs/write-a-renderer.md":
                assert language == "", f"{page}: mark this block: {text[:60]}"


@pytest.mark.timeout(3 * PAGE_SECONDS_MAX)  # as long as several pages may take, which is no failure
def test_the_commands_of_the_pages_work(
    installation: LiveService, material: Path, commands: Path, tmp_path: Path
) -> None:
    """Page after page, each command exits with 0 and no answer of the service is an error."""
    for number, page in enumerate(PAGES):
        if runnable(page) and page not in SHELL_ELSEWHERE:
            run_page(page, installation, shutil.copytree(material, tmp_path / str(number)), commands)


def run_page(page: str, installation: LiveService, folder: Path, commands: Path) -> None:
    """Run the blocks of one page as one script in ``folder``, a reader's. ``commands``: socket of their server."""
    prepared = folder / "prepared"
    prepared.mkdir()
    ended = [ended_task(installation) for _ in range(2)]
    for name, values in {"task_id": ended, "id": ["1"]}.items():
        (prepared / name).write_text("\n".join(values) + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BODYDOUBLE_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "ASK": command_server.__file__,
        "SOCKET": str(commands),
        "LAST": str(folder / "last-output"),
        "BODYDOUBLE_DATA": str(installation.folder),
        "BODYDOUBLE_OUTBOUND_ALLOW": OUTBOUND_ALLOW,
        "PREPARED": str(prepared),
    }
    script = PROLOGUE + filled_in(runnable(page), installation, folder)
    done = subprocess.run(
        ["bash", "-x", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PAGE_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, f"{page}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"

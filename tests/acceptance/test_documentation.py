"""The commands of README and docs, in their order, on a fresh installation.

A block that cannot run here has the line ``<!-- not run: REASON -->`` above it. ``NAME=…`` is filled in from the output
of the command before, as a reader does. The Python blocks run in tests/unit/client/test_guide.py and in test_plugin.py.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodydouble.perception import ModelPack
from live_service import MODEL, LiveService, free_port
from material import astronaut, carphone, write_image, write_video

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
PYTHON_ELSEWHERE = ("README.md", "docs/client.md", "docs/write-a-renderer.md")
"""Pages whose Python blocks run in other tests."""
SHELL_ELSEWHERE = ("docs/write-a-renderer.md",)
BLOCK = re.compile(r"^(<!-- not run: .+ -->\n)?```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGE_SECONDS_MAX = 600
OUTBOUND_ALLOW = "127.0.0.0/8"
PROLOGUE = r"""
set -euo pipefail
bodydouble() { "$PYTHON" -m bodydouble "$@" | tee "$LAST"; }
curl() {
  local status=0
  command curl --max-time 5 "$@" | tee "$LAST" || status=$?
  case " $* " in *" -N "*) [ $status = 28 ] && status=0 ;; esac       # an event stream does not end by itself
  ! grep -qE '^\{"code":[45]' "$LAST" && return $status
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
    """The folder that the pages assume: a picture and a video of three frames under the names that they use."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "demo-out").mkdir()
    for name in ("demo-out/character.png", "portrait.jpg", "portrait.png"):
        write_image(folder / name, astronaut())
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


def test_every_block_is_run_or_marked() -> None:
    """A block in a language that no test runs needs the mark with a reason."""
    for page in PAGES:
        for mark, language, text in BLOCK.findall((ROOT / page).read_text()):
            if mark or language.startswith("{") or (language == "python" and page in PYTHON_ELSEWHERE):
                continue
            if language == "python":
                exec(compile(text, page, "exec"), {})
            elif page != "docs/write-a-renderer.md":
                assert language == "", f"{page}: mark this block: {text[:60]}"


def test_the_commands_of_the_pages_work(installation: LiveService, material: Path, tmp_path: Path) -> None:
    """Page after page, each command exits with 0 and no answer of the service is an error."""
    for number, page in enumerate(PAGES):
        if runnable(page) and page not in SHELL_ELSEWHERE:
            folder = tmp_path / str(number)
            folder.mkdir()
            run_page(page, installation, material, folder)


def run_page(page: str, installation: LiveService, material: Path, folder: Path) -> None:
    """Run the blocks of one page as one script. ``folder`` is for values that a reader would fill in."""
    prepared = folder
    ended = [ended_task(installation) for _ in range(2)]
    for name, values in {"task_id": ended, "id": ["1"]}.items():
        (prepared / name).write_text("\n".join(values) + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BODYDOUBLE_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "LAST": str(material / "last-output"),
        "BODYDOUBLE_DATA": str(installation.folder),
        "BODYDOUBLE_OUTBOUND_ALLOW": OUTBOUND_ALLOW,
        "PREPARED": str(prepared),
    }
    script = PROLOGUE + filled_in(runnable(page), installation, material)
    done = subprocess.run(
        ["bash", "-x", "-c", script],
        cwd=material,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PAGE_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, f"{page}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"

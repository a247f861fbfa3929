"""``demo``: one task on a real service, with freely available material."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated

import typer

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.progress import ProgressDisplay
from bodydouble.cli.terminal import EXIT_FAILED, err, fail, out, warn

if TYPE_CHECKING:
    from bodydouble_client import Client, Result, TaskUpdate

CREDITS = "1000"
LISTENS = "bodydouble listens on "
STOP_SECONDS_MAX = 20


def demo(
    folder: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Folder for inputs, service and result.")
    ] = Path("demo-out"),
) -> None:
    """Start a service, replace the man in a car with an astronaut, and print where the video is.

    The models and the two inputs are downloaded once.

    Examples:

      bodydouble demo

      bodydouble demo --out /tmp/bodydouble-demo
    """
    from bodydouble.bootstrap import demo_material  # slow imports: not for --help
    from bodydouble.shot import compare_sheet

    install_with_progress(quiet=True)
    sources = demo_material.fetch_sources()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    character, clip = folder / "character.png", folder / "clip.mp4"
    demo_material.write_character(character, sources)
    demo_material.write_clip(clip, sources)
    err.print(f"character: {character}\nclip:      {clip}")
    with _service(folder) as base_url, _client(base_url, _make_key(folder / "service")) as client:
        err.print(f"service:   {base_url}  (docs: {base_url}/docs; log: {folder / 'service.log'})")
        task = client.submit(character, clip, resolution="480P")
        err.print(f"task:      {task.id}")
        with ProgressDisplay() as display:
            made = task.wait(on_update=lambda update: display.show(_progress(update)))
        result, sheet = made.download(folder / "result.mp4"), folder / "compare.png"
        compare_sheet(clip, result, sheet)
        _report(made, client.balance())
    out.print(f"\nthe video: {result}\nsource above, result below: {sheet}")
    program = "bodydouble" if shutil.which("bodydouble") else _below(Path(sys.executable).with_name("bodydouble"))
    out.print(
        f"\nNext: run `{program} serve`, open the link that it prints, and drop the files of {folder} into the page.",
        markup=False,
    )


def _below(path: Path) -> str:
    """``path`` as a command: relative to the working folder if it is below that."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


@contextmanager
def _client(base_url: str, key: str) -> Generator["Client", None, None]:
    """A client of the demo's service, without proxies. Ends the command with the service's message on an error."""
    import httpx

    from bodydouble_client import Client, ClientError

    with httpx.Client(trust_env=False) as http:
        try:
            yield Client(key, base_url, http_client=http)
        except ClientError as error:
            fail(str(error))


def _progress(update: "TaskUpdate") -> SimpleNamespace:
    task = update.task
    return SimpleNamespace(fraction=update.progress, stage=task.stage, segment=task.segment, segments=task.segments)


def _report(made: "Result", balance: Decimal) -> None:
    info = made.media_info
    sound = "with sound" if info["audio"] else "without sound"
    out.print(
        f"{info['width']} × {info['height']}, {info['fps']} fps, {info['frames']} frames, {sound}, "
        f"rendered by {info['renderer']} in {made.task.duration_seconds} s"
    )
    for warning in made.warnings:
        warn(warning.message)
    out.print(f"charged: {float(made.credits):g} credits of {CREDITS}, {float(balance):g} left")


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bodydouble", *arguments]


@contextmanager
def _service(folder: Path) -> Generator[str, None, None]:
    """The URL of a ``serve`` on a free port of the loopback interface, which runs until the end of the block."""
    log_path = folder / "service.log"
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BODYDOUBLE_DATABASE_URL")}
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            _command("serve", "--data", str(folder / "service"), "--host", "127.0.0.1", "--port", "0"),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches only this command, which stops the service
        )
        try:
            assert process.stdout is not None, "asked for"
            for line in process.stdout:
                if line.startswith(LISTENS):
                    yield line.removeprefix(LISTENS).strip()
                    return
            last = log_path.read_text(errors="replace").strip().splitlines()[-1:] or ["its log is empty"]
            fail(f"the service did not start: {last[0]}")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()


def _make_key(data: Path) -> str:
    """The key of a new account with credits."""
    command = _command("keys", "create", "--data", str(data), "--account", "demo", "--credits", CREDITS)
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BODYDOUBLE_DATABASE_URL")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        fail(f"keys create: {done.stderr.strip()}", EXIT_FAILED)
    return done.stdout.strip()

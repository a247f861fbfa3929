"""Making one shot at a terminal: what it is asked for, its progress, and what became of it."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.terminal import EXIT_USAGE, err, existing_file, fail, is_interactive, load_settings, out
from bodydouble.tasks.catalogue import RESOLUTIONS
from bodydouble.tasks.stages import Stage

STAGES: Mapping[str, str] = {
    Stage.QUEUED: "waiting",
    Stage.FETCH: "fetching the inputs",
    Stage.PROBE: "looking at the inputs",
    Stage.PERCEIVE: "following the person",
    Stage.PREPARE: "preparing the character",
    Stage.RENDER: "rendering",
    Stage.MUX: "joining picture and sound",
    Stage.DONE: "done",
}
INTERRUPTED = 130


def make_shot(
    image: Path,
    video: Path,
    output: Path,
    compare: Path | None,
    *,
    resolution: str,
    person: str,
    force: bool,
    **wishes: Any,
) -> None:
    """Make the shot, show its progress and say where it is.

    ``wishes`` are further fields of ``ShotRequest``. Ends with a clear line and status 2 where an argument is wrong,
    before anything is loaded.
    """
    image, video = existing_file(image, "IMAGE"), existing_file(video, "VIDEO")
    short_side = parse_resolution(resolution)
    point, rank = parse_person(person)
    check_target(output, ".mp4", "--output", force)
    if compare:
        check_target(compare, ".png", "--compare", force)
    from bodydouble.bootstrap.options import (  # heavy: not for --help
        media_limits,
        perception_options,
        renderer_settings,
    )
    from bodydouble.perception import PersonChoice, locate_pack
    from bodydouble.shot import ShotRequest, compare_sheet

    settings = load_settings()
    limits = media_limits(settings)
    request = ShotRequest(
        image=image,
        video=video,
        short_side=short_side,
        person=PersonChoice(point=point, rank=rank),
        limits=limits,
        renderer_settings=renderer_settings(settings),
        perception=perception_options(settings),
        **wishes,
    )
    install_with_progress(quiet=True)
    result = _run(request, locate_pack(settings.models), output)
    for warning in result.warnings:
        err.print(f"[yellow]warning:[/] {warning['message']}")
    if compare:
        compare_sheet(video, output, compare, limits)
    sound = "with sound" if result.audio else "without sound"
    out.print(
        f"{output}: {result.width} × {result.height}, {result.frame_rate:.4g} fps, {result.frames} frames, {sound}"
    )
    if compare:
        out.print(f"{compare}: source above, result below")


def parse_resolution(text: str) -> int:
    """Pixels of the short side. Ends with a clear line where there is no such class."""
    short_side = RESOLUTIONS.get(text.upper())
    if short_side is None:
        fail(f"--resolution: {text} is none of {', '.join(RESOLUTIONS)}", EXIT_USAGE)
    return short_side


def parse_person(text: str) -> tuple[tuple[float, float] | None, int]:
    """Point and rank that ``text`` means. Ends with a clear line where it means nothing."""
    if text == "largest":
        return None, 0
    if text.isdecimal():
        return None, int(text)
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = -1.0
    if not (0 <= x <= 1 and 0 <= y <= 1):
        fail(f"--person: {text} is neither largest, nor an index, nor a point X,Y with both from 0 to 1", EXIT_USAGE)
    return (x, y), 0


def check_target(path: Path, suffix: str, option: str, force: bool) -> None:
    """Ends with a clear line where ``path`` cannot or should not be written."""
    if path.suffix.lower() != suffix:
        fail(f"{option}: {path} must end in {suffix}", EXIT_USAGE)
    if not path.parent.is_dir():
        fail(f"{option}: there is no folder {path.parent}", EXIT_USAGE)
    if path.exists() and not force:
        fail(f"{option}: {path} is there already; overwrite it with --force", EXIT_USAGE)


def _run(request: Any, pack: Any, output: Path) -> Any:
    """The finished shot. Its workspace lies in the cache under a name made of all inputs, until it is finished."""
    from bodydouble.bootstrap.drawing import draw_shot

    name = hashlib.sha256(request.to_json().encode())
    for path in (request.image, request.video):
        with path.open("rb") as stream:
            name.update(hashlib.file_digest(stream, "sha256").digest())
    workspace = platformdirs.user_cache_path("bodydouble", appauthor=False) / "shots" / name.hexdigest()[:16]
    if (workspace / "perception").exists():
        err.print("going on with an earlier run of the same shot")
    with ShotBar() as bar:
        try:
            result = draw_shot(request, pack, workspace, output.resolve(), bar.show, bar.note)
        except KeyboardInterrupt:
            bar.stop()
            fail("interrupted; the same command goes on where it stopped", INTERRUPTED)
    shutil.rmtree(workspace, ignore_errors=True)
    return result


class ShotBar:
    """A progress bar that names stage and segment; plain lines where nobody watches."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=err, disable=not is_interactive())
        self._bar = self._progress.add_task("starting", total=1.0)
        self._said = ""

    def __enter__(self) -> "ShotBar":
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()

    def note(self, text: str) -> None:
        """Something that is to stay on the terminal, above the bar."""
        err.print(f"[yellow]warning:[/] {escape(text)}")

    def show(self, progress: Any) -> None:
        """``progress`` has ``stage``, ``fraction``, ``segment`` and ``segments``."""
        text = STAGES.get(progress.stage) or str(progress.stage)
        if progress.segments:
            text += f" {(progress.segment or 0) + 1}/{progress.segments}"
        self.tell(text, progress.fraction)

    def tell(self, text: str, fraction: float) -> None:
        """What is being done, and the fraction 0-1 of the whole."""
        self._progress.update(self._bar, description=f"{text:<28}", completed=fraction)
        if text != self._said and not is_interactive():
            err.print(f"{fraction:4.0%} {text}")
        self._said = text

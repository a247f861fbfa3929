"""Make one shot at a terminal: check the arguments, show the progress, report the result."""

import hashlib
import mimetypes
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from bodydouble.cli.data_folder import locked_pid_file
from bodydouble.cli.models import install_with_progress
from bodydouble.cli.progress import ProgressDisplay
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import EXIT_INTERRUPTED, EXIT_USAGE, err, existing_file, fail, out, warn
from bodydouble.settings import Settings
from bodydouble.tasks.catalogue import RESOLUTIONS
from bodydouble.tasks.heavy_imports import heavy_imports

if TYPE_CHECKING:
    from bodydouble.shot import ShotRequest

LOSSLESS_SUFFIX = ".mkv"
"""Suffix of an output that keeps every sample."""


def make_shot(
    image: Path,
    video: Path,
    output: Path,
    compare: Path | None,
    *,
    force: bool,
    mode: str,
    inputs: Mapping[str, Any],
) -> None:
    """Make the shot, show its progress and print where the result is.

    ``inputs``: checked values of ``shot_inputs(mode)`` by field name. Ends the command with status 2 if a file is
    wrong, before anything is loaded.
    """
    image, video = existing_file(image, "IMAGE"), existing_file(video, "VIDEO")
    if _media_type(image) == "video" and _media_type(video) == "image":
        fail(f"IMAGE comes first, then VIDEO: {image} is a video, and {video} a picture", EXIT_USAGE)
    files = {"IMAGE": image, "VIDEO": video}
    check_target(output, (".mp4", LOSSLESS_SUFFIX), "--output", force, inputs=files)
    if compare:
        check_target(compare, (".png",), "--compare", force, inputs=files)
    with heavy_imports():  # not for --help
        from bodydouble.bootstrap.provenance import local_signing_options
        from bodydouble.perception import locate_pack
        from bodydouble.shot import compare_sheet

    settings = load_settings()
    request = _request(image, video, output, settings, mode, inputs)
    install_with_progress(quiet=True)
    result = _run(request, locate_pack(settings.models), output, local_signing_options(settings))
    for warning in result.warnings:
        warn(warning["message"])
    if compare:
        compare_sheet(video, output, compare, request.limits)
    _describe(result, output)
    if compare:
        out.print(f"{compare}: source above, result below")


def _request(
    image: Path, video: Path, output: Path, settings: Settings, mode: str, inputs: Mapping[str, Any]
) -> "ShotRequest":
    """The shot that ``inputs`` and the installation's settings ask for."""
    options = dict(inputs)
    short_side = RESOLUTIONS[options.pop("resolution")]
    point, rank = options.pop("person")
    quality = options.pop("quality")
    options.pop("consent")  # only a service stores it
    from bodydouble.bootstrap.options import (  # slow imports: not for --help
        media_limits,
        perception_options,
        renderer_settings,
    )
    from bodydouble.media import Quality
    from bodydouble.perception import PersonChoice
    from bodydouble.renderers.shot_inputs import combined_label
    from bodydouble.shot import ShotRequest

    return ShotRequest(
        image=image,
        video=video,
        short_side=short_side,
        person=PersonChoice(point=point, rank=rank),
        keep_audio=options.pop("keep_audio"),
        quality=Quality.LOSSLESS if output.suffix.lower() == LOSSLESS_SUFFIX else quality,
        dynamic_range=options.pop("dynamic_range"),
        label=combined_label(options.pop("label"), settings.label),
        label_producer=settings.label_producer,
        renderer=options.pop("renderer"),
        mode=mode,
        options=options,
        limits=media_limits(settings),
        renderer_settings=renderer_settings(settings),
        perception=perception_options(settings),
    )


def _describe(result: Any, output: Path) -> None:
    """Print the file's name, size, frame rate and length."""
    sound = "with sound" if result.audio else "without sound"
    out.print(
        f"{output}: {result.width} × {result.height}, {result.frame_rate:.4g} fps, {result.frames} frames, {sound}"
    )


def parse_resolution(text: str) -> int:
    """Pixels of the short side. Ends the command if there is no such class."""
    short_side = RESOLUTIONS.get(text.upper())
    if short_side is None:
        fail(f"--resolution: {text} is none of {', '.join(RESOLUTIONS)}", EXIT_USAGE)
    return short_side


def _media_type(path: Path) -> str:
    """Kind of media by the name of the file, such as "image" or "video"; empty if unknown."""
    return (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]


def check_target(path: Path, suffixes: Sequence[str], option: str, force: bool, *, inputs: Mapping[str, Path]) -> None:
    """End the command if ``path`` cannot be written, exists without ``force``, or is one of the existing ``inputs``."""
    if path.suffix.lower() not in suffixes:
        fail(f"{option}: {path} must end in {' or '.join(suffixes)}", EXIT_USAGE)
    if not path.parent.is_dir():
        fail(f"{option}: there is no folder {path.parent}", EXIT_USAGE)
    for name, source in inputs.items():
        if path.exists() and path.samefile(source):
            fail(f"{option}: {path} is the file of {name}; choose another name", EXIT_USAGE)
    if path.exists() and not force:
        fail(f"{option}: {path} exists already; overwrite it with --force", EXIT_USAGE)


def _run(request: Any, pack: Any, output: Path, signing: Any) -> Any:
    """The finished shot. Until then its workspace is in the user's cache, named by a hash of all inputs."""
    name = hashlib.sha256(request.to_json().encode())
    for path in (request.image, request.video):
        with path.open("rb") as stream:
            name.update(hashlib.file_digest(stream, "sha256").digest())
    shots = platformdirs.user_cache_path("bodydouble", appauthor=False) / "shots"
    workspace = shots / name.hexdigest()[:16]
    shots.mkdir(parents=True, exist_ok=True)
    lock = workspace.with_suffix(".pid")
    with locked_pid_file(lock, lambda pid: f"process {pid} makes this shot already; run this again when it has ended"):
        try:
            return _in_workspace(workspace, request, pack, output, signing)
        finally:
            lock.unlink(missing_ok=True)


def _in_workspace(workspace: Path, request: Any, pack: Any, output: Path, signing: Any) -> Any:
    """The finished shot. The workspace stays if the command ends before."""
    from bodydouble.bootstrap.local_shot import make_local_shot

    if (workspace / "perception").exists():
        err.print("continuing an earlier run of the same shot")
    with ProgressDisplay() as display:
        try:
            result = make_local_shot(request, pack, workspace, output.resolve(), display.show, display.note, signing)
        except KeyboardInterrupt:
            display.stop()
            fail("interrupted; the same command continues where it stopped", EXIT_INTERRUPTED)
    shutil.rmtree(workspace, ignore_errors=True)
    return result

"""``people``: list the people at the beginning of a video."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.options import Force, JsonOption
from bodydouble.cli.progress import without_library_noise
from bodydouble.cli.settings import load_settings
from bodydouble.cli.shots import check_target
from bodydouble.cli.terminal import existing_file, out
from bodydouble.cli.values import print_json
from bodydouble.tasks.heavy_imports import heavy_imports

SHORT_SIDE_PIXELS = 480
"""Detection finds the same people as at full size, at a fraction of the cost."""


def people(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The driving video.", show_default=False)],
    as_json: JsonOption = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a JPEG with a number on each.", show_default=False)
    ] = None,
    force: Force = False,
) -> None:
    """List the people at the beginning of a video, largest first: the indices and points for `replace --person`.

    Examples:

      bodydouble people shot.mp4

      bodydouble people shot.mp4 --json | jq '.people[1]'
    """
    video = existing_file(video, "VIDEO")
    if picture is not None:
        check_target(picture, (".jpg", ".jpeg"), "--picture", force, inputs={"VIDEO": video})
    with heavy_imports():  # not for --help
        from bodydouble.bootstrap.options import media_limits
        from bodydouble.media import VideoReader, probe_video, working_size
        from bodydouble.perception import locate_pack
        from bodydouble.perception.video_people import draw_numbers, first_people
        from bodydouble.shot.preview import write_small_picture
        from bodydouble.tasks.errors import NobodyFound

    settings = load_settings()
    install_with_progress(quiet=True)
    info = probe_video(video, media_limits(settings), "video")
    reader = VideoReader(video, info, *working_size(info.width, info.height, SHORT_SIDE_PIXELS))
    try:
        with without_library_noise():
            seen = first_people(locate_pack(settings.models), reader)
        positions = seen.positions
        if picture is not None:
            write_small_picture(picture, draw_numbers(seen))
    except NobodyFound:
        if not as_json:
            raise
        positions = []
    if as_json:
        print_json({"people": [dataclasses.asdict(position) for position in positions]})
        return
    for rank, position in enumerate(positions):
        x, y = position.x + position.width / 2, position.y + position.height / 2
        out.print(f"{rank}: {position.width:.0%} by {position.height:.0%} of the frame around {x:.2f},{y:.2f}")

"""``people``: whom a video would let one choose from."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.terminal import existing_file, load_settings, out


def people(
    video: Annotated[Path, typer.Argument(help="The driving video.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="One line for programs.")] = False,
) -> None:
    """Say who is there when a video begins, largest first: what `replace --person` and the input `person` mean.

    Examples:

      bodydouble people shot.mp4

      bodydouble people shot.mp4 --json | jq '.people[1]'
    """
    video = existing_file(video, "VIDEO")
    from bodydouble.bootstrap.options import media_limits  # heavy: not for --help
    from bodydouble.media import VideoReader, probe_video, working_size
    from bodydouble.perception import locate_pack
    from bodydouble.perception.video_people import first_people
    from bodydouble.tasks.errors import NobodyFound

    settings = load_settings()
    install_with_progress(quiet=True)
    info = probe_video(video, media_limits(settings), "video")
    reader = VideoReader(video, info, *working_size(info.width, info.height, LOOKED_AT_SIDE))
    try:
        positions = first_people(locate_pack(settings.models), reader).positions
    except NobodyFound:
        if not as_json:
            raise
        positions = []
    if as_json:
        typer.echo(json.dumps({"people": [dataclasses.asdict(position) for position in positions]}))
        return
    for rank, position in enumerate(positions):
        x, y = position.x + position.width / 2, position.y + position.height / 2
        out.print(f"{rank}: {position.width:.0%} by {position.height:.0%} of the frame around {x:.2f},{y:.2f}")


LOOKED_AT_SIDE = 480
"""Short side in pixels: people are found as surely as in the full picture, at a fraction of the cost."""

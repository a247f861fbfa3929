"""``inspect``: show what perception finds in a video."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.options import Force, JsonOption
from bodydouble.cli.progress import ProgressDisplay
from bodydouble.cli.settings import load_settings
from bodydouble.cli.shot_inputs import parse_person
from bodydouble.cli.shots import check_target, parse_resolution
from bodydouble.cli.terminal import existing_file, out
from bodydouble.cli.values import print_json
from bodydouble.tasks.catalogue import RESOLUTIONS

RANGES_SHOWN_MAX = 8


def inspect(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The driving video.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="JPEG to write.")],
    resolution: Annotated[
        str,
        typer.Option(
            metavar="RESOLUTION",
            help="Short side in pixels: 480P, 580P or 720P.",
            autocompletion=lambda: [*RESOLUTIONS],
        ),
    ] = "480P",
    person: Annotated[str, typer.Option(metavar="PERSON", help="Person to track, as in `replace`.")] = "largest",
    force: Force = False,
    as_json: JsonOption = False,
) -> None:
    """Write a sheet of frames that shows the tracked person: skeleton, matte, face, masked background.

    If a result is not what you expected, start here.

    Examples:

      bodydouble inspect shot.mp4 -o sheet.jpg --json

      bodydouble inspect shot.mp4 -o sheet.jpg --person 1
    """
    video = existing_file(video, "VIDEO")
    short_side = parse_resolution(resolution)
    point, rank = parse_person(person)
    check_target(output, (".jpg",), "--output", force, inputs={"VIDEO": video})
    from bodydouble.bootstrap.options import media_limits  # slow imports: not for --help
    from bodydouble.perception import PersonChoice, locate_pack
    from bodydouble.shot.inspection import inspect_video

    settings = load_settings()
    install_with_progress(quiet=True)
    choice, limits = PersonChoice(point=point, rank=rank), media_limits(settings)
    with ProgressDisplay() as display:
        found = inspect_video(
            video,
            output,
            locate_pack(settings.models),
            choice,
            limits,
            short_side,
            lambda fraction: display.update("tracking the person", fraction),
        )
    if as_json:
        print_json({"sheet": output, **asdict(found)})
        return
    share = found.present / found.frames
    out.print(f"{output}: {found.frames} frames in {found.shots} shot{'s' if found.shots > 1 else ''}")
    out.print(f"the person is tracked in {found.present} frames ({share:.0%})")
    out.print(f"face in {found.face}, left hand in {found.hands[0]}, right hand in {found.hands[1]}")
    if found.absent:
        ranges = ", ".join(f"{a}-{b - 1}" for a, b in found.absent[:RANGES_SHOWN_MAX])
        more = len(found.absent) - RANGES_SHOWN_MAX
        out.print(f"not tracked in the frames {ranges}{f' and {more} more ranges' if more > 0 else ''}")

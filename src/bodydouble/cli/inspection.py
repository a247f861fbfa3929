"""``inspect``: what perception finds in a video."""

from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.replace import Force, Resolution
from bodydouble.cli.shots import ShotBar, check_target, parse_person, parse_resolution
from bodydouble.cli.terminal import existing_file, load_settings, out

SPANS_SHOWN = 8


def inspect(
    video: Annotated[Path, typer.Argument(help="The driving video.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the JPEG.")],
    resolution: Resolution = "480P",
    person: Annotated[str, typer.Option(help="Whom to follow; as in `replace`.")] = "largest",
    force: Force = False,
) -> None:
    """Show whom a replacement would follow, as a sheet of frames: skeleton, matte, face, masked background.

    Where a result is not what you expected, look here first. Example:

      bodydouble inspect shot.mp4 -o sheet.jpg --person 1
    """
    video = existing_file(video, "VIDEO")
    short_side = parse_resolution(resolution)
    point, rank = parse_person(person)
    check_target(output, ".jpg", "--output", force)
    from bodydouble.bootstrap.options import media_limits  # heavy: not for --help
    from bodydouble.perception import PersonChoice, locate_pack
    from bodydouble.shot.inspection import inspect_video

    settings = load_settings()
    install_with_progress(quiet=True)
    choice, limits = PersonChoice(point=point, rank=rank), media_limits(settings)
    with ShotBar() as bar:
        found = inspect_video(
            video,
            output,
            locate_pack(settings.models),
            choice,
            limits,
            short_side,
            lambda fraction: bar.tell("following the person", fraction),
        )
    share = found.present / found.frames
    out.print(f"{output}: {found.frames} frames in {found.shots} shot{'s' if found.shots > 1 else ''}")
    out.print(f"the person is followed in {found.present} frames ({share:.0%})")
    out.print(f"face in {found.face}, left hand in {found.hands[0]}, right hand in {found.hands[1]}")
    if found.absent:
        spans = ", ".join(f"{a}-{b - 1}" for a, b in found.absent[:SPANS_SHOWN])
        more = len(found.absent) - SPANS_SHOWN
        out.print(f"not followed in the frames {spans}{f' and {more} more spans' if more > 0 else ''}")

"""``replace`` and ``move``: make one shot without a service."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bodydouble.cli.options import Force
from bodydouble.cli.shot_inputs import with_shot_inputs
from bodydouble.cli.shots import make_shot
from bodydouble.renderers.plugin import ANIMATE, REPLACE
from bodydouble.renderers.shot_inputs import VIDEO_INPUT, picture_input

Video = Annotated[Path, typer.Argument(help=VIDEO_INPUT.help)]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="MP4 to write, or MKV: lossless (FFV1), for editing.")
]
Compare = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write a PNG of source and result.", show_default=False)
]
ShotInputs = dict[str, Any]
"""Values by field name; the command line has an option for each."""


@with_shot_inputs(REPLACE)
def replace(
    *,
    image: Annotated[Path, typer.Argument(help=picture_input(REPLACE).help)],
    video: Video,
    output: Output,
    inputs: ShotInputs,
    compare: Compare = None,
    force: Force = False,
) -> None:
    """Replace the person in VIDEO with the character in IMAGE. After an interruption, the same command continues.

    Examples:

      bodydouble replace portrait.jpg shot.mp4 -o double.mp4

      bodydouble replace elf.png street.mp4 -o double.mp4 --resolution 480P --person 0.7,0.5 --compare sheet.png
    """
    make_shot(image, video, output, compare, force=force, mode=REPLACE, inputs=inputs)


@with_shot_inputs(ANIMATE)
def move(
    *,
    image: Annotated[Path, typer.Argument(help=picture_input(ANIMATE).help)],
    video: Video,
    output: Output,
    inputs: ShotInputs,
    compare: Compare = None,
    force: Force = False,
) -> None:
    """Animate IMAGE: its character moves like the person in VIDEO. Needs the wan renderer (GPU).

    Example:

      bodydouble move portrait.jpg dance.mp4 -o dancing.mp4 --resolution 480P
    """
    make_shot(image, video, output, compare, force=force, mode=ANIMATE, inputs=inputs)

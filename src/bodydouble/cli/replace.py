"""``replace`` and ``move``: make one shot without a service."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bodydouble.cli.renderer_options import renderer_help, renderer_names, with_renderer_options
from bodydouble.cli.shots import make_shot
from bodydouble.renderers.plugin import ANIMATE, REPLACE
from bodydouble.renderers.registry import AUTO
from bodydouble.tasks.catalogue import RESOLUTIONS

Picture = Annotated[Path, typer.Argument(help="Picture of the character: JPEG, PNG, WebP, BMP, HEIC or AVIF.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="MP4 to write.")]
Resolution = Annotated[
    str,
    typer.Option(
        metavar="RESOLUTION",
        help="Size class of the short side: 480P, 580P or 720P.",
        autocompletion=lambda: [*RESOLUTIONS],
    ),
]
Person = Annotated[
    str,
    typer.Option(
        metavar="PERSON",
        help="The person in the video: largest, an index by size (0 is the largest), or a point X,Y (0 to 1).",
    ),
]
Compare = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write a PNG of source and result.", show_default=False)
]
RendererOptions = dict[str, Any]
"""Values by field name; the command line has an option for each."""
Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing files.")]


@with_renderer_options(REPLACE)
def replace(
    *,
    image: Picture,
    video: Annotated[Path, typer.Argument(help="The driving video: MP4, MOV, AVI, MKV or WebM.")],
    output: Output,
    resolution: Resolution = "720P",
    renderer: Annotated[
        str,
        typer.Option(metavar="RENDERER", help=renderer_help(REPLACE), autocompletion=lambda: renderer_names(REPLACE)),
    ] = AUTO,
    person: Person = "largest",
    options: RendererOptions,
    compare: Compare = None,
    force: Force = False,
) -> None:
    """Replace the person in VIDEO with the character in IMAGE. After an interruption, the same command continues.

    Examples:

      bodydouble replace portrait.jpg shot.mp4 -o double.mp4

      bodydouble replace elf.png street.mp4 -o double.mp4 --resolution 480P --person 0.7,0.5 --compare sheet.png
    """
    make_shot(
        image,
        video,
        output,
        compare,
        resolution=resolution,
        person=person,
        force=force,
        renderer=renderer,
        options=options,
    )


@with_renderer_options(ANIMATE)
def move(
    *,
    image: Picture,
    video: Annotated[Path, typer.Argument(help="The driving video: MP4, MOV, AVI, MKV or WebM.")],
    output: Output,
    resolution: Resolution = "720P",
    person: Person = "largest",
    options: RendererOptions,
    compare: Compare = None,
    force: Force = False,
) -> None:
    """Animate IMAGE: its character moves like the person in VIDEO. Needs the wan renderer (GPU).

    Example:

      bodydouble move portrait.jpg dance.mp4 -o dancing.mp4 --resolution 480P
    """
    make_shot(
        image,
        video,
        output,
        compare,
        resolution=resolution,
        person=person,
        force=force,
        mode=ANIMATE,
        options=options,
    )

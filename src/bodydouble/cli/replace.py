"""``replace`` and ``move``: one shot without any server."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bodydouble.cli.renderer_options import renderer_help, renderer_names, with_renderer_options
from bodydouble.cli.shots import make_shot
from bodydouble.renderers.plugin import ANIMATE, REPLACE
from bodydouble.renderers.registry import AUTO
from bodydouble.tasks.catalogue import RESOLUTIONS

Picture = Annotated[Path, typer.Argument(help="Picture of the character: JPEG, PNG, WebP or BMP.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write the MP4.")]
Resolution = Annotated[
    str,
    typer.Option(help="Class of the short side: 480P, 580P or 720P.", autocompletion=lambda: [*RESOLUTIONS]),
]
Compare = Annotated[
    Path | None, typer.Option(help="Also write a PNG that shows source and result.", show_default=False)
]
RendererOptions = dict[str, Any]
"""Values by field name; at the terminal an option for each."""
Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite what is there.")]


@with_renderer_options(REPLACE)
def replace(
    *,
    image: Picture,
    video: Annotated[Path, typer.Argument(help="Video in which to replace a person: MP4, MOV, AVI, MKV or WebM.")],
    output: Output,
    resolution: Resolution = "720P",
    renderer: Annotated[
        str,
        typer.Option(help=renderer_help(REPLACE), autocompletion=lambda: renderer_names(REPLACE)),
    ] = AUTO,
    person: Annotated[
        str, typer.Option(help="Whom to replace: largest, an index by size (0 is the largest), or a point X,Y (0-1).")
    ] = "largest",
    options: RendererOptions,
    compare: Compare = None,
    force: Force = False,
) -> None:
    """Replace the person in VIDEO by the character of IMAGE. Interrupted, the same command goes on where it stopped.

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
    video: Annotated[Path, typer.Argument(help="Video of the person who leads: MP4, MOV, AVI, MKV or WebM.")],
    output: Output,
    resolution: Resolution = "720P",
    person: Annotated[
        str, typer.Option(help="Whom to follow: largest, an index by size (0 is the largest), or a point X,Y (0-1).")
    ] = "largest",
    options: RendererOptions,
    compare: Compare = None,
    force: Force = False,
) -> None:
    """Move the character of IMAGE, in its own picture, as the person in VIDEO moves. Needs the wan renderer (GPU).

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

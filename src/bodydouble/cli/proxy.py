"""``proxy``: a small copy of a video that every browser plays. The console runs it."""

from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import existing_file
from bodydouble.cli.values import print_json


def proxy(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The video.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="MP4 to write, or to overwrite.")],
) -> None:
    """Write a small silent copy of a video as MP4 with H.264."""
    video = existing_file(video, "VIDEO")
    from bodydouble.bootstrap.options import media_limits  # slow imports: not for --help
    from bodydouble.media.proxy import write_proxy

    write_proxy(video, output, media_limits(load_settings()))
    print_json({"proxy": output})

"""``eval``: measure the quality of a result."""

from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.options import JsonOption
from bodydouble.cli.progress import ProgressDisplay
from bodydouble.cli.settings import load_settings
from bodydouble.cli.shot_inputs import parse_person
from bodydouble.cli.terminal import existing_file, make_table, show_table
from bodydouble.cli.values import print_json


def evaluate(
    output: Annotated[Path, typer.Argument(metavar="RESULT", help="The result.")],
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The driving video of the result.")],
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture of the character.")],
    person: Annotated[
        str, typer.Option(metavar="PERSON", help="The person who was replaced, as in `replace`.")
    ] = "largest",
    background: Annotated[
        Path | None,
        typer.Option(
            metavar="VIDEO",
            help="The scene without the person, where the driving video is a composite: measures the plate's error.",
        ),
    ] = None,
    unencoded: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The same shot exported losslessly (MKV): also measures the background before encoding.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a result: background, pose, bones, feet, tears, face, clothes, flicker, residue, and the media.

    Examples:

      bodydouble eval double.mp4 shot.mp4 portrait.jpg

      bodydouble eval double.mp4 shot.mp4 portrait.jpg --json | jq .bone_length_share
    """
    output, video, image = existing_file(output, "RESULT"), existing_file(video, "VIDEO"), existing_file(image, "IMAGE")
    background = background and existing_file(background, "--background")
    unencoded = unencoded and existing_file(unencoded, "--unencoded")
    point, rank = parse_person(person)
    from bodydouble.bootstrap.options import media_limits  # slow imports: not for --help
    from bodydouble.cli.evaluation_report import report_rows
    from bodydouble.evaluation import evaluate as measure
    from bodydouble.perception import PersonChoice, locate_pack

    settings = load_settings()
    install_with_progress(quiet=True)
    choice = PersonChoice(point=point, rank=rank)
    with ProgressDisplay() as display:
        figures = measure(
            output,
            video,
            image,
            locate_pack(settings.models),
            choice,
            media_limits(settings),
            lambda fraction: display.update("measuring", fraction),
            background,
            unencoded,
        )
    if as_json:
        print_json(figures)
        return
    _show(report_rows(figures))


def _show(rows: list[tuple[str, str, str]]) -> None:
    table = make_table("measure", "value", "meaning")
    for row in rows:
        table.add_row(*row)
    show_table(table)

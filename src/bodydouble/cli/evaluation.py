"""``eval``: how good a result is."""

from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.models import install_with_progress
from bodydouble.cli.shots import ShotBar, parse_person
from bodydouble.cli.terminal import existing_file, load_settings, out


def evaluate(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The result.")],
    video: Annotated[Path, typer.Argument(help="The driving video that it was made from.")],
    image: Annotated[Path, typer.Argument(help="The picture of the character.")],
    person: Annotated[str, typer.Option(help="Who was replaced; as in `replace`.")] = "largest",
    as_json: Annotated[bool, typer.Option("--json", help="One line for programs.")] = False,
) -> None:
    """Measure a result: background, pose, face, flicker, residue, and whether frames, rate and sound are the source's.

    Examples:

      bodydouble eval double.mp4 shot.mp4 portrait.jpg

      bodydouble eval double.mp4 shot.mp4 portrait.jpg --json | jq .pck_20
    """
    output, video, image = existing_file(output, "OUT"), existing_file(video, "VIDEO"), existing_file(image, "IMAGE")
    point, rank = parse_person(person)
    from bodydouble.bootstrap.options import media_limits  # heavy: not for --help
    from bodydouble.evaluation import evaluate as measure
    from bodydouble.evaluation import format_table
    from bodydouble.perception import PersonChoice, locate_pack

    settings = load_settings()
    install_with_progress(quiet=True)
    choice = PersonChoice(point=point, rank=rank)
    with ShotBar() as bar:
        figures = measure(
            output,
            video,
            image,
            locate_pack(settings.models),
            choice,
            media_limits(settings),
            lambda fraction: bar.tell("measuring", fraction),
        )
    if as_json:
        typer.echo(figures.to_json())
    else:
        out.print(format_table(figures))

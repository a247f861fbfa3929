"""``verify``: what a file says about its origin."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bodydouble.cli.options import JsonOption
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import EXIT_FAILED, existing_file, out, show_facts
from bodydouble.cli.values import print_json


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of any format.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Report what FILE says about its origin: signature, signer, marks as generated. The file is not sent anywhere.

    The exit status is 1 if a signature is invalid.

    Examples:

      bodydouble verify double.mp4

      bodydouble verify shot.mp4 --json | jq .generated
    """
    file = existing_file(file, "FILE")
    from bodydouble.bootstrap.provenance import trust_anchors  # slow imports: not for --help
    from bodydouble.media import MediaLimits
    from bodydouble.provenance.description import conclusion, describe_layers
    from bodydouble.worker.inspection.pool import InspectionPool

    settings = load_settings()

    async def read() -> Mapping[str, Any]:
        async with InspectionPool(MediaLimits()) as pool:
            return await pool.read_marks(file.resolve(), trust_anchors(settings))

    marks = asyncio.run(read())
    if as_json:
        print_json(marks)
    else:
        if facts := [(name, "\n".join(lines)) for name, lines in describe_layers(marks)]:
            show_facts(facts)
        out.print(conclusion(marks))
    if any(layer.get("state") == "invalid" for layer in marks["layers"]):
        raise typer.Exit(EXIT_FAILED)

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

STATES = {
    "trusted": "valid, by a trusted signer",
    "valid": "valid, by a signer that no known authority vouches for",
    "invalid": "INVALID: the file or its manifest changed after signing",
}
NAMES = {"c2pa": "C2PA manifest", "xmp": "XMP", "aigc": "AIGC label", "comment": "comment"}


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
    from bodydouble.worker.inspection.pool import InspectionPool

    settings = load_settings()

    async def read() -> Mapping[str, Any]:
        async with InspectionPool(MediaLimits()) as pool:
            return await pool.read_marks(file.resolve(), trust_anchors(settings))

    marks = asyncio.run(read())
    if as_json:
        print_json(marks)
    else:
        _show(marks)
    if any(layer.get("state") == "invalid" for layer in marks["layers"]):
        raise typer.Exit(EXIT_FAILED)


def _show(marks: Mapping[str, Any]) -> None:
    if facts := [(NAMES[layer["layer"]], "\n".join(_lines(layer))) for layer in marks["layers"]]:
        show_facts(facts)
    match marks["generated"]:
        case True:
            out.print("This file says that it was generated, at least in part.")
        case False:
            out.print("This file has a valid signature and says nothing of generated content.")
        case _:
            out.print("Nothing is known about the origin of this file: it has no valid marks. That proves nothing.")


def _lines(layer: Mapping[str, Any]) -> list[str]:
    if layer["layer"] == "comment":
        return [layer["text"]]
    if layer["layer"] == "aigc":
        return [str(layer["content"])]
    lines = [STATES[layer["state"]]] if "state" in layer else []
    for name in ("signer", "signed_at", "generator"):
        if layer.get(name):
            lines.append(f"{name.replace('_', ' ')}: {layer[name]}")
    if layer["source_types"]:
        lines.append(f"source type: {', '.join(layer['source_types'])}")
    for part in layer.get("ingredients", ()):
        lines.append(f"made from: {part['title']}{', which has a manifest of its own' if part['signed'] else ''}")
    if production := layer.get("production"):
        lines.append(f"renderer: {production.get('renderer')}")
        if task := production.get("task"):
            lines.append(f"task: {task}")
    lines += [f"problem: {problem}" for problem in layer.get("problems", ())]
    return lines

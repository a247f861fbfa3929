"""The marks of a file in words, for the command line and the console. Loads no library."""

from collections.abc import Mapping
from typing import Any

STATES = {
    "trusted": "valid, by a trusted signer",
    "valid": "valid, by a signer that no known authority vouches for",
    "invalid": "INVALID: the file or its manifest changed after signing",
}
NAMES = {"c2pa": "C2PA manifest", "xmp": "XMP", "aigc": "AIGC label", "comment": "Comment"}


def describe_layers(marks: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The name of each layer of ``provenance.marks.read_marks``, and its lines."""
    return [(NAMES[layer["layer"]], _lines(layer)) for layer in marks["layers"]]


def conclusion(marks: Mapping[str, Any]) -> str:
    """A summary of all layers in one or two sentences."""
    match marks["generated"]:
        case True:
            return "This file says that it was generated, at least in part."
        case False:
            return "This file has a valid signature and says nothing of generated content."
        case _:
            return "Nothing is known about the origin of this file: it has no valid marks. That proves nothing."


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

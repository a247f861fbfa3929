"""Everything in a file that says whether it was generated: its C2PA manifest, XMP, China's label, and comments."""

import json
import mmap
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av.error
from PIL import Image

from bodydouble.media.container import open_container
from bodydouble.media.mux import RESULT_COMMENT
from bodydouble.provenance.foreign_texts import plain_text, plain_value
from bodydouble.provenance.reading import GENERATED_TYPES, Manifest, read_manifest, telling_types

XMP_START, XMP_END = b"<x:xmpmeta", b"</x:xmpmeta>"
"""Around a packet of XMP (ISO 16684-1)."""
XMP_BYTES_MAX = 200_000
"""Larger packets are not read. Those of pictures have a few kilobytes."""
XMP_PACKETS_MAX = 1000
"""Packets of one file that are read."""
XMP_SOURCE_TYPE = re.compile(rb"newscodes/digitalsourcetype/([A-Za-z]{1,60})")
AIGC = "AIGC"
"""Key of the implicit label of GB 45438-2025 (China); its value is JSON."""
COMMENT_CHARACTERS_MAX = 500
VALUE_CHARACTERS_MAX = 4000
"""Characters of a comment and of a label's value that a report shows."""

Layer = dict[str, Any]


def read_marks(path: Path, trust_anchors: str = "") -> dict[str, Any]:
    """Every layer of provenance that the file has, in any format, and what they say together.

    ``layers``: each with ``layer`` (c2pa, xmp, aigc or comment) and ``generated``. ``generated``: true if a layer says
    that a program made the file, at least in part; false if a valid signature describes another origin; None if nothing
    is known. Raises OSError.
    """
    layers = list(_layers(path, trust_anchors))
    generated = any(layer["generated"] for layer in layers)
    signed = any(layer["layer"] == "c2pa" and layer["state"] != "invalid" for layer in layers)
    return {"layers": layers, "generated": True if generated else (False if signed else None)}


def input_report(path: Path) -> dict[str, Any] | None:
    """The report on the marks of one input, for the result; None if it has no mark. Raises OSError.

    ``marks`` names the layers, ``generated`` tells whether one of them says that a program made the file. With a
    manifest there are its ``state``, ``signer`` and ``generator`` too. A comment counts if it is that of our results.
    """
    layers = [layer for layer in _layers(path, "") if layer["layer"] != "comment" or layer["generated"]]
    if not layers:
        return None
    manifest = {name: layers[0][name] for name in ("state", "signer", "generator") if name in layers[0]}
    generated = any(layer["generated"] for layer in layers)
    return {"marks": [layer["layer"] for layer in layers], **manifest, "generated": generated}


def _layers(path: Path, trust_anchors: str) -> Iterator[Layer]:
    manifest = read_manifest(path, trust_anchors)
    if manifest is not None:
        yield _manifest_layer(manifest)
    if types := _xmp_source_types(path):
        yield {"layer": "xmp", "source_types": types, "generated": not GENERATED_TYPES.isdisjoint(types)}
    texts = _texts(path)
    if AIGC in texts:
        yield {"layer": "aigc", "content": _json_or_text(texts[AIGC]), "generated": True}
    if comment := texts.get("comment", ""):
        yield {"layer": "comment", "text": comment[:COMMENT_CHARACTERS_MAX], "generated": comment == RESULT_COMMENT}


def _manifest_layer(manifest: Manifest) -> Layer:
    return {
        "layer": "c2pa",
        "state": manifest.state,
        "signer": manifest.signer,
        "signed_at": manifest.signed_at,
        "generator": manifest.generator,
        "source_types": list(manifest.source_types),
        "generated": manifest.is_generated,
        "problems": list(manifest.problems),
        "ingredients": [
            {"title": part.title, "relationship": part.relationship, "signed": part.signed}
            for part in manifest.ingredients
        ],
        "production": dict(manifest.production) or None,
    }


def _xmp_source_types(path: Path) -> list[str]:
    """IPTC's source types in the file's XMP packets."""
    if path.stat().st_size == 0:
        return []
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        packets = islice(_xmp_packets(content), XMP_PACKETS_MAX)
        return list(telling_types(kind.decode() for packet in packets for kind in XMP_SOURCE_TYPE.findall(packet)))


def _xmp_packets(content: mmap.mmap) -> Iterator[bytes]:
    """The packets, in a time that grows linearly with the file: many starts without an end cost nothing extra."""
    position = 0
    while (start := content.find(XMP_START, position)) >= 0 and (end := content.find(XMP_END, start)) >= 0:
        position = end + len(XMP_END)
        if end - start > XMP_BYTES_MAX:  # that start has no end of its own; a later one may
            start = content.find(XMP_START, end - XMP_BYTES_MAX, end)
        if start >= 0:
            yield content[start:end]


def _texts(path: Path) -> Mapping[str, str]:
    """The file's texts by name: metadata of a video's container, or of a picture."""
    try:
        with open_container(path) as container:
            return {str(name): str(value) for name, value in container.metadata.items()}
    except av.error.FFmpegError:
        pass
    try:
        with Image.open(path) as picture:
            info = cast("dict[Any, Any]", picture.info)
            return {str(name): value for name, value in info.items() if isinstance(value, str)}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}


def _json_or_text(text: str) -> Any:
    text = text[:VALUE_CHARACTERS_MAX]
    try:
        return plain_value(json.loads(text))
    except (ValueError, RecursionError):
        return plain_text(text, VALUE_CHARACTERS_MAX)

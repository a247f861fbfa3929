"""Everything in a file that says whether it was generated: its C2PA manifest, XMP, China's label, and comments."""

import json
import mmap
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import av.error
from PIL import Image

from bodydouble.media.container import open_container
from bodydouble.media.mux import RESULT_COMMENT
from bodydouble.provenance.reading import GENERATED_TYPES, Manifest, read_manifest

XMP = re.compile(rb"<x:xmpmeta.{0,200000}?</x:xmpmeta>", re.DOTALL)
"""A packet of XMP (ISO 16684-1), of a length that pictures have."""
XMP_SOURCE_TYPE = re.compile(rb"newscodes/digitalsourcetype/([A-Za-z]{1,60})")
AIGC = "AIGC"
"""Key of the implicit label of GB 45438-2025 (China); its value is JSON."""
COMMENT_CHARACTERS_MAX = 500
VALUE_CHARACTERS_MAX = 4000

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
        found = [kind for packet in XMP.finditer(content) for kind in XMP_SOURCE_TYPE.findall(packet[0])]
    return list(dict.fromkeys(kind.decode() for kind in found))


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
        return json.loads(text)
    except ValueError:
        return text

"""How this program uses C2PA's library: without requests to other servers, and without pictures of the inputs."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import c2pa

UNKNOWN_FORMAT = "application/octet-stream"
"""A file of a format that cannot hold a manifest. C2PA's library takes any name that it does not know for that."""
FORMATS_BY_START = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\x1aE\xdf\xa3", "video/x-matroska"),
)
"""First bytes → format. Matroska and WebM cannot hold a manifest."""
BRANDS = {
    b"qt  ": "video/quicktime",
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
}
"""Major brand of a file with boxes (ISO/IEC 14496-12) → format; all others are MP4."""
RIFF_FORMS = {b"AVI ": "video/avi", b"WEBP": "image/webp", b"WAVE": "audio/wav"}


@cache
def c2pa_context(trust_anchors: str = "") -> c2pa.Context:
    """The settings of every call. ``trust_anchors``: certificates of trusted authorities in PEM form.

    A manifest may name an address where it is stored, or where its certificate's state can be asked. Following it
    would let any uploaded file make this machine send requests. Thumbnails would show private inputs in results.
    """
    settings: dict[str, Any] = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": bool(trust_anchors)},
        "builder": {"thumbnail": {"enabled": False}},
    }
    if trust_anchors:
        settings["trust"] = {"user_anchors": trust_anchors}
    return c2pa.Context.from_json(json.dumps(settings))


def format_of(path: Path) -> str:
    """The media type of a file by its first bytes. Raises OSError."""
    with path.open("rb") as stream:
        start = stream.read(12)
    if start[4:8] == b"ftyp":
        return BRANDS.get(start[8:12], "video/mp4")
    if start[:4] == b"RIFF":
        return RIFF_FORMS.get(start[8:12], UNKNOWN_FORMAT)
    return next((form for first, form in FORMATS_BY_START if start.startswith(first)), UNKNOWN_FORMAT)

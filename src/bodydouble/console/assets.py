"""Style sheet, JavaScript modules and icons, served under a path that contains their hash."""

import hashlib
import mimetypes
from functools import cache
from importlib import resources

from fastapi import APIRouter
from fastapi.responses import Response

from bodydouble.tasks.errors import NotFound

IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
router = APIRouter()


@cache
def _contents() -> dict[str, bytes]:
    folder = resources.files("bodydouble.console").joinpath("assets")
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}


@cache
def asset_root() -> str:
    """The URL path of all assets. Modules import each other by relative names below it."""
    digest = hashlib.sha256()
    for name, content in sorted(_contents().items()):
        digest.update(name.encode() + content)
    return f"/console/assets/{digest.hexdigest()[:12]}"


@router.get("/console/assets/{version}/{name}", include_in_schema=False)
async def asset(version: str, name: str) -> Response:
    """One asset. Browsers may cache it for ever, because changed content has another path."""
    content = _contents().get(name)
    if content is None:
        raise NotFound("File not found")
    kind = {"js": "text/javascript", "svg": "image/svg+xml"}.get(name.rpartition(".")[2])
    kind = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
    is_text = kind.startswith("text/") or kind.endswith("xml")
    headers = IMMUTABLE if f"/{version}" in asset_root() else {"cache-control": "no-store"}
    return Response(content, media_type=f"{kind}; charset=utf-8" if is_text else kind, headers=headers)

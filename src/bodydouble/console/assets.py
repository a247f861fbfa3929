"""Style sheet, modules and pictures of the pages, under a path that changes with their content."""

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
    """The folder of the assets on the wire; modules import each other below it by relative names."""
    digest = hashlib.sha256()
    for name, content in sorted(_contents().items()):
        digest.update(name.encode() + content)
    return f"/console/assets/{digest.hexdigest()[:12]}"


@router.get("/console/assets/{version}/{name}", include_in_schema=False)
async def asset(version: str, name: str) -> Response:
    """One file; browsers may keep it for good, because other content has another path."""
    content = _contents().get(name)
    if content is None:
        raise NotFound("File not found")
    kind = {"js": "text/javascript", "svg": "image/svg+xml"}.get(name.rpartition(".")[2])
    kind = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind.endswith("xml")
    headers = IMMUTABLE if f"/{version}" in asset_root() else {"cache-control": "no-store"}
    return Response(content, media_type=f"{kind}; charset=utf-8" if text else kind, headers=headers)

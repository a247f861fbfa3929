"""Uploads in pieces by the tus protocol, 1.0.0, its core: what upload-url answers is where such an upload begins.

https://tus.io/protocols/resumable-upload
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.api.description import Responses, errors
from bodydouble.api.envelope import failure
from bodydouble.tasks.errors import WrongOffset
from bodydouble.tasks.files import FileStore, ResumableUploads

router = APIRouter(prefix="/files", tags=["files"])

VERSION: Final = "1.0.0"
TUS = {"tus-resumable": VERSION, "cache-control": "no-store"}
PIECE = "application/offset+octet-stream"
OFFSET: dict[str, Any] = {"schema": {"type": "integer", "minimum": 0}, "description": "How many bytes are there now."}
TAKEN: Responses = {
    204: {
        "description": "Taken",
        "headers": {"Upload-Offset": OFFSET, "Tus-Resumable": {"schema": {"const": VERSION}}},
    },
} | errors(403, 409, 412, 415, 422, 500, 507)
PIECES: dict[str, Any] = {
    "requestBody": {"required": True, "content": {PIECE: {"schema": {"type": "string", "format": "binary"}}}},
    "parameters": [
        {"name": "Upload-Offset", "in": "header", "required": True, "schema": {"type": "integer", "minimum": 0}},
        {"name": "Tus-Resumable", "in": "header", "required": False, "schema": {"const": VERSION}},
    ],
}


def _place(request: Request, key: str) -> tuple[ResumableUploads, int] | None:
    """Where the pieces go and how many bytes there will be; None where nobody signed for it."""
    files: FileStore = request.app.state.files
    size = files.resumable.size(key, request.query_params) if files.resumable else None
    return None if files.resumable is None or size is None else (files.resumable, size)


def _refused(request: Request) -> Response:
    return failure(request, 403, "This upload address is not valid or has expired; ask for a new one", 403)


async def tell_offset(request: Request, key: str) -> Response:
    """How much is there, and how much there will be."""
    place = _place(request, key)
    if place is None:
        return _refused(request)
    uploads, size = place
    return Response(headers=TUS | {"upload-offset": str(await uploads.offset(key, size)), "upload-length": str(size)})


@router.options("/{key:path}", include_in_schema=False)
async def tell_protocol() -> Response:
    """Which version of the protocol is spoken."""
    return Response(status_code=204, headers=TUS | {"tus-version": VERSION})


@router.patch("/{key:path}", status_code=204, response_class=Response, responses=TAKEN, openapi_extra=PIECES)
async def take_piece(request: Request, key: str) -> Response:
    """Take what follows `Upload-Offset` under the address `resumable_url`; where the connection breaks, what came of
    it is kept. `HEAD` of the same address tells where to go on.
    """
    place = _place(request, key)
    if place is None:
        return _refused(request)
    headers = request.headers
    if headers.get("tus-resumable", VERSION) != VERSION:
        return failure(request, 412, f"Tus-Resumable: {VERSION} is spoken here", 412, headers={"tus-version": VERSION})
    if headers.get("content-type", "") != PIECE:
        return failure(request, 415, f"Content-Type: has to be {PIECE}", 415)
    offset = headers.get("upload-offset", "")
    if not offset.isdecimal() or len(offset) > 15:
        return failure(request, 422, "Upload-Offset: has to say where these bytes begin; 0 for the first", 422)
    uploads, size = place
    try:
        reached = await uploads.append(key, size, int(offset), request.stream())
    except WrongOffset as error:
        return failure(request, 409, error.message, 409, headers=TUS | {"upload-offset": str(error.offset)})
    return Response(status_code=204, headers=TUS | {"upload-offset": str(reached)})

"""Signed GET and PUT of files."""

from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from bodydouble.api.answers import StoredData
from bodydouble.api.description import Responses, answers, errors
from bodydouble.api.envelope import EnvelopeResponse, failure, success
from bodydouble.api.resumable import tell_offset
from bodydouble.tasks.errors import NotFound
from bodydouble.tasks.files import FileStore

router = APIRouter(prefix="/files", tags=["files"])

FORWARD_SECONDS = 3600
"""How long the address holds that leads from ours to a bucket's."""
HEADERS = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}
BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
DOWNLOAD: Responses = {
    200: {"description": "The file", "content": {"*/*": BYTES}},
    206: {"description": "The part that `Range` asks for", "content": {"*/*": BYTES}},
    304: {"description": "As it was when it had this `ETag`"},
    307: {"description": "The file lies in a bucket, at this address"},
    416: {
        "description": "`Range` asks for what is not there",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
} | errors(403, 404, 422, 500)
UPLOAD: dict[str, Any] = {"requestBody": {"required": True, "content": {"*/*": BYTES}}}


def _files(request: Request) -> FileStore:
    return request.app.state.files


@router.head("/{key:path}", include_in_schema=False)
async def describe(request: Request, key: str) -> Response:
    """A file without its bytes; of an upload in pieces how much is there."""
    return await (tell_offset(request, key) if "size" in request.query_params else download(request, key))


@router.get("/{key:path}", response_class=FileResponse, responses=DOWNLOAD)
async def download(request: Request, key: str) -> Response:
    """A file by its signed address; Range requests are answered. Where files lie in a bucket: 307 to it."""
    files = _files(request)
    if not files.allows("GET", key, dict(request.query_params), ""):
        return failure(request, 403, "This file address is not valid or has expired", 403)
    stored = await files.stat(key)
    if stored is None:
        raise NotFound("File not found", key=key)
    if stored.path is not None:
        name = stored.path.name
        return FileResponse(
            stored.path,
            media_type=stored.content_type,
            headers=HEADERS,
            filename=name,
            content_disposition_type="inline",
        )
    if request.method == "HEAD":  # a bucket's address is signed for GET alone
        described = {
            "content-length": str(stored.size_bytes),
            "content-type": stored.content_type,
            "last-modified": format_datetime(stored.modified_at, usegmt=True),
            "accept-ranges": "bytes",
        }
        return Response(headers=HEADERS | described)
    return RedirectResponse(
        await files.sign_download(key, FORWARD_SECONDS), 307, headers={"cache-control": "private, max-age=600"}
    )


@router.put(
    "/{key:path}",
    response_class=EnvelopeResponse,
    openapi_extra=UPLOAD,
    responses=answers(StoredData, 403, 409, 507, keyed=False),
)
async def upload(request: Request, key: str) -> Any:
    """Take the bytes of an upload, under the address and Content-Type that upload-url gave."""
    files = _files(request)
    content_type = request.headers.get("content-type", "")
    if not files.allows("PUT", key, dict(request.query_params), content_type):
        return failure(
            request, 403, "This upload address is not valid, has expired, or was made for another Content-Type", 403
        )
    announced = request.headers.get("content-length", "")
    stored = await files.receive(key, request.stream(), int(announced) if announced.isdecimal() else None)
    return success({"size": stored.size_bytes})

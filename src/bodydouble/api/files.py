"""Signed GET and PUT of files."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from bodydouble.api.envelope import EnvelopeResponse, failure, success
from bodydouble.store.files import LocalFileStore

router = APIRouter(prefix="/files", tags=["files"])


def _files(request: Request) -> LocalFileStore:
    return request.app.state.files


@router.head("/{key:path}", response_class=FileResponse, include_in_schema=False)
@router.get("/{key:path}", response_class=FileResponse)
async def download(request: Request, key: str) -> Response:
    """A file by its signed address; Range requests are answered."""
    files = _files(request)
    if not files.allows("GET", key, dict(request.query_params), ""):
        return failure(request, 403, "This file address is not valid or has expired", 403)
    stored = files.stored(key)
    assert stored.path is not None, "local files have a path"
    headers = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}
    return FileResponse(stored.path, media_type=stored.content_type, headers=headers)


@router.put("/{key:path}", response_class=EnvelopeResponse)
async def upload(request: Request, key: str) -> Any:
    """Take the bytes of an upload, under the address and Content-Type that upload-url gave."""
    files = _files(request)
    content_type = request.headers.get("content-type", "")
    if not files.allows("PUT", key, dict(request.query_params), content_type):
        return failure(
            request, 403, "This upload address is not valid, has expired, or was made for another Content-Type", 403
        )
    stored = await files.receive(key, request.stream())
    return success({"size": stored.size_bytes})

"""Download and upload of files at signed URLs."""

from email.utils import format_datetime
from typing import Any

from fastapi import Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from bodydouble.api.crun.envelope import failure, success
from bodydouble.api.crun.openapi import Responses, error_responses, responses
from bodydouble.api.crun.response_models import StoredData
from bodydouble.api.crun.resumable import upload_offset
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.routing import api_router
from bodydouble.tasks.content_length import announced_bytes
from bodydouble.tasks.errors import NotFound
from bodydouble.tasks.files import FileStore

router = api_router(prefix="/files", tags=["files"])

REDIRECT_URL_SECONDS = 3600
"""Lifetime of the bucket URL that a download redirects to."""
HEADERS = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}
BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
ANY_CONTENT: dict[str, Any] = {"application/octet-stream": BYTES, "*/*": BYTES}
"""Client generators understand the first, and the second is what we accept."""
DOWNLOAD: Responses = {
    200: {"description": "The file", "content": ANY_CONTENT},
    206: {"description": "The requested range", "content": ANY_CONTENT},
    304: {"description": "Unchanged since this `ETag`"},
    307: {"description": "The file is stored in a bucket at this URL"},
    416: {
        "description": "The requested range is outside the file",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
} | error_responses(403, 404, 422, 500)
UPLOAD: dict[str, Any] = {"requestBody": {"required": True, "content": ANY_CONTENT}}


def _files(request: Request) -> FileStore:
    return request.app.state.files


@router.head("/{key:path}", include_in_schema=False)
async def describe(request: Request, key: str) -> Response:
    """Metadata of a file; for a resumable upload, the number of bytes received."""
    return await (upload_offset(request, key) if "size" in request.query_params else download(request, key))


@router.get("/{key:path}", operation_id="downloadFile", response_class=FileResponse, responses=DOWNLOAD)
async def download(request: Request, key: str) -> Response:
    """Download a file by its signed URL; Range requests work. Files in a bucket are answered with a redirect (307)."""
    files = _files(request)
    if not files.allows("GET", key, dict(request.query_params), ""):
        return failure(request, 403, "This file URL is not valid or has expired", 403)
    stored = await files.stat(key)
    if stored is None:
        raise NotFound("File not found", key=key)
    if stored.path is not None:
        _ignore_unknown_range(request)
        name = stored.path.name
        return FileResponse(
            stored.path,
            media_type=stored.content_type,
            headers=HEADERS,
            filename=name,
            content_disposition_type="inline",
        )
    if request.method == "HEAD":  # a bucket's URL is signed for GET only
        metadata = {
            "content-length": str(stored.size_bytes),
            "content-type": stored.content_type,
            "last-modified": format_datetime(stored.modified_at, usegmt=True),
            "accept-ranges": "bytes",
        }
        return Response(headers=HEADERS | metadata)
    return RedirectResponse(
        await files.sign_download(key, REDIRECT_URL_SECONDS), 307, headers={"cache-control": "private, max-age=600"}
    )


def _ignore_unknown_range(request: Request) -> None:
    """Drop a ``Range`` header in another unit than bytes, as RFC 9110 (14.2) requires; Starlette would respond 400."""
    if not request.headers.get("range", "bytes=").strip().lower().startswith("bytes="):
        request.scope["headers"] = [(name, value) for name, value in request.scope["headers"] if name != b"range"]


@router.put(
    "/{key:path}",
    operation_id="uploadFile",
    response_class=JsonResponse,
    openapi_extra=UPLOAD,
    responses=responses(StoredData, 403, 409, 507, keyed=False),
)
async def upload(request: Request, key: str) -> Any:
    """Upload a file to the address that upload-url returned, with the same Content-Type."""
    files = _files(request)
    content_type = request.headers.get("content-type", "")
    if not files.allows("PUT", key, dict(request.query_params), content_type):
        return failure(
            request, 403, "This upload URL is not valid, has expired, or was issued for another Content-Type", 403
        )
    stored = await files.receive(key, request.stream(), announced_bytes(request.headers))
    return success({"size": stored.size_bytes})

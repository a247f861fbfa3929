"""Resumable uploads with the core of the tus protocol 1.0.0. The address comes from upload-url.

https://tus.io/protocols/resumable-upload
"""

from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.crun.envelope import failure
from bodydouble.api.crun.openapi import Responses, error_responses
from bodydouble.api.routing import api_router
from bodydouble.tasks.errors import WrongOffset
from bodydouble.tasks.files import FileStore, ResumableUploads

router = api_router(prefix="/files", tags=["files"])

VERSION: Final = "1.0.0"
TUS = {"tus-resumable": VERSION, "cache-control": "no-store"}
PATCH_CONTENT_TYPE = "application/offset+octet-stream"
OFFSET: dict[str, Any] = {"schema": {"type": "integer", "minimum": 0}, "description": "Number of bytes received."}
APPENDED: Responses = {
    204: {
        "description": "The bytes were appended",
        "headers": {"Upload-Offset": OFFSET, "Tus-Resumable": {"schema": {"type": "string", "enum": [VERSION]}}},
    },
} | error_responses(403, 409, 412, 415, 422, 500, 507)
PATCH_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {PATCH_CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
    "parameters": [
        {"name": "Upload-Offset", "in": "header", "required": True, "schema": {"type": "integer", "minimum": 0}},
        {"name": "Tus-Resumable", "in": "header", "required": False, "schema": {"type": "string", "enum": [VERSION]}},
    ],
}


def _find_upload(request: Request, key: str) -> tuple[ResumableUploads, int] | None:
    """The upload store and the final size of a resumable upload in bytes. None if the URL is not validly signed."""
    files: FileStore = request.app.state.files
    size = files.resumable.size(key, request.query_params) if files.resumable else None
    return None if files.resumable is None or size is None else (files.resumable, size)


def _invalid_address(request: Request) -> Response:
    return failure(request, 403, "This upload URL is not valid or has expired; request a new one", 403)


async def upload_offset(request: Request, key: str) -> Response:
    """The number of bytes received and the final size, as tus headers."""
    upload = _find_upload(request, key)
    if upload is None:
        return _invalid_address(request)
    uploads, size = upload
    return Response(headers=TUS | {"upload-offset": str(await uploads.offset(key, size)), "upload-length": str(size)})


@router.options("/{key:path}", include_in_schema=False)
async def upload_options() -> Response:
    """The supported version of the tus protocol."""
    return Response(status_code=204, headers=TUS | {"tus-version": VERSION})


@router.patch(
    "/{key:path}",
    operation_id="appendToUpload",
    status_code=204,
    response_class=Response,
    responses=APPENDED,
    openapi_extra=PATCH_REQUEST,
)
async def append_piece(request: Request, key: str) -> Response:
    """Append bytes at `Upload-Offset` to the upload at `resumable_url`.

    Bytes received before a lost connection are kept. `HEAD` of the same URL returns the offset to continue at.
    """
    upload = _find_upload(request, key)
    if upload is None:
        return _invalid_address(request)
    headers = request.headers
    if headers.get("tus-resumable", VERSION) != VERSION:
        return failure(
            request, 412, f"Tus-Resumable: only version {VERSION} is supported", 412, headers={"tus-version": VERSION}
        )
    if headers.get("content-type", "") != PATCH_CONTENT_TYPE:
        return failure(request, 415, f"Content-Type: must be {PATCH_CONTENT_TYPE}", 415)
    offset = headers.get("upload-offset", "")
    if not offset.isdecimal() or len(offset) > 15:
        return failure(
            request, 422, "Upload-Offset: must be the position of these bytes in the file; 0 for the first", 422
        )
    uploads, size = upload
    try:
        new_offset = await uploads.append(key, size, int(offset), request.stream())
    except WrongOffset as error:
        return failure(request, 409, error.message, 409, headers=TUS | {"upload-offset": str(error.offset)})
    return Response(status_code=204, headers=TUS | {"upload-offset": str(new_offset)})

"""Replicate's files: uploads that a prediction can name."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.api.authentication import identify
from bodydouble.api.form_parts import FormPart, form_parts
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.replicate.keys import replicate_key
from bodydouble.api.replicate.names import ROOT
from bodydouble.api.replicate.openapi import ROUTES
from bodydouble.api.route_descriptions import FORM, TEXT, file_form
from bodydouble.api.uploads import extension_of, store_upload
from bodydouble.service import Caller
from bodydouble.service.inline_files import EXTENSIONS
from bodydouble.service.json_input import read_json_object
from bodydouble.tasks.errors import InvalidParams, NotFound
from bodydouble.tasks.files import FileStore, StoredFile

router = APIRouter(prefix=ROOT, tags=["files"])

FILES = f"{ROOT}/files"
FILES_MAX = 1000


class _Digests:
    """SHA-256 and MD5 of what passes through; MD5 because the clients' model of a file has it."""

    def __init__(self) -> None:
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)

    async def pass_through(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self._sha256.update(chunk)
            self._md5.update(chunk)
            yield chunk

    def document(self) -> dict[str, str]:
        return {"sha256": self._sha256.hexdigest(), "md5": self._md5.hexdigest()}


@router.post(
    "/files",
    operation_id="createFile",
    **ROUTES.route("The file", 409, 507, status=201, body=file_form("content", metadata=TEXT), media_type=FORM),
)
async def create_file(request: Request) -> Response:
    """Upload a file as part `content` of a form. Its `urls.get` names it as an input."""
    caller = await identify(request, replicate_key(request))
    caller.require_write()
    document: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}
    async for part in form_parts(request):
        if part.name == "content" and document is None:
            digests = _Digests()
            stored = await store_upload(request, caller, _extension(part), digests.pass_through(part.chunks))
            document = _document(stored.file, stored.url) | {"checksums": digests.document()}
            document["name"] = part.filename or document["name"]
        elif part.name == "metadata":
            metadata = read_json_object((await part.text()).encode())
    if document is None:
        raise InvalidParams(["content: Field required"])
    return JsonResponse(document | {"metadata": metadata}, status_code=201)


def _extension(part: FormPart) -> str:
    plain = part.content_type.split(";")[0].strip().lower()
    return EXTENSIONS.get(plain) or extension_of(part.filename or "", "content")


def _document(file: StoredFile, url: str) -> dict[str, Any]:
    name = PurePosixPath(file.key).name
    return {
        "id": name,
        "name": name,
        "content_type": file.content_type,
        "size": file.size_bytes,
        "etag": PurePosixPath(file.key).stem,
        "checksums": {},
        "metadata": {},
        "created_at": _time(file.modified_at),
        "expires_at": None,
        "urls": {"get": url},
    }


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@router.get("/files", operation_id="listFiles", **ROUTES.route("The files"))
async def list_files(request: Request) -> Response:
    """List the account's uploads. Names, checksums and metadata are those of the store, not those of the upload."""
    caller = await identify(request, replicate_key(request))
    files: FileStore = request.app.state.files
    results: list[dict[str, Any]] = []
    async for file in files.list(f"uploads/{caller.id}"):
        results.append(_document(file, await files.sign_download(file.key)))
        if len(results) == FILES_MAX:
            break
    return JsonResponse({"previous": None, "next": None, "results": results})


@router.get("/files/{file_id}", operation_id="getFile", **ROUTES.route("The file", 404))
async def get_file(request: Request) -> Response:
    """Describe an upload."""
    caller = await identify(request, replicate_key(request))
    file = await _find(request, caller)
    files: FileStore = request.app.state.files
    return JsonResponse(_document(file, await files.sign_download(file.key)))


@router.delete("/files/{file_id}", operation_id="deleteFile", **ROUTES.route("Deleted", 404, status=204))
async def delete_file(request: Request) -> Response:
    """Delete an upload. A prediction that has not read it yet fails."""
    caller = await identify(request, replicate_key(request))
    caller.require_write()
    file = await _find(request, caller)
    files: FileStore = request.app.state.files
    await files.delete([file.key])
    return Response(status_code=204)


async def _find(request: Request, caller: Caller) -> StoredFile:
    files: FileStore = request.app.state.files
    file = await files.stat(f"uploads/{caller.id}/{request.path_params['file_id']}")
    if file is None:
        raise NotFound("File not found")
    return file

"""Replicate's files: uploads that a prediction can name.

Beside a file that was uploaded here is a file with the rest of its description: name, checksums and metadata.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.authentication import identify
from bodydouble.api.form_parts import FormPart, form_parts
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.replicate.keys import replicate_key
from bodydouble.api.replicate.names import ROOT
from bodydouble.api.replicate.openapi import ROUTES
from bodydouble.api.route_descriptions import FORM, TEXT, file_form
from bodydouble.api.routing import api_router
from bodydouble.api.uploads import Upload, extension_of, store_upload
from bodydouble.service import Caller
from bodydouble.service.document import to_json
from bodydouble.service.inline_files import EXTENSIONS
from bodydouble.service.json_input import read_json_object
from bodydouble.tasks.errors import InvalidParams, NotFound
from bodydouble.tasks.files import FileStore, StoredFile

router = api_router(prefix=ROOT, tags=["files"])

FILES = f"{ROOT}/files"
FILES_MAX = 1000
"""Files in the list of an account's files."""
READ_MAX = 20
"""Descriptions that are read at the same time."""
DESCRIPTION = ".json"
"""Suffix of the file with a description. It cannot be an upload's."""


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
    stored: Upload | None = None
    described: dict[str, Any] = {"metadata": {}}
    async for part in form_parts(request):
        if part.name == "content" and stored is None:
            digests = _Digests()
            stored = await store_upload(request, caller, _extension(part), digests.pass_through(part.chunks))
            described["checksums"] = digests.document()
            if part.filename:
                described["name"] = part.filename
        elif part.name == "metadata":
            described["metadata"] = read_json_object((await part.text()).encode())
    if stored is None:
        raise InvalidParams(["content: Field required"])
    await _describe(request.app.state.files, stored.file.key, described)
    return JsonResponse(_document(stored.file, stored.url) | described, status_code=201)


async def _describe(files: FileStore, key: str, described: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "description"
        source.write_bytes(to_json(described))
        await files.put_file(_description_key(key), source, "application/json")


async def _described(files: FileStore, file: StoredFile) -> dict[str, Any]:
    """The whole document of a stored file. Files that were uploaded elsewhere have no description."""
    document = _document(file, await files.sign_download(file.key))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "description"
        try:
            await files.get_file(_description_key(file.key), target)
        except NotFound:
            return document
        return document | json.loads(target.read_bytes())


def _description_key(key: str) -> str:
    return str(PurePosixPath(key).with_suffix(DESCRIPTION))


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
    """List the account's uploads."""
    caller = await identify(request, replicate_key(request))
    files: FileStore = request.app.state.files
    found: list[StoredFile] = []
    async for file in files.list(f"uploads/{caller.id}"):
        if not file.key.endswith(DESCRIPTION):
            found.append(file)
        if len(found) == FILES_MAX:
            break
    results: list[dict[str, Any]] = []
    for start in range(0, len(found), READ_MAX):
        results += await asyncio.gather(*(_described(files, file) for file in found[start : start + READ_MAX]))
    return JsonResponse({"previous": None, "next": None, "results": results})


@router.get("/files/{file_id}", operation_id="getFile", **ROUTES.route("The file", 404))
async def get_file(request: Request) -> Response:
    """Describe an upload."""
    caller = await identify(request, replicate_key(request))
    file = await _find(request, caller)
    files: FileStore = request.app.state.files
    return JsonResponse(await _described(files, file))


@router.delete("/files/{file_id}", operation_id="deleteFile", **ROUTES.route("Deleted", 404, status=204))
async def delete_file(request: Request) -> Response:
    """Delete an upload. A prediction that has not read it yet fails."""
    caller = await identify(request, replicate_key(request))
    caller.require_write()
    file = await _find(request, caller)
    files: FileStore = request.app.state.files
    await files.delete([file.key, _description_key(file.key)])
    return Response(status_code=204)


async def _find(request: Request, caller: Caller) -> StoredFile:
    files: FileStore = request.app.state.files
    file = await files.stat(f"uploads/{caller.id}/{request.path_params['file_id']}")
    if file is None or file.key.endswith(DESCRIPTION):
        raise NotFound("File not found")
    return file

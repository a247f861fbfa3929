"""Uploads in parts, as fal's JavaScript client sends files above 90 MB.

A part is stored as an upload of its own, so any process of the API can receive it, and the cleanup removes those of an
upload that is never completed.
"""

import hashlib
import hmac
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, Field

from bodydouble.api.authentication import get_tasks
from bodydouble.api.fal.documents import PREFIX
from bodydouble.api.fal.openapi import ROUTES
from bodydouble.api.fal.storage import UploadBody, asked_upload
from bodydouble.api.inputs import refuse_bool
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.request_bodies import read_model
from bodydouble.api.route_descriptions import TEXT, inlined
from bodydouble.api.routing import api_router
from bodydouble.api.uploads import TYPES, not_empty
from bodydouble.service.signing import InstallationSigner
from bodydouble.tasks.content_length import announced_bytes
from bodydouble.tasks.errors import AddressUsed, InvalidParams, NotFound, ScopeInsufficient
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.request_origin import link_base

PARTS = f"{PREFIX}/parts"
PARTS_MAX = 100
"""The client's parts have 10 MB."""
PART_NUMBER = re.compile(r"[1-9][0-9]{0,2}\Z")
PURPOSE = b"fal upload in parts\n"
"""Begins the signed text, so that no other signature of the installation is one of an upload."""
UPLOADS = "uploads/"
READ_BYTES = 1 << 20
"""Size of the blocks in which the parts are joined."""
SIGNED = {"expires": TEXT, "signature": TEXT}

router = api_router(prefix=PREFIX, tags=["storage"])


class Part(BaseModel):
    """A part that was sent."""

    part_number: Annotated[int, BeforeValidator(refuse_bool)] = Field(alias="partNumber", ge=1, le=PARTS_MAX)
    etag: str = Field(max_length=100)


class Parts(BaseModel):
    """All parts of a file."""

    parts: list[Part] = Field(min_length=1, max_length=PARTS_MAX)


@dataclass(frozen=True, kw_only=True)
class PartedUpload:
    """An upload in parts, named by the key of the file that it becomes."""

    key: str

    def part_key(self, number: int) -> str:
        """The key of a part."""
        key = PurePosixPath(self.key)
        return str(key.with_stem(f"{key.stem}-{number}"))


def is_part(path: str) -> bool:
    """Whether a request for this path is a part of a file."""
    return path.startswith(f"{PARTS}/") and not path.endswith("/complete")


@router.post(
    "/rest/storage/upload/initiate-multipart",
    operation_id="initiateMultipartUpload",
    **ROUTES.route("An address for parts", query={"storage_type": TEXT}, body=UploadBody.model_json_schema()),
)
async def initiate(request: Request) -> Response:
    """Get an address to send the parts of a file to, and the URL that the file then has."""
    caller, _, extension = await asked_upload(request)
    signed = await get_tasks(request).sign_upload(caller, TYPES[extension], extension)
    files: FileStore = request.app.state.files
    key = await files.own_key(signed.file_url, caller.id)
    assert key is not None, "the store has just signed this address"
    expires = str(int(signed.expires_at.timestamp()))
    query = urlencode({"expires": expires, "signature": _sign(request, key, expires)})
    upload_url = f"{link_base(request.app.state.base_url)}{PARTS}/{key.removeprefix(UPLOADS)}?{query}"
    return JsonResponse({"upload_url": upload_url, "file_url": signed.file_url})


@router.put(
    "/parts/{account}/{name}/{number}",
    operation_id="uploadPart",
    **ROUTES.route("The part's number and digest", 404, 409, 507, query=SIGNED, keyed=False),
)
async def upload_part(request: Request) -> Response:
    """Send a part of a file, with its number from 1 on. The client repeats a part if it got no response."""
    upload, text = _upload(request), request.path_params["number"]
    if not PART_NUMBER.match(text) or int(text) > PARTS_MAX:
        raise InvalidParams([f"part: must be a number from 1 to {PARTS_MAX}"])
    files: FileStore = request.app.state.files
    key, digest = upload.part_key(int(text)), hashlib.sha256()
    await files.delete([key])
    await files.receive(key, not_empty(_noted(request.stream(), digest.update)), announced_bytes(request.headers))
    return JsonResponse({"partNumber": int(text), "etag": digest.hexdigest()}, headers={"etag": digest.hexdigest()})


@router.post(
    "/parts/{account}/{name}/complete",
    operation_id="completeMultipartUpload",
    **ROUTES.route("Stored", 404, 409, 507, query=SIGNED, body=inlined(Parts.model_json_schema()), keyed=False),
)
async def complete(request: Request) -> Response:
    """Join the parts in the order of their numbers. Their digests are checked. A repeated call changes nothing."""
    upload, body = _upload(request), await read_model(request, Parts)
    etags = {part.part_number: part.etag.strip('"') for part in body.parts}
    if sorted(etags) != list(range(1, len(body.parts) + 1)):
        raise InvalidParams(["parts: must have the numbers from 1 on, each once"])
    files: FileStore = request.app.state.files
    keys = [upload.part_key(number) for number in sorted(etags)]
    if await files.stat(upload.key) is None:
        try:
            await _join(files, upload.key, keys, [etags[number] for number in sorted(etags)])
        except (AddressUsed, InvalidParams, NotFound):
            if await files.stat(upload.key) is None:  # else the same call, sent twice, has stored it meanwhile
                raise
    await files.delete(keys)
    return JsonResponse({})


async def _join(files: FileStore, key: str, parts: list[str], etags: list[str]) -> None:
    """Store the parts as one file. Raises InvalidParams for a missing or wrong one, and as ``FileStore.receive``."""
    stored = [await files.stat(part) for part in parts]
    for number, part in enumerate(stored, start=1):
        if part is None:
            raise InvalidParams([f"parts: part {number} was not sent; send it first"])
    size = sum(part.size_bytes for part in stored if part is not None)
    await files.receive(key, _joined(files, parts, etags), size)


async def _noted(chunks: AsyncIterator[bytes], note: Callable[[bytes], None]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        note(chunk)
        yield chunk


async def _joined(files: FileStore, keys: list[str], etags: list[str]) -> AsyncIterator[bytes]:
    """The bytes of all parts. Raises InvalidParams at the end of a part that has another digest than its etag."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "part"
        for number, (key, etag) in enumerate(zip(keys, etags, strict=True), start=1):
            await files.get_file(key, copy)
            digest = hashlib.sha256()
            with copy.open("rb") as stream:
                while block := stream.read(READ_BYTES):
                    digest.update(block)
                    yield block
            if digest.hexdigest() != etag:
                raise InvalidParams([f"parts: part {number} has another etag; send it again"])


def _upload(request: Request) -> PartedUpload:
    """The upload that the request's address names. Raises ScopeInsufficient."""
    account, name = request.path_params["account"], request.path_params["name"]
    expires, given = (request.query_params.get(word, "") for word in ("expires", "signature"))
    key = f"{UPLOADS}{account}/{name}"
    if not hmac.compare_digest(_sign(request, key, expires).encode(), given.encode()) or int(expires) < time.time():
        raise ScopeInsufficient("upload_url: it is not valid or has expired; request a new one")
    return PartedUpload(key=key)


def _sign(request: Request, key: str, expires: str) -> str:
    signer: InstallationSigner = request.app.state.services.signer
    return signer.sign(PURPOSE + f"{key}\n{expires}".encode()).hex()

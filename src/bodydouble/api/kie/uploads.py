"""Uploads: in a form, or as base64 in JSON."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import PurePosixPath

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from bodydouble.api.authentication import identify, read_key
from bodydouble.api.form_parts import form_parts
from bodydouble.api.inputs import DATA_URL_CHARACTERS_MAX
from bodydouble.api.kie.errors import success
from bodydouble.api.kie.openapi import ROUTES
from bodydouble.api.kie.paths import UPLOADS
from bodydouble.api.request_bodies import validate
from bodydouble.api.route_descriptions import FORM, TEXT, file_form, inlined
from bodydouble.api.routing import api_router
from bodydouble.api.submitting import read_body
from bodydouble.api.translation import log_without_effect
from bodydouble.api.uploads import TYPES, Upload, extension_of, store_upload
from bodydouble.service.inline_files import EXTENSIONS
from bodydouble.tasks.data_url import is_data_url, read_data_url
from bodydouble.tasks.dialect import DialectName
from bodydouble.tasks.errors import FeatureDisabled, InvalidParams

router = api_router(prefix=UPLOADS, tags=["uploads"])

STREAM, BASE64, URL = "/file-stream-upload", "/file-base64-upload", "/file-url-upload"
UPLOAD_PATH = "uploadPath"


class Base64Body(BaseModel):
    """A file as base64."""

    model_config = ConfigDict(extra="forbid", title="KieBase64Upload")

    base64Data: str = Field(max_length=DATA_URL_CHARACTERS_MAX, description="A data URL, or base64.")  # noqa: N815 - the vendor's name
    uploadPath: str = Field("", max_length=500, description="Has no effect: addresses have no folders.")  # noqa: N815 - the vendor's name
    fileName: str = Field("", max_length=500, description="Needed if `base64Data` is no data URL.")  # noqa: N815 - the vendor's name


@router.post(
    STREAM,
    operation_id="uploadStream",
    **ROUTES.route(
        "The stored file",
        409,
        507,
        media_type=FORM,
        body=file_form("file", uploadPath=TEXT, fileName=TEXT),
    ),
)
async def upload_stream(request: Request) -> Response:
    """Upload a file in a form. Fields after the file are not read."""
    caller = await identify(request, read_key(request))
    name = ""
    async for part in form_parts(request):
        log_without_effect(DialectName.KIE, [part.name], {UPLOAD_PATH})
        if part.name == "fileName":
            name = await part.text()
        elif part.name == "file":
            filename = part.filename or ""
            named = name if PurePosixPath(name).suffix else filename
            upload = await store_upload(request, caller, extension_of(named, "file"), part.chunks)
            return _stored(upload, name or filename)
    raise InvalidParams(["file: Field required"])


@router.post(
    BASE64,
    operation_id="uploadBase64",
    **ROUTES.route("The stored file", 409, 507, body=inlined(Base64Body.model_json_schema())),
)
async def upload_base64(request: Request) -> Response:
    """Upload a file as a data URL or as base64."""
    caller = await identify(request, read_key(request))
    _, body = await read_body(request, read_key(request), lambda raw: validate(Base64Body, raw), creates=True)
    log_without_effect(DialectName.KIE, body.model_fields_set, {UPLOAD_PATH})
    if is_data_url(body.base64Data):
        url = body.base64Data
    else:
        url = f"data:{TYPES[extension_of(body.fileName, 'fileName')]};base64,{body.base64Data}"
    try:
        file = await asyncio.to_thread(read_data_url, url)
    except ValueError as error:
        raise InvalidParams([f"base64Data: {error}"]) from None
    if not file.content:
        raise InvalidParams(["base64Data: the file is empty"])
    if file.content_type not in EXTENSIONS:
        raise InvalidParams([f"base64Data: the type must be one of {', '.join(EXTENSIONS)}"])
    extension = EXTENSIONS[file.content_type]
    upload = await store_upload(request, caller, extension, _whole(file.content), len(file.content))
    return _stored(upload, body.fileName or PurePosixPath(upload.file.key).name)


@router.post(URL, operation_id="uploadUrl", **ROUTES.route("Never"))
async def upload_url(request: Request) -> Response:
    """Not offered: createTask accepts the address itself."""
    await identify(request, read_key(request))
    raise FeatureDisabled("file-url-upload is not offered; give the address to createTask, which fetches it")


def _stored(upload: Upload, name: str) -> Response:
    stored = upload.file
    return success(
        {
            "fileName": name,
            "filePath": stored.key,
            "downloadUrl": upload.url,
            "fileSize": stored.size_bytes,
            "mimeType": stored.content_type,
            "uploadedAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        },
        success=True,
    )


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content

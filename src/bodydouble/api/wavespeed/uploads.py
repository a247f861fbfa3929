"""Uploads: to an address for one file, or in a form."""

from typing import Annotated

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bodydouble.api.authentication import get_tasks, identify, read_key
from bodydouble.api.form_parts import form_parts
from bodydouble.api.inputs import refuse_bool
from bodydouble.api.request_bodies import read_model
from bodydouble.api.route_descriptions import FORM, file_form, inlined
from bodydouble.api.routing import api_router
from bodydouble.api.translation import log_without_effect
from bodydouble.api.uploads import TYPES, extension_of, store_upload
from bodydouble.api.wavespeed.errors import success
from bodydouble.api.wavespeed.openapi import ROUTES
from bodydouble.api.wavespeed.paths import BASE
from bodydouble.tasks.dialect import DialectName
from bodydouble.tasks.errors import InvalidParams

router = api_router(prefix=f"{BASE}/media", tags=["uploads"])

FORM_UPLOAD = f"{BASE}/media/upload/binary"


class UploadBody(BaseModel):
    """The file that shall be uploaded."""

    model_config = ConfigDict(extra="forbid", title="WaveSpeedUpload")

    filename: str = Field(max_length=500)
    size: Annotated[int, BeforeValidator(refuse_bool)] = Field(ge=0, le=10**15, description="Bytes.")
    content_type: str | None = Field(None, max_length=100, description="Has no effect: the name tells the type.")


@router.post(
    "/uploads",
    operation_id="createUpload",
    **ROUTES.route("Where the file is sent to", 507, body=inlined(UploadBody.model_json_schema())),
)
async def create_upload(request: Request) -> Response:
    """Get an address for a file, and the URL that names it in a request."""
    caller = await identify(request, read_key(request))
    body = await read_model(request, UploadBody)
    log_without_effect(DialectName.WAVESPEED, body.model_fields_set, {"content_type"})
    extension = extension_of(body.filename, "filename")
    signed = await get_tasks(request).sign_upload(caller, TYPES[extension], extension, body.size)
    upload = {"method": "PUT", "url": signed.put_url, "headers": {"Content-Type": TYPES[extension]}}
    return success({"download_url": signed.file_url, "filename": body.filename, "upload": upload})


@router.post(
    "/upload/binary",
    operation_id="uploadBinary",
    **ROUTES.route(
        "The stored file",
        409,
        507,
        media_type=FORM,
        body=file_form("file"),
    ),
)
async def upload_binary(request: Request) -> Response:
    """Upload a file in a form."""
    caller = await identify(request, read_key(request))
    async for part in form_parts(request):
        if part.name == "file":
            extension = extension_of(part.filename or "", "file")
            stored = await store_upload(request, caller, extension, part.chunks)
            kind = TYPES[extension].partition("/")[0]
            data = {"type": kind, "download_url": stored.url, "filename": part.filename, "size": stored.file.size_bytes}
            return success(data)
    raise InvalidParams(["file: Field required"])

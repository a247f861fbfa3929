"""fal's storage: uploads of both clients."""

from datetime import UTC, datetime, timedelta

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from bodydouble.api.authentication import get_tasks, identify
from bodydouble.api.fal.documents import PREFIX
from bodydouble.api.fal.openapi import ROUTES
from bodydouble.api.fal.requests import fal_key, refuse_lifecycle
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.request_bodies import read_model
from bodydouble.api.route_descriptions import TEXT
from bodydouble.api.routing import api_router
from bodydouble.api.uploads import extension_of, store_upload
from bodydouble.service import Caller
from bodydouble.service.inline_files import EXTENSIONS
from bodydouble.tasks.content_length import announced_bytes
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.request_origin import link_base

CDN = f"{PREFIX}/cdn"
UPLOAD = f"{CDN}/files/upload"
TOKEN_HOURS = 1
"""Validity of an upload token that the response states."""
router = api_router(prefix=PREFIX, tags=["storage"])


class UploadBody(BaseModel):
    """Body of a request for an upload address."""

    content_type: str = Field(max_length=100)
    file_name: str = Field("", max_length=500)


@router.post("/rest/storage/auth/token", operation_id="createUploadToken", **ROUTES.route("A token for uploads"))
async def token(request: Request) -> Response:
    """Get a token for uploads: it is the key itself, because both belong to the same service here."""
    await identify(request, fal_key(request))
    expires_at = datetime.now(UTC) + timedelta(hours=TOKEN_HOURS)
    return JsonResponse(
        {
            "token": fal_key(request),
            "token_type": "Key",
            "base_url": f"{link_base(request.app.state.base_url)}{CDN}",
            "expires_at": expires_at.isoformat(),
        }
    )


@router.post(
    "/rest/storage/upload/initiate",
    operation_id="initiateUpload",
    **ROUTES.route("An upload address", query={"storage_type": TEXT}, body=UploadBody.model_json_schema()),
)
async def initiate(request: Request) -> Response:
    """Get an address to PUT a file to, and the URL that the file then has."""
    caller, body, extension = await asked_upload(request)
    signed = await get_tasks(request).sign_upload(caller, body.content_type, extension)
    return JsonResponse({"upload_url": signed.put_url, "file_url": signed.file_url})


@router.post(
    "/cdn/files/upload",
    operation_id="upload",
    **ROUTES.route("The file's URL", 409, 507),
)
async def upload(request: Request) -> Response:
    """Upload a file in one request."""
    caller = await identify(request, fal_key(request))
    refuse_lifecycle(request)
    extension = file_extension(request.headers.get("content-type", ""), request.headers.get("x-fal-file-name", ""))
    stored = await store_upload(request, caller, extension, request.stream(), announced_bytes(request.headers))
    return JsonResponse({"access_url": stored.url})


@router.post("/cdn/files/upload/multipart", include_in_schema=False)
async def refuse_parts(request: Request) -> Response:
    """The answer to fal's Python client, which sends files above 100 MiB in parts."""
    await identify(request, fal_key(request))
    raise InvalidParams(['file: larger than 100 MiB; give upload_file the argument repository="fal"'])


async def asked_upload(request: Request) -> tuple[Caller, UploadBody, str]:
    """The caller, the body of a request for an upload address, and the file's extension. Raises InvalidParams."""
    caller = await identify(request, fal_key(request))
    refuse_lifecycle(request)
    body = await read_model(request, UploadBody)
    return caller, body, file_extension(body.content_type, body.file_name)


def file_extension(content_type: str, file_name: str) -> str:
    """The extension of a file with this type and name. Raises InvalidParams."""
    plain = content_type.split(";")[0].strip().lower()
    return EXTENSIONS.get(plain) or extension_of(file_name, "file_name")

"""Uploads: a policy that allows them for a while, the form that they come in, and their ``oss://`` addresses.

The client names an upload itself, as ``upload_dir`` and its file name. The key of the stored file follows from both, so
that nothing has to be stored about an address.
"""

import base64
import binascii
import dataclasses
import hmac
import json
import re
import time
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4, uuid5

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.authentication import get_tasks, identify, read_key
from bodydouble.api.dashscope.errors import success
from bodydouble.api.dashscope.openapi import ROUTES
from bodydouble.api.dashscope.paths import BASE, OBJECTS
from bodydouble.api.form_parts import FormPart, form_parts
from bodydouble.api.route_descriptions import BINARY, FORM, TEXT
from bodydouble.api.routing import api_router
from bodydouble.api.uploads import TYPES, extension_of, not_empty
from bodydouble.service import Submission
from bodydouble.service.document import to_json
from bodydouble.service.inputs import FILE_FIELDS
from bodydouble.service.signing import InstallationSigner
from bodydouble.tasks.errors import InvalidParams, NotFound, ScopeInsufficient
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.request_origin import link_base

router = api_router(tags=["uploads"])

OBJECT = re.compile(
    r"(?P<folder>dashscope-instant/(?P<account>[0-9]{1,18})/(?P<batch>[0-9a-f-]{36}))/(?P<name>[^/]{1,255})\Z"
)
"""The name of an upload: ``upload_dir``, and the name of the client's file."""
PURPOSE = b"dashscope upload policy\n"
"""Begins the signed text, so that no other signature of the installation is one of a policy."""
POLICY_FIELDS = ("policy", "Signature", "key")


@router.get(
    f"{BASE}/uploads",
    operation_id="getUploadPolicy",
    **ROUTES.route("The policy", query={"action": {"const": "getPolicy"}, "model": {"type": "string"}}),
)
async def get_policy(request: Request) -> Response:
    """Get what an upload has to be sent with, for a while and for any number of files."""
    caller = await identify(request, read_key(request))
    if request.query_params.get("action") != "getPolicy":
        raise InvalidParams(["action: must be 'getPolicy'"])
    signed = await get_tasks(request).sign_upload(caller, TYPES[".mp4"], ".mp4")  # raises if uploads are off
    folder = f"dashscope-instant/{caller.id}/{uuid4()}"
    expires = int(signed.expires_at.timestamp())
    policy = base64.b64encode(to_json({"upload_dir": folder, "expires": expires})).decode()
    return success(
        data={
            "policy": policy,
            "signature": _sign(request, policy),
            "upload_dir": folder,
            "upload_host": f"{link_base(request.app.state.base_url)}{OBJECTS}",
            "expire_in_seconds": max(expires - int(time.time()), 0),
            "oss_access_key_id": "bodydouble",
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        }
    )


@router.post(
    OBJECTS,
    operation_id="uploadObject",
    **ROUTES.route(
        "Stored",
        404,
        409,
        media_type=FORM,
        keyed=False,
        body={
            "type": "object",
            "properties": dict.fromkeys(POLICY_FIELDS, TEXT) | {"file": BINARY},
            "required": [*POLICY_FIELDS, "file"],
        },
    ),
)
async def upload(request: Request) -> Response:
    """Store a file. The form has the fields of the policy, then `file`."""
    fields: dict[str, str] = {}
    async for part in form_parts(request):
        if part.name != "file":
            fields[part.name] = await part.text()
            continue
        return await _store(request, fields, part)
    raise InvalidParams(["file: Field required"])


async def _store(request: Request, fields: dict[str, str], part: FormPart) -> Response:
    missing = [f"{name}: Field required, before the file" for name in POLICY_FIELDS if name not in fields]
    if missing:
        raise InvalidParams(missing)
    found = OBJECT.match(fields["key"])
    if found is None or not _allows(request, fields["policy"], fields["Signature"], found["folder"]):
        raise ScopeInsufficient("policy: it is not valid for this key, or has expired; request a new one")
    files: FileStore = request.app.state.files
    await files.receive(_file_key(found), not_empty(part.chunks))
    return success()


async def signed_uploads(request: Request, submission: Submission) -> Submission:
    """The submission with signed addresses of uploads.

    Raises InvalidParams for an address that names no upload of the caller; Unauthenticated, KeyDisabled.
    """
    files: FileStore = request.app.state.files
    prefix = f"{request.app.state.base_url}{OBJECTS}/"
    signed: dict[str, list[str]] = {}
    for field in FILE_FIELDS:
        url = str(submission.inputs[field][0])
        if url.startswith(prefix):
            found = OBJECT.match(unquote(url.removeprefix(prefix)))
            caller = await get_tasks(request).authenticate(read_key(request))
            if found is None or found["account"] != str(caller.id):
                raise InvalidParams([f"{field}[0]: this oss:// address is not one of an upload; upload the file again"])
            signed[field] = [await files.sign_download(_file_key(found))]
    if not signed:
        return submission
    param: dict[str, Any] = {**submission.param, "input": {**submission.param["input"], **signed}}
    return dataclasses.replace(submission, param=param, inputs={**submission.inputs, **signed})


def _file_key(found: re.Match[str]) -> str:
    """The key of the stored file. Raises InvalidParams for a file name without a known extension, NotFound."""
    try:
        batch = UUID(found["batch"])
    except ValueError:
        raise NotFound("File not found") from None
    return f"uploads/{found['account']}/{uuid5(batch, found['name'])}{extension_of(found['name'], 'key')}"


def _sign(request: Request, policy: str) -> str:
    signer: InstallationSigner = request.app.state.services.signer
    return base64.b64encode(signer.sign(PURPOSE + policy.encode())).decode()


def _allows(request: Request, policy: str, signature: str, folder: str) -> bool:
    if not hmac.compare_digest(_sign(request, policy).encode(), signature.encode()):
        return False
    try:
        stated = json.loads(base64.b64decode(policy))
    except (binascii.Error, ValueError):  # cannot be, of a policy that we signed
        return False
    return stated["upload_dir"] == folder and stated["expires"] > time.time()

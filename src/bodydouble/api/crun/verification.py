"""The endpoint that reports what a file says about its origin."""

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.authentication import CallerDep, VerificationDep
from bodydouble.api.crun.envelope import success
from bodydouble.api.crun.files import UPLOAD
from bodydouble.api.crun.openapi import responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import MarksData
from bodydouble.api.routing import api_router
from bodydouble.tasks.content_length import announced_bytes

PATH = f"{CLIENT_API}/files/verify"
UPLOADS = frozenset({PATH, "/verify"})
"""Paths that receive files of any size up to the service's own limit: ours and that of the console's page."""

router = api_router()


@router.post(PATH, operation_id="verifyFile", tags=["files"], openapi_extra=UPLOAD, responses=responses(MarksData, 507))
async def verify(request: Request, service: VerificationDep, caller: CallerDep) -> Response:
    """Report what a file says about its origin, and the task if it is one of yours. Send the file as the body.

    Any file is accepted. `layers` has the marks that were found: a C2PA manifest, XMP, China's label, a comment.
    """
    return success(await service.verify(caller, request.stream(), announced_bytes(request.headers)))

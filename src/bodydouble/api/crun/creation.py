"""Endpoints that lead to a task: upload addresses, price estimates, CreateTask."""

import re
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from bodydouble.api.authentication import (
    SECURITY,
    AccountsDep,
    CallerDep,
    TasksDep,
    read_key,
)
from bodydouble.api.crun.envelope import success
from bodydouble.api.crun.openapi import CREATE_TASK, responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import AffordableData, PriceData, TaskCreated, UploadData
from bodydouble.api.crun.wire import EXAMPLES, parse_submission
from bodydouble.api.request_headers import header_values
from bodydouble.api.routing import api_router
from bodydouble.api.submitting import read_body, submit
from bodydouble.service import Submission
from bodydouble.tasks.errors import InvalidParams

router = api_router(prefix=CLIENT_API)

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": f"#/components/schemas/{CREATE_TASK}"},
                "examples": {name: {"value": example} for name, example in EXAMPLES.items()},
            }
        },
    }
}
CREATE: dict[str, Any] = BODY | {
    "security": SECURITY,
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "A name you choose for this request. Repeating the body with it returns the first task.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "example": "order-17",
        }
    ],
}


@router.post(
    "/job/CreateTask",
    operation_id="createTask",
    tags=["tasks"],
    openapi_extra=CREATE,
    responses=responses(TaskCreated, 402, 503, 507),
)
async def create_task(request: Request) -> Response:
    """Create a task. Its price is reserved now and charged when it succeeds.

    With an `Idempotency-Key` you can safely repeat the request: the response has the task of the first request and the
    header `Idempotent-Replayed: true`. The same key with another body is a 422.
    """
    created = await submit(request, read_key(request), parse_submission, lambda _: _idempotency_key(request))
    response = success({"task_id": str(created.id)})
    if created.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


async def _read_submission(request: Request) -> Submission:
    return (await read_body(request, read_key(request), parse_submission))[1]


def _idempotency_key(request: Request) -> str | None:
    given = header_values(request.scope).get(b"idempotency-key")
    if given is None:
        return None
    key = given.decode("latin-1")
    if not IDEMPOTENCY_KEY.match(key):
        raise InvalidParams(["Idempotency-Key: has to be 1 to 255 printable ASCII characters without spaces"])
    return key


@router.post(
    "/job/estimate-credits",
    operation_id="estimateCredits",
    tags=["credits"],
    openapi_extra=BODY,
    responses=responses(PriceData, 507),
)
async def estimate_credits(request: Request, service: TasksDep, caller: CallerDep) -> Response:
    """The price of a task: exact for an uploaded or inline video, otherwise the price of five seconds.

    The price follows the size that is produced: a smaller video is not enlarged.
    """
    price = await service.pricing.price(await _read_submission(request), caller.id)
    return success({"credits": price.credits, "estimated": price.estimated, "resolution": price.resolution})


@router.post(
    "/job/EstimateTask",
    operation_id="estimateTask",
    tags=["credits"],
    openapi_extra=BODY,
    responses=responses(AffordableData, 507),
)
async def estimate_task(request: Request, service: TasksDep, accounts: AccountsDep, caller: CallerDep) -> Response:
    """The price of a task, and whether the balance covers it."""
    price = await service.pricing.price(await _read_submission(request), caller.id)
    balance = await accounts.balance(caller)
    return success(
        {
            "estimated_credits": price.credits,
            "balance": balance,
            "affordable": balance >= price.credits,
            "resolution": price.resolution,
        }
    )


@router.get("/files/upload-url", operation_id="createUpload", tags=["files"], responses=responses(UploadData, 503))
async def upload_url(
    service: TasksDep,
    caller: CallerDep,
    content_type: Annotated[str, Query(max_length=100, examples=["video/mp4"])],
    ext: Annotated[str, Query(max_length=8, examples=[".mp4"])],
    size: Annotated[
        int | None, Query(ge=0, le=10**15, description="Size in bytes. If given, the response has a `resumable_url`.")
    ] = None,
) -> Response:
    """Get an upload address for a picture or video, and the URL that names the file in CreateTask.

    PUT the file to `presigned_url` with the same Content-Type. If you give the `size` and the installation stores files
    itself, the response also has a `resumable_url` for the tus protocol (1.0.0, core): `HEAD` returns the number of
    bytes received, `PATCH` appends bytes.
    """
    signed = await service.sign_upload(caller, content_type, ext, size)
    data = {"presigned_url": signed.put_url, "file_url": signed.file_url}
    return success(data if size is None else data | {"resumable_url": signed.resumable_url})

"""Making tasks: uploads, estimates, CreateTask."""

import hashlib
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from bodydouble.api.answers import AffordableData, PriceData, TaskCreated, UploadData
from bodydouble.api.authentication import (
    SECURITY,
    AccountsDep,
    CallerDep,
    TasksDep,
    get_tasks,
    identify,
    presented_key,
)
from bodydouble.api.bodies import read_content, read_json
from bodydouble.api.description import answers
from bodydouble.api.envelope import success
from bodydouble.api.inputs import EXAMPLES, INPUTS
from bodydouble.api.wire import CreateTaskBody, parse_submission
from bodydouble.tasks.errors import InvalidParams

router = APIRouter()

TRUSTED_BYTES = 65_536
"""A body larger than this is read only once the key is known to be good."""
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


def _body_description() -> dict[str, Any]:
    schema = CreateTaskBody.model_json_schema()
    schema["properties"]["input"] = {"anyOf": [inputs.model_json_schema() for inputs in INPUTS.values()]}
    examples = {name: {"value": example} for name, example in EXAMPLES.items()}
    content = {"application/json": {"schema": schema, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


BODY = _body_description()
CREATE: dict[str, Any] = BODY | {
    "security": SECURITY,
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Chosen by you, for one request: sent again with the same body, it answers the first task.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "example": "order-17",
        }
    ],
}


@router.post("/job/CreateTask", tags=["tasks"], openapi_extra=CREATE, responses=answers(TaskCreated, 402, 503, 507))
async def create_task(request: Request) -> Response:
    """Create a task: credits are reserved, and charged once it has succeeded.

    With an `Idempotency-Key` the same request can be sent again safely: it answers the first one's task, with the
    header `Idempotent-Replayed`. The same key with another body is a 422.
    """
    try:
        content, submission = await _read_submission(request)
        key = _idempotency_key(request)
    except InvalidParams:
        await identify(request)  # a stranger learns that he is one, not what is wrong with his body
        raise
    created = await get_tasks(request).submit(
        presented_key(request),
        submission,
        idempotency_key=key,
        body_hash=hashlib.sha256(content).digest() if key else None,
        traceparent=request.state.traceparent,
    )
    request.state.rate, request.state.account, request.state.task_id = created.rate, created.account, created.id
    answer = success({"task_id": str(created.id)})
    if created.replayed:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


async def _read_submission(request: Request) -> tuple[bytes, Any]:
    announced = request.headers.get("content-length", "")
    if not announced.isdecimal() or int(announced) > TRUSTED_BYTES:
        await identify(request)
    content = await read_content(request)
    return content, parse_submission(read_json(content))


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not IDEMPOTENCY_KEY.match(key):
        raise InvalidParams(["Idempotency-Key: has to be 1 to 255 printable ASCII characters without spaces"])
    return key


@router.post("/job/estimate-credits", tags=["credits"], openapi_extra=BODY, responses=answers(PriceData, 507))
async def estimate_credits(request: Request, service: TasksDep, caller: CallerDep) -> Response:
    """What a task would cost: exact for a video uploaded here or within the request, else for five seconds."""
    price = await service.price((await _read_submission(request))[1])
    return success({"credits": price.credits, "estimated": price.estimated})


@router.post("/job/EstimateTask", tags=["credits"], openapi_extra=BODY, responses=answers(AffordableData, 507))
async def estimate_task(request: Request, service: TasksDep, accounts: AccountsDep, caller: CallerDep) -> Response:
    """What a task would cost, and whether the balance reaches."""
    price = await service.price((await _read_submission(request))[1])
    balance = await accounts.balance(caller)
    return success({"estimated_credits": price.credits, "balance": balance, "affordable": balance >= price.credits})


@router.get("/files/upload-url", tags=["files"], responses=answers(UploadData, 503))
async def upload_url(
    service: TasksDep,
    caller: CallerDep,
    content_type: Annotated[str, Query(max_length=100, examples=["video/mp4"])],
    ext: Annotated[str, Query(max_length=8, examples=[".mp4"])],
    size: Annotated[int | None, Query(ge=0, le=10**15, description="Bytes; asks for a resumable upload")] = None,
) -> Response:
    """Where to PUT a picture or video (with the same Content-Type), and the URL to name it by in CreateTask.

    With its `size`, and where files lie on this installation, also where to send it in pieces, by the tus protocol
    (1.0.0, core): `HEAD` tells what is there, `PATCH` takes what follows.
    """
    signed = await service.sign_upload(caller, content_type, ext, size)
    data = {"presigned_url": signed.put_url, "file_url": signed.file_url}
    return success(data if size is None else data | {"resumable_url": signed.resumable_url})

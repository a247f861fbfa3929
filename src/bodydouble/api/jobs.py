"""Routes under /api/v1/client: tasks, estimates, models, balance, uploads."""

import hashlib
import json
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from bodydouble.api.answers import (
    AffordableData,
    BalanceData,
    CancelData,
    ModelDetail,
    ModelList,
    PriceData,
    TaskCreated,
    TaskInfoData,
    TemplatePage,
    UploadData,
    answers,
)
from bodydouble.api.authentication import AccountsDep, CallerDep, SecretDep, TasksDep
from bodydouble.api.envelope import EnvelopeResponse, success
from bodydouble.api.inputs import EXAMPLES, INPUTS
from bodydouble.api.wire import CreateTaskBody, model_data, parse_submission
from bodydouble.service.document import task_data
from bodydouble.tasks.catalogue import find_model
from bodydouble.tasks.errors import InvalidParams

router = APIRouter(prefix="/api/v1/client", default_response_class=EnvelopeResponse)


def _body_description() -> dict[str, Any]:
    schema = CreateTaskBody.model_json_schema()
    schema["properties"]["input"] = {"anyOf": [inputs.model_json_schema() for inputs in INPUTS.values()]}
    examples = {name: {"value": example} for name, example in EXAMPLES.items()}
    content = {"application/json": {"schema": schema, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


IDEMPOTENCY_KEY_MAX = 255
BODY = _body_description()


async def _json(request: Request) -> dict[str, Any]:
    """The body as JSON; the models check it, so that every problem is told in one wording."""
    try:
        document = json.loads(await request.body(), parse_constant=_refuse)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        raise InvalidParams(["body: is no valid JSON"]) from None
    if "\\u0000" in text:  # JSON, but no text that the database could hold
        raise InvalidParams(["body: holds the character NUL"])
    if not isinstance(document, dict):
        raise InvalidParams(["body: has to be a JSON object"])
    return cast("dict[str, Any]", document)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


@router.post("/job/CreateTask", tags=["tasks"], openapi_extra=BODY, responses=answers(TaskCreated, 402, 422, 503))
async def create_task(
    request: Request,
    service: TasksDep,
    secret: SecretDep,
    idempotency_key: Annotated[str | None, Header(max_length=IDEMPOTENCY_KEY_MAX, pattern=r"^[\\x21-\\x7e]+$")] = None,
) -> Response:
    """Create a task: credits are reserved, and charged once it has succeeded.

    With an ``Idempotency-Key`` the same request can be sent again safely: it answers the first one's task.
    """
    try:
        submission = parse_submission(await _json(request))
    except InvalidParams:
        await service.authenticate(secret)  # a stranger learns that he is one, not what is wrong with his body
        raise
    created = await service.submit(
        secret,
        submission,
        idempotency_key=idempotency_key,
        body_hash=hashlib.sha256(await request.body()).digest() if idempotency_key else None,
        traceparent=request.headers.get("traceparent"),
    )
    answer = success({"task_id": str(created.id)})
    if created.replayed:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


@router.get("/job/TaskInfo", tags=["tasks"], responses=answers(TaskInfoData, 404, 422))
async def task_info(service: TasksDep, caller: CallerDep, task_id: Annotated[str, Query()]) -> Response:
    """Status, progress and result of a task."""
    return success(task_data(await service.read(caller, task_id)))


@router.post("/job/CancelTask", tags=["tasks"], responses=answers(CancelData, 404, 422))
async def cancel_task(service: TasksDep, caller: CallerDep, task_id: Annotated[str, Query()]) -> Response:
    """Ask a task to stop; its credits are released."""
    return success({"task_id": task_id, "cancelling": await service.cancel(caller, task_id)})


@router.post("/job/estimate-credits", tags=["credits"], openapi_extra=BODY, responses=answers(PriceData, 422))
async def estimate_credits(request: Request, service: TasksDep, caller: CallerDep) -> Response:
    """What a task would cost: exact for videos uploaded here, for five seconds otherwise."""
    price = await service.price(parse_submission(await _json(request)))
    return success({"credits": price.credits, "estimated": price.estimated})


@router.post("/job/EstimateTask", tags=["credits"], openapi_extra=BODY, responses=answers(AffordableData, 422))
async def estimate_task(request: Request, service: TasksDep, accounts: AccountsDep, caller: CallerDep) -> Response:
    """What a task would cost, and whether the balance reaches."""
    price = await service.price(parse_submission(await _json(request)))
    balance = await accounts.balance(caller)
    return success({"estimated_credits": price.credits, "balance": balance, "affordable": balance >= price.credits})


@router.get("/job/Models", tags=["models"], responses=answers(ModelList))
async def models(
    request: Request,
    service: TasksDep,
    caller: CallerDep,
    modality: str | None = None,
    operation: str | None = None,
) -> Response:
    """The catalogue."""
    renderers: list[str] = request.app.state.renderers
    found = [model_data(m, renderers) for m in service.models(modality, operation)]
    return success({"total": len(found), "models": found})


@router.get("/job/Models/{model:path}", tags=["models"], responses=answers(ModelDetail, 404))
async def model(request: Request, caller: CallerDep, model: str) -> Response:
    """One model, with the JSON Schema of its input and an example."""
    spec = find_model(model)
    renderers: list[str] = request.app.state.renderers
    schema = INPUTS[model].model_json_schema()
    return success(model_data(spec, renderers) | {"input_schema": schema, "example": EXAMPLES[model]})


@router.get("/account/balance", tags=["credits"], responses=answers(BalanceData))
async def balance(accounts: AccountsDep, caller: CallerDep) -> Response:
    """Credits that are neither spent nor reserved."""
    return success({"balance": await accounts.balance(caller)})


@router.get("/files/upload-url", tags=["files"], responses=answers(UploadData, 422))
async def upload_url(
    service: TasksDep,
    caller: CallerDep,
    content_type: Annotated[str, Query(max_length=100)],
    ext: Annotated[str, Query(max_length=8)],
) -> Response:
    """Where to PUT a picture or video (with the same Content-Type), and the URL to name it by in CreateTask."""
    signed = await service.sign_upload(caller, content_type, ext)
    return success({"presigned_url": signed.put_url, "file_url": signed.file_url})


@router.get("/job/kling-templates", tags=["templates"], responses=answers(TemplatePage, 422))
@router.get("/job/vidu-templates", tags=["templates"], responses=answers(TemplatePage, 422))
@router.get("/job/bytedance-templates", tags=["templates"], responses=answers(TemplatePage, 422))
async def templates(
    caller: CallerDep, page: Annotated[int, Query(ge=1)] = 1, page_size: Annotated[int, Query(ge=1, le=100)] = 20
) -> Response:
    """Empty: this installation hosts no templates."""
    return success({"total": 0, "page": page, "page_size": page_size, "items": []})

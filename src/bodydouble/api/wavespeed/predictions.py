"""Creating and reading predictions, the balance, and the secret of webhooks."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.authentication import get_accounts, identify, read_key
from bodydouble.api.fast_path import FastRoute
from bodydouble.api.reading import new_task, read_task
from bodydouble.api.request_bodies import validate
from bodydouble.api.route_descriptions import inlined
from bodydouble.api.routing import api_router
from bodydouble.api.submitting import submit
from bodydouble.api.waiting import wait_for_new
from bodydouble.api.wavespeed.documents import prediction
from bodydouble.api.wavespeed.errors import success
from bodydouble.api.wavespeed.models import EXAMPLE, AnimateInput, parse
from bodydouble.api.wavespeed.openapi import ROUTES
from bodydouble.api.wavespeed.paths import BASE, MODEL
from bodydouble.service import Submission
from bodydouble.tasks.request_origin import link_base
from bodydouble.tasks.task import TERMINAL

router = api_router(prefix=BASE, tags=["predictions"])

SYNC_SECONDS_MAX = 600.0
"""A synchronous request responds after this time at the latest. The SDK then says how to ask for the result later."""
SYNC_TIMEOUT = 5004
"""``code`` of such a response's ``data``."""
PREDICTION = "/predictions/{prediction_id}"


@router.post(
    f"/{MODEL}",
    operation_id="createPrediction",
    **ROUTES.route(
        "The prediction",
        402,
        507,
        query={"webhook": {"type": "string", "format": "uri"}},
        body=inlined(AnimateInput.model_json_schema()),
        example=EXAMPLE,
    ),
)
async def create_prediction(request: Request) -> Response:
    """Create a prediction. With `enable_sync_mode` the response has its outputs."""
    secret = read_key(request)
    asked: list[tuple[AnimateInput, Submission]] = []

    def read(raw: Mapping[str, Any]) -> Submission:
        body = validate(AnimateInput, raw)
        asked.append((body, parse(body, request.query_params)))
        return asked[-1][1]

    created = await submit(request, secret, read)
    body, submission = asked[-1]
    base_url = link_base(request.app.state.base_url)
    if not body.enable_sync_mode:
        data = prediction(new_task(created, submission), base_url)
        del data["input"]  # files within the request have addresses only in the database
        return success(data)
    view = await wait_for_new(request, secret, created, submission, SYNC_SECONDS_MAX)
    data = prediction(view, base_url)
    if view.task.status not in TERMINAL:
        data |= {
            "code": SYNC_TIMEOUT,
            "status": "processing",
            "error": "This request stopped waiting; the prediction goes on.",
        }
    return success(data)


@router.get(f"{PREDICTION}/result", operation_id="getResult", **ROUTES.route("The prediction", 404))
@router.get(PREDICTION, operation_id="getPrediction", **ROUTES.route("The prediction", 404))
async def get_prediction(request: Request) -> Response:
    """Get the status and the outputs of a prediction."""
    view = await read_task(request, read_key(request), request.path_params["prediction_id"])
    return success(prediction(view, link_base(request.app.state.base_url)))


@router.get("/balance", operation_id="getBalance", **ROUTES.route("The balance"))
async def get_balance(request: Request) -> Response:
    """Get the balance of the account, in credits."""
    caller = await identify(request, read_key(request))
    return success({"balance": await get_accounts(request).balance(caller)})


@router.get("/webhook/secret", operation_id="getWebhookSecret", **ROUTES.route("The secret"))
async def get_webhook_secret(request: Request) -> Response:
    """Get the secret that signs webhooks."""
    caller = await identify(request, read_key(request))
    _, secret = await get_accounts(request).show_webhook_secret(caller)
    return success({"secret": secret})


FAST_ROUTES = [
    FastRoute(method="POST", path=f"{BASE}/{MODEL}", endpoint=create_prediction),
    FastRoute(method="GET", path=f"{BASE}{PREDICTION}/result", endpoint=get_prediction),
]

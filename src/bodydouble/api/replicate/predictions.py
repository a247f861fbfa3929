"""Replicate's predictions: create, read, list, cancel."""

import re
import time
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.authentication import get_tasks, identify
from bodydouble.api.fast_path import Endpoint, FastRoute
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.reading import read_new_task, read_task
from bodydouble.api.replicate.documents import prediction_document
from bodydouble.api.replicate.inputs import AnimateInput, PredictionBody, parse
from bodydouble.api.replicate.keys import replicate_key
from bodydouble.api.replicate.names import MODELS, ROOT
from bodydouble.api.replicate.openapi import ROUTES
from bodydouble.api.route_descriptions import TEXT
from bodydouble.api.routing import api_router
from bodydouble.api.submitting import submit
from bodydouble.api.waiting import wait_for_new
from bodydouble.service import Submission
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.request_origin import link_base
from bodydouble.tasks.task import TERMINAL, TaskFilter

router = api_router(prefix=ROOT, tags=["predictions"])

WAIT = re.compile(r"wait(?:=(\d{1,4}))?\Z")
WAIT_SECONDS_MAX = 60
"""Longest wait that the header ``Prefer`` can ask for, and the default of ``Prefer: wait``."""
PAGE = 100
"""Predictions in one page of the list."""
BODY = PredictionBody.model_json_schema()
BODY["properties"]["input"] = AnimateInput.model_json_schema()


def _create(model: str | None) -> Endpoint:
    async def create(request: Request) -> Response:
        """Create a prediction. With `Prefer: wait` the response comes at its end, or after 60 s at the latest."""
        arrived, wait_seconds, secret = time.monotonic(), _preferred_wait(request), replicate_key(request)
        asked: list[Submission] = []

        def read(raw: dict[str, Any]) -> Submission:
            asked.append(parse(model, raw))
            return asked[-1]

        created = await submit(request, secret, read)
        if wait_seconds:
            # Replicate's Python client stops to read half a second after the wait that it asked for.
            left = max(wait_seconds - (time.monotonic() - arrived), 0.0)
            view = await wait_for_new(request, secret, created, asked[-1], left)
        else:
            view = await read_new_task(request, secret, created, asked[-1])
        document = prediction_document(view, link_base(request.app.state.base_url))
        if view.task.status not in TERMINAL:
            document["status"] = "starting"  # the clients take any other status for the end
        return JsonResponse(document, status_code=201)

    return create


def _preferred_wait(request: Request) -> int:
    """Seconds that the client wants to wait; 0: none. Raises InvalidParams."""
    for preference in request.headers.get("prefer", "").split(","):
        name = preference.strip().lower()
        if name.startswith("wait"):
            found = WAIT.match(name)
            seconds = WAIT_SECONDS_MAX if found is None or found[1] is None else int(found[1])
            if found is None or not 1 <= seconds <= WAIT_SECONDS_MAX:
                raise InvalidParams([f"Prefer: must be wait or wait=n, with n from 1 to {WAIT_SECONDS_MAX} seconds"])
            return seconds
    return 0


CREATES = {f"/models/{model}/predictions": _create(model) for model in MODELS} | {"/predictions": _create(None)}
for _path, _endpoint in CREATES.items():
    _name = _path.strip("/").replace("/", "_").replace(".", "_")
    router.post(
        _path, operation_id=f"create_{_name}", **ROUTES.route("The prediction", 402, 507, status=201, body=BODY)
    )(_endpoint)


@router.get(
    "/predictions", operation_id="listPredictions", **ROUTES.route("A page of predictions", query={"cursor": TEXT})
)
async def list_predictions(request: Request) -> Response:
    """List the account's predictions, newest first, whichever dialect asked for them."""
    caller = await identify(request, replicate_key(request))
    page = await get_tasks(request).list(
        TaskFilter(account=caller.id, limit=PAGE), request.query_params.get("cursor") or None
    )
    base_url: str = link_base(request.app.state.base_url)
    cursor = page.next_cursor
    return JsonResponse(
        {
            "previous": None,
            "next": f"{base_url}{ROOT}/predictions?cursor={cursor}" if cursor else None,
            "results": [prediction_document(view, base_url) for view in page.views],
        }
    )


@router.get("/predictions/{prediction_id}", operation_id="getPrediction", **ROUTES.route("The prediction", 404))
async def prediction(request: Request) -> Response:
    """Get a prediction."""
    view = await read_task(request, replicate_key(request), request.path_params["prediction_id"])
    return JsonResponse(prediction_document(view, link_base(request.app.state.base_url)))


@router.post(
    "/predictions/{prediction_id}/cancel", operation_id="cancelPrediction", **ROUTES.route("The prediction", 404)
)
async def cancel(request: Request) -> Response:
    """Cancel a prediction. One that has ended stays as it is."""
    secret, prediction_id = replicate_key(request), request.path_params["prediction_id"]
    caller = await identify(request, secret)
    await get_tasks(request).cancel(caller, prediction_id)
    view = await read_task(request, secret, prediction_id)
    return JsonResponse(prediction_document(view, link_base(request.app.state.base_url)))


FAST_ROUTES = [
    *(FastRoute(method="POST", path=f"{ROOT}{path}", endpoint=endpoint) for path, endpoint in CREATES.items()),
    FastRoute(method="GET", path=f"{ROOT}/predictions/{{prediction_id}}", endpoint=prediction),
]

"""fal's queue: submit, status, status stream, result, cancel."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.sse import format_sse_event

from bodydouble.api.authentication import get_tasks, identify
from bodydouble.api.event_streams import stream_changes
from bodydouble.api.fal.documents import (
    QUEUE,
    failure_document,
    failure_of,
    log_lines,
    request_addresses,
    result_document,
    status_document,
)
from bodydouble.api.fal.errors import ERROR_TYPE
from bodydouble.api.fal.models import ENDPOINTS
from bodydouble.api.fal.names import APPLICATION
from bodydouble.api.fal.openapi import ROUTES, endpoint_name, submit_route
from bodydouble.api.fal.requests import create, fal_key
from bodydouble.api.fast_path import Endpoint, FastRoute
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.reading import read_task
from bodydouble.api.route_descriptions import EVENTS, TEXT
from bodydouble.api.routing import api_router
from bodydouble.service import TaskView
from bodydouble.service.document import to_json
from bodydouble.tasks.dialect import START_TIMEOUT, dialect_request
from bodydouble.tasks.errors import ScopeInsufficient
from bodydouble.tasks.request_origin import link_base
from bodydouble.tasks.task import TERMINAL, Task, TaskStatus

router = api_router(prefix=QUEUE, tags=["queue"])

REQUEST_ID = "x-fal-request-id"
REQUESTS = f"/{APPLICATION}/requests/{{request_id}}"


def _submit_to(endpoint: str) -> Endpoint:
    async def submit(request: Request) -> Response:
        """Create a request in the queue."""
        created = await create(request, endpoint)
        request_id = str(created.id)
        body: dict[str, Any] = {"status": "IN_QUEUE", "request_id": request_id, "queue_position": 0}
        return JsonResponse(
            body | request_addresses(link_base(request.app.state.base_url), request_id),
            headers={REQUEST_ID: request_id},
        )

    return submit


SUBMITS = {endpoint: _submit_to(endpoint) for endpoint in ENDPOINTS}
for _endpoint, _submit in SUBMITS.items():
    router.post(f"/{_endpoint}", operation_id=f"submit_{endpoint_name(_endpoint)}", **submit_route())(_submit)


async def read(request: Request) -> TaskView:
    """The request's task, after it was cancelled if it should have started by now.

    The client evidently has the response to its submit, so the same submit now creates another request.
    """
    request_id, secret = request.path_params["request_id"], fal_key(request)
    view = await read_task(request, secret, request_id)
    service = get_tasks(request)
    if view.task.idempotency_key is not None:
        await service.note_received(view.task)
    if _is_late(view.task):
        with suppress(ScopeInsufficient):
            await service.cancel(await service.authenticate(secret), request_id)
        view = await read_task(request, secret, request_id)
    return view


def _is_late(task: Task) -> bool:
    """Whether the request is still waiting after its start timeout."""
    if task.status is not TaskStatus.PENDING:
        return False
    asked = dialect_request(task)
    limit: float | None = asked.options.get(START_TIMEOUT) if asked else None
    return limit is not None and (datetime.now(UTC) - task.created_at).total_seconds() > limit


def _wants_logs(request: Request) -> bool:
    return request.query_params.get("logs", "") in ("1", "true")


@router.get(
    f"{REQUESTS}/status", operation_id="status", **ROUTES.route("The state of a request", 404, query={"logs": TEXT})
)
async def status(request: Request) -> Response:
    """Get the state of a request: `IN_QUEUE`, `IN_PROGRESS` or `COMPLETED`, also after a failure."""
    view = await read(request)
    document = status_document(view, link_base(request.app.state.base_url), with_logs=_wants_logs(request))
    return JsonResponse(document, headers={REQUEST_ID: str(view.task.id)})


@router.get(
    f"{REQUESTS}/status/stream",
    operation_id="streamStatus",
    **ROUTES.route("States of a request as server-sent events", 404, query={"logs": TEXT}, answer_type=EVENTS),
)
async def stream_status(request: Request) -> Response:
    """Stream the states of a request until it ends. Each event has the new lines of the log."""
    view = await read(request)
    request.app.state.streams.check(view.task.account)
    base_url, with_logs, sent = link_base(request.app.state.base_url), _wants_logs(request), 0

    def event(changed: TaskView) -> bytes:
        nonlocal sent
        document = status_document(changed, base_url, with_logs=with_logs, logs_from=sent)
        if changed.task.status is not TaskStatus.PENDING:
            sent = len(log_lines(changed))
        return format_sse_event(data_str=to_json(document).decode())

    return stream_changes(request, fal_key(request), view, event)


@router.get(REQUESTS, operation_id="result", **ROUTES.route("The output of a request", 400, 403, 404, 499, 504))
async def result(request: Request) -> Response:
    """Get the output of a completed request. A failed one has the status and the `detail` of its error."""
    view = await read(request)
    return await output(request, view)


async def output(request: Request, view: TaskView) -> Response:
    """The response with the output of a request. 400 while it runs, 404 if its media were deleted, else its error."""
    task, headers = view.task, {REQUEST_ID: str(view.task.id)}
    if task.status not in TERMINAL:
        return JsonResponse({"detail": "Request is still in progress"}, status_code=400, headers=headers)
    if task.status is TaskStatus.FAILED:
        status_code, kind = failure_of(task)
        if status_code == 504:
            headers["x-fal-request-timeout-type"] = "user"
        return JsonResponse(failure_document(task), status_code=status_code, headers=headers | {ERROR_TYPE: kind})
    if not view.media_urls:
        return JsonResponse({"detail": "The output of this request was deleted"}, status_code=404, headers=headers)
    assert task.result is not None
    stored = await request.app.state.files.stat(task.result.media_keys[0])
    return JsonResponse(result_document(view, stored.size_bytes if stored else None), headers=headers)


@router.put(f"{REQUESTS}/cancel", operation_id="cancel", **ROUTES.route("Cancelled", 400, 404, status=202))
async def cancel(request: Request) -> Response:
    """Cancel a request."""
    caller = await identify(request, fal_key(request))
    request_id = request.path_params["request_id"]
    asked = await get_tasks(request).cancel(caller, request_id)
    body = {"status": "CANCELLATION_REQUESTED"} if asked else {"status": "ALREADY_COMPLETED"}
    return JsonResponse(body, status_code=202 if asked else 400, headers={REQUEST_ID: request_id})


FAST_ROUTES = [
    *(FastRoute(method="POST", path=f"{QUEUE}/{endpoint}", endpoint=submit) for endpoint, submit in SUBMITS.items()),
    FastRoute(method="GET", path=f"{QUEUE}{REQUESTS}/status", endpoint=status),
    FastRoute(method="GET", path=f"{QUEUE}{REQUESTS}", endpoint=result),
]

"""fal's synchronous calls: one request that lasts until the output exists."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import format_sse_event

from bodydouble.api.authentication import get_tasks
from bodydouble.api.event_streams import HEADERS, KEEP_ALIVE_SECONDS
from bodydouble.api.fal.documents import PREFIX
from bodydouble.api.fal.errors import error_response
from bodydouble.api.fal.models import ENDPOINTS
from bodydouble.api.fal.openapi import endpoint_name, submit_route
from bodydouble.api.fal.queue import output
from bodydouble.api.fal.requests import create, fal_key, start_timeout
from bodydouble.api.fast_path import Endpoint
from bodydouble.api.route_descriptions import EVENTS
from bodydouble.api.routing import api_router
from bodydouble.api.waiting import wait_for
from bodydouble.tasks.errors import BodydoubleError
from bodydouble.tasks.task import TERMINAL, Created, TaskStatus

router = api_router(prefix=f"{PREFIX}/run", tags=["synchronous"])


async def _output(request: Request, created: Created) -> Response:
    """The output of a request after its end. One that does not start in time is cancelled."""
    service, secret, limit = get_tasks(request), fal_key(request), start_timeout(request)
    if limit is not None:
        view = await wait_for(request, secret, created.id, lambda task: task.status is not TaskStatus.PENDING, limit)
        if view.task.status is TaskStatus.PENDING:
            await service.cancel(await service.authenticate(secret), str(created.id))
    view = await wait_for(request, secret, created.id, lambda task: task.status in TERMINAL)
    await service.note_received(view.task)
    return await output(request, view)


def _run(endpoint: str) -> Endpoint:
    async def run(request: Request) -> Response:
        """Make a video and wait for it. A client that cannot keep a connection open for minutes uses the queue."""
        return await _output(request, await create(request, endpoint))

    return run


def _stream(endpoint: str) -> Endpoint:
    async def stream(request: Request) -> Response:
        """Make a video and wait for it, with comments that keep the connection open. The one event is the output."""
        created = await create(request, endpoint)

        async def events() -> AsyncGenerator[bytes, None]:
            waiting = asyncio.create_task(_output(request, created))
            try:
                while not (await asyncio.wait({waiting}, timeout=KEEP_ALIVE_SECONDS))[0]:
                    yield format_sse_event(comment="keep-alive")
                try:
                    response = waiting.result()
                except BodydoubleError as error:
                    response = error_response(request, error)
                yield format_sse_event(data_str=bytes(response.body).decode())
            finally:
                waiting.cancel()

        return StreamingResponse(events(), media_type="text/event-stream", headers=HEADERS)

    return stream


for _endpoint in ENDPOINTS:
    _name = endpoint_name(_endpoint)
    router.post(f"/{_endpoint}", operation_id=f"run_{_name}", **submit_route())(_run(_endpoint))
    router.post(f"/{_endpoint}/stream", operation_id=f"stream_{_name}", **submit_route(EVENTS))(_stream(_endpoint))

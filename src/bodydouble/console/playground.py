"""A replacement without writing a line: choose, see the price, run."""

import dataclasses
import hashlib
import json
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from bodydouble.console.models import readiness
from bodydouble.console.pages import PageRoute, render
from bodydouble.console.schema_fields import fields_of
from bodydouble.console.snippets import write_snippets
from bodydouble.console.visitors import ConsoleDep, VisitorDep
from bodydouble.console.wording import credits_text
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.task import TaskSource

router = APIRouter(route_class=PageRoute, include_in_schema=False)

REPLACES = "animate-replace"
PLACEHOLDERS = {"img_urls": ["https://example.com/character.png"], "video_urls": ["https://example.com/shot.mp4"]}


@router.get("/")
async def playground_page(
    request: Request, console: ConsoleDep, who: VisitorDep, model: str = "", task: str = ""
) -> Response:
    """The form of one model, and the task that it made last."""
    models = list(console.tasks.models())
    spec = next((m for m in models if m.name == model), models[0])
    return render(
        request,
        "playground.html",
        who,
        models=models,
        verb="replace" if REPLACES in spec.operations else "follow",
        model=spec,
        fields=fields_of(console.schemas[spec.name]),
        readiness=await readiness(console, spec),
        renderers=console.renderers,
        limits=console.limits,
        task=task,
    )


async def _posted(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise InvalidParams(["body: is no valid JSON"]) from None
    if not isinstance(body, dict) or not isinstance(cast("dict[str, Any]", body).get("input"), dict):
        raise InvalidParams(["body: has to have an input"])
    return cast("dict[str, Any]", body)


@router.post("/console/uploads")
async def start_upload(
    console: ConsoleDep,
    who: VisitorDep,
    content_type: Annotated[str, Query(max_length=100)],
    ext: Annotated[str, Query(max_length=8)],
    size: Annotated[int, Query(ge=0)],
) -> Response:
    """Where the browser sends a file; an address of ours without its host, so that it stays on the page's own."""
    signed = await console.tasks.sign_upload(who.caller, content_type, ext, size)
    resumable = signed.resumable_url
    return JSONResponse(
        {
            "put_url": signed.put_url.removeprefix(console.base_url),
            "resumable_url": resumable and resumable.removeprefix(console.base_url),
            "file_url": signed.file_url,
            "view_url": signed.file_url.removeprefix(console.base_url),
        }
    )


@router.get("/console/people")
async def people(console: ConsoleDep, who: VisitorDep, video: Annotated[str, Query(max_length=2000)]) -> Response:
    """Who is there when an upload begins: boxes in parts of the frame, largest first."""
    found = await console.people.at_the_start(who.caller, video)
    return JSONResponse({"people": [dataclasses.asdict(person) for person in found]})


@router.get("/console/balance")
async def balance(console: ConsoleDep, who: VisitorDep) -> Response:
    """Credits that are neither spent nor reserved."""
    return JSONResponse({"balance": credits_text(await console.accounts.balance(who.caller))})


@router.post("/console/price")
async def price(request: Request, console: ConsoleDep, who: VisitorDep) -> Response:
    """What it would cost, and the same request for programs. Missing media are made up: a price of five seconds."""
    body = await _posted(request)
    submission = console.parse(body | {"input": PLACEHOLDERS | body["input"]})
    cost = await console.tasks.price(submission)
    balance = await console.accounts.balance(who.caller)
    snippets = write_snippets(console.base_url, submission.param)
    return JSONResponse(
        {
            "credits": float(cost.credits),
            "estimated": cost.estimated,
            "balance": float(balance),
            "affordable": balance >= cost.credits,
            "curl": snippets.curl,
            "python": snippets.python,
        }
    )


@router.post("/console/tasks")
async def create_task(
    request: Request,
    console: ConsoleDep,
    who: VisitorDep,
    idempotency_key: Annotated[str | None, Header(pattern="^[0-9a-f-]{1,64}$")] = None,
) -> Response:
    """Run it; sent again with the same key, as after a lost answer, it is the first one."""
    submission = console.parse(await _posted(request))
    created = await console.tasks.submit_as(
        who.caller,
        submission,
        TaskSource.PLAYGROUND,
        request.state.traceparent,
        idempotency_key=idempotency_key,
        body_hash=hashlib.sha256(await request.body()).digest() if idempotency_key else None,
    )
    return JSONResponse({"task_id": str(created.id)}, status_code=201)

"""The playground: choose files and options, see the price, run a task."""

import dataclasses
import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from bodydouble.console.authentication import ConsoleDep, SignedInUser, UserDep
from bodydouble.console.dependencies import Console
from bodydouble.console.form_fields import form_fields
from bodydouble.console.formatting import credits_text
from bodydouble.console.models import readiness
from bodydouble.console.pages import PageRoute, render
from bodydouble.console.snippets import write_snippets
from bodydouble.service.json_input import read_json_object
from bodydouble.service.tasks import TITLE_CHARACTERS_MAX
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.task import TaskSource

router = APIRouter(route_class=PageRoute, include_in_schema=False)

REPLACE_OPERATION = "animate-replace"
PLACEHOLDERS = {"img_urls": ["https://example.com/character.png"], "video_urls": ["https://example.com/shot.mp4"]}


@router.get("/")
async def playground_page(
    request: Request,
    console: ConsoleDep,
    user: UserDep,
    model: str = "",
    task: str = "",
    source: Annotated[str, Query(alias="from", max_length=64)] = "",
) -> Response:
    """Show the form of one model, and optionally a task. ``source`` is a task whose inputs fill the form."""
    prefill = await _inputs_of(console, user, source) if source else {}
    models = list(console.tasks.models())
    spec = next((m for m in models if m.name == prefill.get("model", model)), models[0])
    ready = await readiness(console, spec)
    return render(
        request,
        "playground.html",
        user,
        models=models,
        verb="replace" if REPLACE_OPERATION in spec.operations else "follow",
        model=spec,
        fields=form_fields(console.schemas[spec.name], ready.renderers),
        readiness=ready,
        summaries=console.renderer_summaries,
        limits=console.limits,
        task=task,
        prefill=json.dumps(prefill),
        snippets=write_snippets(console.base_url, console.examples[spec.name], console.write_programs),
    )


async def _inputs_of(console: Console, user: SignedInUser, task_id: str) -> dict[str, Any]:
    """The model and inputs of a task. An upload has a URL to show it; one that was deleted is left out."""
    task = (await console.tasks.read(user.caller, task_id)).task
    shown = await console.tasks.media_inputs(task)
    view_urls = {"img_urls": shown.image_url, "video_urls": shown.video_url}
    files = [
        {"field": field, "file_url": task.inputs[field][0], "view_url": url and url.removeprefix(console.base_url)}
        for field, url in view_urls.items()
        if url or not str(task.inputs[field][0]).startswith(console.base_url)
    ]
    values = {name: value for name, value in task.inputs.items() if name not in view_urls}
    return {"model": task.model, "values": values, "files": files}


@router.get("/console/examples/{name}")
async def example(console: ConsoleDep, user: UserDep, name: str) -> Response:
    """One of the files that the page offers for a first try."""
    return FileResponse(await console.example_file(name), headers={"cache-control": "private, max-age=3600"})


async def _read_body(request: Request) -> dict[str, Any]:
    body = read_json_object(await request.body())
    if not isinstance(body.get("input"), dict):
        raise InvalidParams(["body: must have the field input"])
    return body


@router.post("/console/uploads")
async def start_upload(
    console: ConsoleDep,
    user: UserDep,
    content_type: Annotated[str, Query(max_length=100)],
    ext: Annotated[str, Query(max_length=8)],
    size: Annotated[int, Query(ge=0)],
) -> Response:
    """Get URLs for an upload, without host so that the browser sends the file to the host it opened."""
    signed = await console.tasks.sign_upload(user.caller, content_type, ext, size)
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
async def people(console: ConsoleDep, user: UserDep, video: Annotated[str, Query(max_length=2000)]) -> Response:
    """Detect the people in the first frame of an upload: boxes in fractions of the frame, largest first."""
    found = await console.people.at_the_start(user.caller, video)
    return JSONResponse({"people": [dataclasses.asdict(person) for person in found.people]})


@router.post("/console/proxy")
async def proxy(console: ConsoleDep, user: UserDep, video: Annotated[str, Query(max_length=2000)]) -> Response:
    """Get the URL of a small H.264 copy of an upload or a result, without host."""
    url = await console.proxies.address(user.caller, video)
    return JSONResponse({"url": url.removeprefix(console.base_url)})


@router.get("/console/balance")
async def balance(console: ConsoleDep, user: UserDep) -> Response:
    """Get the available credits."""
    return JSONResponse({"balance": credits_text(await console.accounts.balance(user.caller))})


@router.post("/console/price")
async def price(request: Request, console: ConsoleDep, user: UserDep) -> Response:
    """Get the price and code snippets of the request. Without media the price is that of five seconds.

    A video that some browsers cannot play gets a copy that they can.
    """
    body = await _read_body(request)
    submission = console.parse(body | {"input": PLACEHOLDERS | body["input"]})
    cost = await console.tasks.pricing.price(submission, user.caller.id)
    balance = await console.accounts.balance(user.caller)
    plays = cost.video is None or cost.video.plays_in_browsers
    if not plays:
        console.proxies.begin(user.caller, str(submission.inputs["video_urls"][0]))
    snippets = write_snippets(console.base_url, submission.param, console.write_programs)
    return JSONResponse(
        {
            "credits": float(cost.credits),
            "estimated": cost.estimated,
            "size": cost.size,
            "resolution": cost.resolution,
            "plays": plays,
            "balance": float(balance),
            "affordable": balance >= cost.credits,
            "snippets": {snippet.name: snippet.text for snippet in snippets},
        }
    )


@router.post("/console/tasks")
async def create_task(
    request: Request,
    console: ConsoleDep,
    user: UserDep,
    idempotency_key: Annotated[str | None, Header(pattern="^[0-9a-f-]{1,64}$")] = None,
) -> Response:
    """Create a task. Repeating the request with the same idempotency key returns the first task."""
    body = await _read_body(request)
    title = str(body.pop("title", ""))[:TITLE_CHARACTERS_MAX]
    submission = console.parse(body)
    created = await console.tasks.submit(
        user.caller,
        submission,
        source=TaskSource.PLAYGROUND,
        traceparent=request.state.traceparent,
        idempotency_key=idempotency_key,
        body_hash=hashlib.sha256(await request.body()).digest() if idempotency_key else None,
    )
    if title and not created.replayed:
        await console.tasks.rename(user.caller, str(created.id), title)
    return JSONResponse({"task_id": str(created.id)}, status_code=201)

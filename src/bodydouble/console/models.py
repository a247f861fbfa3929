"""The models: an overview, and a page each."""

import json
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.console.pages import PageRoute, render
from bodydouble.console.schema_fields import fields_of
from bodydouble.console.snippets import write_snippets
from bodydouble.console.visitors import ConsoleDep, VisitorDep
from bodydouble.console.wiring import Console
from bodydouble.tasks.catalogue import ModelSpec
from bodydouble.tasks.operation import MAINTENANCE, renderer_feature

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether a model can be run here at this moment."""

    runs: bool
    renderers: list[str]
    reason: str  # why not, or what to expect; for people


async def readiness(console: Console, model: ModelSpec) -> Readiness:
    """What stands in the way: a switch, no renderer, no worker."""
    off = {switch.name: switch.message for switch in await console.operation.switched_off()}
    renderers = [name for name in model.renderers if name in console.renderers and renderer_feature(name) not in off]
    if MAINTENANCE in off:
        return Readiness(runs=False, renderers=renderers, reason=off[MAINTENANCE] or "Under maintenance.")
    if model.name in off:
        return Readiness(runs=False, renderers=renderers, reason=off[model.name] or "Switched off by the operator.")
    if not renderers:
        wanted = " or ".join(model.renderers)
        return Readiness(
            runs=False,
            renderers=[],
            reason=f"This installation cannot run it: it takes the renderer {wanted}. The command "
            "'bodydouble doctor' says what is missing.",
        )
    state = await console.operation.queue_state()
    if not state.executors:
        return Readiness(
            runs=False, renderers=renderers, reason="No worker is running; tasks wait in the queue until one is."
        )
    waiting = f"{state.pending} waiting in the queue." if state.pending else "A worker is ready."
    return Readiness(runs=True, renderers=renderers, reason=waiting)


@router.get("/models")
async def models_page(request: Request, console: ConsoleDep, who: VisitorDep) -> Response:
    """All models."""
    models = [(model, await readiness(console, model)) for model in console.tasks.models()]
    return render(request, "models.html", who, models=models)


@router.get("/models/{name:path}")
async def model_page(request: Request, console: ConsoleDep, who: VisitorDep, name: str) -> Response:
    """One model."""
    model = console.tasks.model(name)
    schema = console.schemas[name]
    example = console.examples[name]
    return render(
        request,
        "model.html",
        who,
        model=model,
        readiness=await readiness(console, model),
        fields=fields_of(schema),
        schema=json.dumps(schema, indent=2),
        snippets=write_snippets(console.base_url, example),
        limits=console.limits,
    )

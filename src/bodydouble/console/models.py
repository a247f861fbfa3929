"""The list of models, and a page for each model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.console.authentication import ConsoleDep, UserDep
from bodydouble.console.dependencies import Console
from bodydouble.console.form_fields import form_fields
from bodydouble.console.pages import PageRoute, render
from bodydouble.console.snippets import write_snippets
from bodydouble.tasks.catalogue import ModelSpec
from bodydouble.tasks.operation import MAINTENANCE, renderer_feature

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether a model can run on this installation now."""

    accepts_tasks: bool
    can_run: bool  # at once: a worker is running
    renderers: list[str]
    reason: str  # for people: why it cannot run, or the state of the queue


async def readiness(console: Console, model: ModelSpec) -> Readiness:
    """Check switches, renderers and workers for a model."""
    off = {switch.name: switch.message for switch in await console.operation.switched_off()}
    installed = console.renderers[model.mode]
    renderers = [name for name in installed if renderer_feature(name) not in off]
    obstacle = _obstacle(model, installed, renderers, off)
    if obstacle is not None:
        return Readiness(accepts_tasks=False, can_run=False, renderers=renderers, reason=obstacle)
    state = await console.operation.queue_state()
    if not state.executors:
        reason = "No worker is running. Tasks wait in the queue until one starts."
    else:
        reason = f"{state.pending} tasks in the queue." if state.pending else "A worker is ready."
    return Readiness(accepts_tasks=True, can_run=bool(state.executors), renderers=renderers, reason=reason)


def _obstacle(
    model: ModelSpec, installed: Sequence[str], renderers: Sequence[str], off: Mapping[str, str]
) -> str | None:
    """Why the model accepts no tasks; ``off`` has the operator's message of each switch. None if it accepts them."""
    if MAINTENANCE in off:
        return off[MAINTENANCE] or "Under maintenance."
    if model.name in off:
        return off[model.name] or "Switched off by the operator."
    if not installed:
        return (
            "Not available on this installation: no renderer that can make it runs here. "
            "Run 'bodydouble doctor' to see what is missing."
        )
    if not renderers:
        messages = [off[renderer_feature(name)] for name in installed]
        return next(filter(None, messages), f"The operator switched off the renderer {' and '.join(installed)}.")
    return None


@router.get("/models")
async def models_page(request: Request, console: ConsoleDep, user: UserDep) -> Response:
    """Show all models."""
    models = [(model, await readiness(console, model)) for model in console.tasks.models()]
    return render(request, "models.html", user, models=models)


@router.get("/models/{name:path}")
async def model_page(request: Request, console: ConsoleDep, user: UserDep, name: str) -> Response:
    """Show one model."""
    model = console.tasks.model(name)
    schema = console.schemas[name]
    example = console.examples[name]
    return render(
        request,
        "model.html",
        user,
        model=model,
        readiness=await readiness(console, model),
        fields=form_fields(schema),
        schema=json.dumps(schema, indent=2),
        snippets=write_snippets(console.base_url, example, console.write_programs),
        limits=console.limits,
    )

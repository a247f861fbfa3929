"""Endpoints of the model catalogue."""

import base64
import dataclasses
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from bodydouble.api.authentication import CallerDep, PeopleDep, TasksDep
from bodydouble.api.crun.envelope import success
from bodydouble.api.crun.openapi import responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import ModelDetail, ModelList, PeopleData, TemplatePage
from bodydouble.api.crun.wire import EXAMPLES, model_data
from bodydouble.api.inputs import INPUTS
from bodydouble.api.routing import api_router

router = api_router(prefix=CLIENT_API)

Filter = Annotated[str | None, Query(max_length=100)]


@router.get("/job/Models", operation_id="listModels", tags=["models"], responses=responses(ModelList))
async def models(
    request: Request, service: TasksDep, caller: CallerDep, modality: Filter = None, operation: Filter = None
) -> Response:
    """List the models of the catalogue."""
    renderers, off = request.app.state.renderers, await service.switched_off()
    found = [model_data(m, renderers, off.keys()) for m in service.models(modality, operation)]
    return success({"total": len(found), "models": found})


@router.get("/job/Models/{model:path}", operation_id="getModel", tags=["models"], responses=responses(ModelDetail, 404))
async def model(request: Request, service: TasksDep, caller: CallerDep, model: str) -> Response:
    """Describe one model, with the JSON Schema of its input and an example."""
    spec = service.model(model)
    renderers, off = request.app.state.renderers, await service.switched_off()
    schema = INPUTS[model].model_json_schema()
    described = {"input_schema": schema, "required_input_fields": schema["required"], "example": EXAMPLES[model]}
    return success(model_data(spec, renderers, off.keys()) | described)


@router.get("/job/People", operation_id="findPeople", tags=["models"], responses=responses(PeopleData, 503))
async def people(
    service: PeopleDep,
    caller: CallerDep,
    video_url: Annotated[
        str, Query(max_length=2000, examples=["https://your-domain.com/shot.mp4"], description="An uploaded video.")
    ],
) -> Response:
    """Find the people in the first frame of an uploaded video that shows any. Their order is that of `person`."""
    seen = await service.at_the_start(caller, video_url)
    picture = f"data:image/jpeg;base64,{base64.b64encode(seen.picture).decode()}" if seen.picture else ""
    return success({"people": [dataclasses.asdict(person) for person in seen.people], "picture": picture})


@router.get(
    "/job/kling-templates", operation_id="listKlingTemplates", tags=["templates"], responses=responses(TemplatePage)
)
@router.get(
    "/job/vidu-templates", operation_id="listViduTemplates", tags=["templates"], responses=responses(TemplatePage)
)
@router.get(
    "/job/bytedance-templates",
    operation_id="listBytedanceTemplates",
    tags=["templates"],
    responses=responses(TemplatePage),
)
async def templates(
    caller: CallerDep, page: Annotated[int, Query(ge=1)] = 1, page_size: Annotated[int, Query(ge=1, le=100)] = 20
) -> Response:
    """List templates. Always empty: this installation has none."""
    return success({"total": 0, "page": page, "page_size": page_size, "items": []})

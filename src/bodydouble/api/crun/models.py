"""Endpoints of the model catalogue."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from bodydouble.api.authentication import CallerDep, TasksDep
from bodydouble.api.crun.envelope import success
from bodydouble.api.crun.openapi import responses
from bodydouble.api.crun.prefix import CLIENT_API
from bodydouble.api.crun.response_models import ModelDetail, ModelList, TemplatePage
from bodydouble.api.crun.wire import EXAMPLES, model_data
from bodydouble.api.inputs import INPUTS

router = APIRouter(prefix=CLIENT_API)

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
    return success(model_data(spec, renderers, off.keys()) | {"input_schema": schema, "example": EXAMPLES[model]})


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

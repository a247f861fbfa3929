"""Replicate's models, account and webhook secret, as far as the clients need them."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.authentication import get_accounts, identify
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.replicate.inputs import AnimateInput
from bodydouble.api.replicate.keys import replicate_key
from bodydouble.api.replicate.names import MODELS, ROOT, VERSIONS
from bodydouble.api.replicate.openapi import ROUTES
from bodydouble.api.route_descriptions import TEXT
from bodydouble.api.routing import api_router
from bodydouble.tasks.catalogue import CATALOGUE
from bodydouble.tasks.errors import NotFound
from bodydouble.tasks.request_origin import link_base

router = api_router(prefix=ROOT)

COG_VERSION = "0.16.0"
"""From 0.3.9 on the clients take the schema as it is."""
CREATED_AT = "2025-09-19T00:00:00Z"
"""Publication of Wan2.2-Animate; the clients need a date."""


@router.get("/account", operation_id="getAccount", tags=["account"], **ROUTES.route("The account"))
async def account(request: Request) -> Response:
    """Get the account of the key."""
    caller = await identify(request, replicate_key(request))
    name = caller.account.name
    return JsonResponse({"type": "organization", "username": name, "name": name, "github_url": None})


@router.get(
    "/webhooks/default/secret", operation_id="getWebhookSecret", tags=["account"], **ROUTES.route("The signing secret")
)
async def webhook_secret(request: Request) -> Response:
    """Get the secret that signs the account's webhooks."""
    caller = await identify(request, replicate_key(request))
    return JsonResponse({"key": (await get_accounts(request).show_webhook_secret(caller))[1]})


@router.get("/models", operation_id="listModels", tags=["models"], **ROUTES.route("The models", query={"cursor": TEXT}))
async def models(request: Request) -> Response:
    """List the models that are served here."""
    await identify(request, replicate_key(request))
    return _page([_model(request, name) for name in MODELS])


@router.get("/models/{owner}/{name}", operation_id="getModel", tags=["models"], **ROUTES.route("The model", 404))
async def model(request: Request) -> Response:
    """Describe a model."""
    return JsonResponse(_model(request, await _name(request)))


@router.get(
    "/models/{owner}/{name}/versions", operation_id="listVersions", tags=["models"], **ROUTES.route("Versions", 404)
)
async def versions(request: Request) -> Response:
    """List the versions of a model; there is one."""
    name = await _name(request)
    return _page([_version(VERSIONS[name])])


@router.get(
    "/models/{owner}/{name}/versions/{version}",
    operation_id="getVersion",
    tags=["models"],
    **ROUTES.route("Version", 404),
)
async def version(request: Request) -> Response:
    """Describe a version. Every version that a program names is the one that is served here."""
    await _name(request)
    return JsonResponse(_version(request.path_params["version"]))


async def _name(request: Request) -> str:
    await identify(request, replicate_key(request))
    name = f"{request.path_params['owner']}/{request.path_params['name']}"
    if name not in MODELS:
        raise NotFound(f"The model is not served here; there are: {', '.join(MODELS)}")
    return name


def _page(results: list[dict[str, Any]]) -> Response:
    return JsonResponse({"previous": None, "next": None, "results": results})


def _model(request: Request, name: str) -> dict[str, Any]:
    owner, short = name.split("/")
    return {
        "url": f"{link_base(request.app.state.base_url)}{ROOT}/models/{name}",
        "owner": owner,
        "name": short,
        "description": CATALOGUE[MODELS[name]].description,
        "visibility": "public",
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": _version(VERSIONS[name]),
    }


def _version(identifier: str) -> dict[str, Any]:
    schemas = {"Input": AnimateInput.model_json_schema(), "Output": {"type": "string", "format": "uri"}}
    return {
        "id": identifier,
        "created_at": CREATED_AT,
        "cog_version": COG_VERSION,
        "openapi_schema": {"openapi": "3.1.0", "components": {"schemas": schemas}},
    }

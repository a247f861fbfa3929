"""Liveness and readiness checks."""

from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import Response

from bodydouble.api.json_response import JsonResponse
from bodydouble.api.metrics import may_see_internals
from bodydouble.api.routing import api_router
from bodydouble.tasks.errors import BodydoubleError

router = api_router(tags=["health"])

UNAVAILABLE = "unavailable; the log of the service has the reason"
_log = structlog.get_logger("bodydouble.api")


@router.get("/healthz", operation_id="getHealth")
async def healthz() -> dict[str, str]:
    """Liveness: the process responds."""
    return {"status": "ok"}


@router.get("/readyz", operation_id="getReadiness")
async def readyz(request: Request) -> Response:
    """Readiness of database, file store and models. What is wrong and how to fix it is shown as `/metrics` is."""
    checks: dict[str, Any] = {}
    for name, check in request.app.state.readiness.items():
        try:
            await check()
            checks[name] = "ok"
        except BodydoubleError as error:
            _log.warning("not ready", check=name, reason=error.reason, message=error.message)
            checks[name] = error.message if may_see_internals(request) else UNAVAILABLE
    ready = all(value == "ok" for value in checks.values())
    return JsonResponse(
        {"status": "ready" if ready else "not ready", "checks": checks}, status_code=200 if ready else 503
    )

"""Liveness and readiness checks."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.api.envelope import EnvelopeResponse
from bodydouble.tasks.errors import BodydoubleError

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Liveness: the process responds."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Readiness: checks the database, the file store and the models. 503 names what is wrong and how to fix it."""
    checks: dict[str, Any] = {}
    for name, check in request.app.state.readiness.items():
        try:
            await check()
            checks[name] = "ok"
        except BodydoubleError as error:
            checks[name] = error.message
    ready = all(value == "ok" for value in checks.values())
    return EnvelopeResponse(
        {"status": "ready" if ready else "not ready", "checks": checks}, status_code=200 if ready else 503
    )

"""Whether the service lives, and whether it can do its work."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bodydouble.api.envelope import EnvelopeResponse
from bodydouble.tasks.errors import BodydoubleError

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Database, file store and models answer; 503 with what is wrong and what mends it where one does not."""
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

"""The parts of a fal request besides its input: key, webhook, timeouts, and headers without effect here."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from bodydouble.api.authentication import read_key
from bodydouble.api.fal.documents import IGNORED
from bodydouble.api.fal.models import parse
from bodydouble.api.request_bodies import validate
from bodydouble.api.submitting import submit
from bodydouble.api.translation import CallbackUrl
from bodydouble.service.json_input import reject_nul
from bodydouble.service.repeats import name_request
from bodydouble.tasks.dialect import START_TIMEOUT
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.task import Created

TIMEOUT = "x-fal-request-timeout"
LIFECYCLE = ("x-fal-object-lifecycle", "x-fal-object-lifecycle-preference")
STORE_IO = "x-fal-store-io"
WITHOUT_EFFECT = ("x-fal-runner-hint", "x-fal-no-retry", "x-fal-retry-config", "x-app-fal-disable-fallback")
"""There is one service and one charge, however often a step is repeated, and no other model takes over."""
PRIORITY = "x-fal-queue-priority"
IDEMPOTENCY_KEY = "idempotency-key"


class _Webhook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fal_webhook: CallbackUrl | None = None


def fal_key(request: Request) -> str | None:
    """The API key: ``Authorization: Key …``, or ``Bearer`` as upload tokens have."""
    return read_key(request, b"key ") or read_key(request)


async def create(request: Request, endpoint: str) -> Created:
    """The task of a request for ``endpoint``. A repeated request is the same task, until its response was used."""

    def read(raw: Mapping[str, Any]) -> Any:
        return parse(endpoint, raw, _options(request), _webhook(request))

    named = request.headers.get(IDEMPOTENCY_KEY, "").encode()
    query = request.scope["query_string"]
    return await submit(request, fal_key(request), read, partial(name_request, endpoint.encode(), query, named))


def refuse_lifecycle(request: Request) -> None:
    """Raise InvalidParams if the request wants its files kept for a time of its own."""
    for name in LIFECYCLE:
        if request.headers.get(name):
            raise InvalidParams([f"{name}: files are kept as long as this service keeps all files; omit the header"])


def start_timeout(request: Request) -> float | None:
    """Seconds within which the request must start; None: no limit. Raises InvalidParams."""
    text = request.headers.get(TIMEOUT)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidParams([f"{TIMEOUT}: must be a number of seconds above 0"])
    return seconds


def _options(request: Request) -> dict[str, Any]:
    refuse_lifecycle(request)
    if request.headers.get(STORE_IO, "").lower() in ("0", "false", "no"):
        raise InvalidParams(
            [f"{STORE_IO}: a request is kept as long as its task, which can be deleted; omit the header"]
        )
    options: dict[str, Any] = {}
    if (seconds := start_timeout(request)) is not None:
        options[START_TIMEOUT] = seconds
    ignored = [name for name in WITHOUT_EFFECT if name in request.headers]
    if request.headers.get(PRIORITY, "normal") != "normal":
        ignored.append(PRIORITY)
    if ignored:
        options[IGNORED] = ignored
    return options


def _webhook(request: Request) -> str | None:
    given = request.query_params.get("fal_webhook")
    if given is None:
        return None
    reject_nul((given,))
    return str(validate(_Webhook, {"fal_webhook": given}).fal_webhook)

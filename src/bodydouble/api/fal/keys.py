"""The public key of fal webhooks, and the one address of the JavaScript client's proxy."""

import base64
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Scope

from bodydouble.api.fal.documents import PREFIX, QUEUE
from bodydouble.api.fal.openapi import ROUTES
from bodydouble.api.json_response import JsonResponse
from bodydouble.api.routing import api_router
from bodydouble.service.signing import InstallationSigner
from bodydouble.tasks.errors import InvalidParams

router = api_router(prefix=PREFIX, tags=["webhooks"])
PROXY = f"{PREFIX}/proxy"
TARGET = b"x-fal-target-url"
TARGETS = {
    "queue.fal.run": QUEUE,
    "fal.run": f"{PREFIX}/run",
    "rest.fal.ai": f"{PREFIX}/rest",
    "rest.alpha.fal.ai": f"{PREFIX}/rest",
}
"""Host that a client means → our path."""


@router.get("/.well-known/jwks.json", operation_id="getKeys", **ROUTES.route("The keys"))
async def keys(request: Request) -> Response:
    """Get the public key that verifies webhooks, as JSON Web Key Set (RFC 8037)."""
    signer: InstallationSigner = request.app.state.services.signer
    x = base64.urlsafe_b64encode(signer.public_key).decode().rstrip("=")
    key = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": x[:8], "x": x}
    return JsonResponse({"keys": [key]}, headers={"cache-control": "public, max-age=3600"})


@router.api_route("/proxy", methods=["GET", "POST", "PUT"], include_in_schema=False)
async def unknown_target(request: Request) -> Response:
    """The answer if the header does not name an address that is served here."""
    raise InvalidParams([f"{TARGET.decode()}: must be an https URL at one of: {', '.join(TARGETS)}"])


def redirect_to_target(scope: Scope) -> None:
    """Give a request for the proxy the path and query that its header names, if we serve that address."""
    for name, value in scope["headers"]:
        if name == TARGET:
            try:
                parts = urlsplit(str(value, "latin-1"))
                path = TARGETS.get(parts.hostname or "")
            except ValueError:
                return
            if path is not None:
                scope["path"] = path + parts.path
                scope["raw_path"] = scope["path"].encode()
                scope["query_string"] = parts.query.encode()
            return

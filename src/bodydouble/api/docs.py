"""The API reference at ``/docs``: Scalar's viewer, from this origin, under a strict Content-Security-Policy.

The viewer is the unchanged build of @scalar/api-reference that the package star-openapi-scalar ships
(docs/decisions/0019-api-reference.md).
"""

import gzip
import hashlib
import secrets
from functools import cache
from importlib import metadata, resources
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from bodydouble.tasks.errors import NotFound

VIEWER_PACKAGE = "star-openapi-scalar"
VIEWER_FILE = "star_openapi_scalar/templates/scalar/js/scalar.standalone.js"
IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="{nonce}">
<title>bodydouble API reference</title>
<link rel="icon" href="data:,">
<script src="{assets}/reference.js" defer></script>
<script src="{assets}/viewer.js" defer></script>
</head>
<body>
<div id="reference"></div>
<noscript>The reference needs JavaScript. Programs read <a href="/openapi.json">/openapi.json</a>.</noscript>
</body>
</html>
"""
router = APIRouter(include_in_schema=False)


@cache
def _assets() -> dict[str, bytes]:
    """Name → compressed JavaScript. The package is not imported: that would load its web framework."""
    viewer = Path(str(metadata.distribution(VIEWER_PACKAGE).locate_file(VIEWER_FILE))).read_bytes()
    own = resources.files("bodydouble.api").joinpath("reference.js").read_bytes()
    return {name: gzip.compress(text, 6, mtime=0) for name, text in (("viewer.js", viewer), ("reference.js", own))}


@cache
def _asset_root() -> str:
    """The URL path of the assets, which changes with their content."""
    digest = hashlib.sha256(b"".join(content for _, content in sorted(_assets().items())))
    return f"/docs/assets/{digest.hexdigest()[:12]}"


@router.get("/docs", response_class=HTMLResponse)
def docs_page() -> HTMLResponse:
    """The page. Style sheets need the nonce; only the style attributes that the viewer sets do not."""
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }
    return HTMLResponse(PAGE.format(nonce=nonce, assets=_asset_root()), headers=headers)


@router.get("/docs/assets/{version}/{name}")
def docs_asset(request: Request, version: str, name: str) -> Response:
    """One asset. Browsers may cache it for ever, because changed content has another path."""
    content = _assets().get(name)
    if content is None:
        raise NotFound("File not found")
    is_current = _asset_root().endswith(f"/{version}")
    headers = (IMMUTABLE if is_current else {"cache-control": "no-store"}) | {"vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(content, media_type="text/javascript", headers=headers | {"content-encoding": "gzip"})
    return Response(gzip.decompress(content), media_type="text/javascript", headers=headers)

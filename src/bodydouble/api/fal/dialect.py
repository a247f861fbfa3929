"""fal's API as a dialect."""

from bodydouble.api.dialect import BaseUrl, Dialect
from bodydouble.api.fal import keys, multipart, queue, storage, synchronous
from bodydouble.api.fal.documents import PREFIX, QUEUE
from bodydouble.api.fal.errors import error_response, http_error
from bodydouble.api.fal.models import ENDPOINTS
from bodydouble.api.fal.openapi import SECURITY_SCHEMES
from bodydouble.api.fal.program import write_program
from bodydouble.api.programs import Program

FILES_IN_BODY = frozenset(
    f"{root}/{endpoint}{rest}"
    for endpoint in ENDPOINTS
    for root, rest in ((QUEUE, ""), (f"{PREFIX}/run", ""), (f"{PREFIX}/run", "/stream"))
)

DIALECT = Dialect(
    name="fal",
    title="fal.ai",
    prefix=PREFIX,
    base_urls=[
        BaseUrl(give_as="FAL_RUN_HOST", path=f"{PREFIX}/run", has_scheme=False),
        BaseUrl(give_as="FAL_QUEUE_RUN_HOST", path=QUEUE, has_scheme=False),
        BaseUrl(give_as="proxyUrl of @fal-ai/client", path=keys.PROXY),
        BaseUrl(give_as="JWKS of webhooks", path=f"{PREFIX}/.well-known/jwks.json"),
    ],
    routers=[queue.router, synchronous.router, storage.router, multipart.router, keys.router],
    error_response=error_response,
    http_error=http_error,
    fast_routes=queue.FAST_ROUTES,
    files_in_body=FILES_IN_BODY.__contains__,
    uploads=lambda path: path == storage.UPLOAD or multipart.is_part(path),
    rewrites={keys.PROXY: keys.redirect_to_target},
    security_schemes=SECURITY_SCHEMES,
    program=Program(label="fal", write=write_program),
)

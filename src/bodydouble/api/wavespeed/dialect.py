"""WaveSpeed's API as a dialect."""

from bodydouble.api.dialect import BaseUrl, Dialect
from bodydouble.api.programs import Program
from bodydouble.api.route_descriptions import BEARER_SCHEME
from bodydouble.api.wavespeed import predictions, uploads
from bodydouble.api.wavespeed.errors import error_response, http_error
from bodydouble.api.wavespeed.paths import BASE, MODEL, PREFIX
from bodydouble.api.wavespeed.program import write_program

DIALECT = Dialect(
    name="wavespeed",
    title="WaveSpeedAI",
    prefix=PREFIX,
    base_urls=[BaseUrl(give_as="base_url of wavespeed.Client", path=PREFIX)],
    routers=[predictions.router, uploads.router],
    error_response=error_response,
    http_error=http_error,
    fast_routes=predictions.FAST_ROUTES,
    files_in_body=lambda path: path == f"{BASE}/{MODEL}",
    uploads=lambda path: path == uploads.FORM_UPLOAD,
    security_schemes=BEARER_SCHEME,
    program=Program(label="WaveSpeed", write=write_program),
)

"""Replicate's API as a dialect."""

from bodydouble.api.dialect import BaseUrl, Dialect
from bodydouble.api.programs import Program
from bodydouble.api.replicate import catalogue, files, predictions
from bodydouble.api.replicate.errors import error_response, http_error
from bodydouble.api.replicate.names import PREFIX, ROOT
from bodydouble.api.replicate.openapi import SECURITY_SCHEMES
from bodydouble.api.replicate.program import write_program

FILES_IN_BODY = frozenset(f"{ROOT}{path}" for path in predictions.CREATES)

DIALECT = Dialect(
    name="replicate",
    title="Replicate",
    prefix=PREFIX,
    base_urls=[
        BaseUrl(give_as="REPLICATE_BASE_URL", path=PREFIX),
        BaseUrl(give_as="baseUrl of replicate (JavaScript)", path=ROOT),
    ],
    routers=[predictions.router, files.router, catalogue.router],
    error_response=error_response,
    http_error=http_error,
    fast_routes=predictions.FAST_ROUTES,
    files_in_body=FILES_IN_BODY.__contains__,
    uploads=lambda path: path == files.FILES,
    security_schemes=SECURITY_SCHEMES,
    program=Program(label="Replicate", write=write_program),
)

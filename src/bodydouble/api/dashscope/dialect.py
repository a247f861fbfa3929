"""DashScope's API as a dialect."""

from bodydouble.api.dashscope import tasks, uploads
from bodydouble.api.dashscope.errors import error_response, http_error
from bodydouble.api.dashscope.paths import BASE, OBJECTS, PREFIX
from bodydouble.api.dashscope.program import write_program
from bodydouble.api.dialect import BaseUrl, Dialect
from bodydouble.api.programs import Program
from bodydouble.api.route_descriptions import BEARER_SCHEME

DIALECT = Dialect(
    name="dashscope",
    title="Alibaba Cloud Model Studio (DashScope)",
    prefix=PREFIX,
    base_urls=[BaseUrl(give_as="DASHSCOPE_HTTP_BASE_URL", path=BASE)],
    routers=[tasks.router, uploads.router],
    error_response=error_response,
    http_error=http_error,
    fast_routes=tasks.FAST_ROUTES,
    uploads=lambda path: path == OBJECTS,
    security_schemes=BEARER_SCHEME,
    program=Program(label="DashScope", write=write_program),
)

"""The HTTP API: routes, wire schemas, the table from error to envelope, and the limits of one process."""

from bodydouble.api.app import ApiLimits, attach, create_app
from bodydouble.api.inputs import EXAMPLES, INPUTS
from bodydouble.api.wire import parse_submission

__all__ = ["EXAMPLES", "INPUTS", "ApiLimits", "attach", "create_app", "parse_submission"]

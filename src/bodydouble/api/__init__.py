"""Routes, wire schemas, error → envelope table, limits of one process."""

from bodydouble.api.app import EdgeLimits, attach, create_app
from bodydouble.api.inputs import EXAMPLES, INPUTS
from bodydouble.api.wire import parse_submission

__all__ = ["EXAMPLES", "INPUTS", "EdgeLimits", "attach", "create_app", "parse_submission"]

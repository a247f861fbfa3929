"""Routes, wire schemas, error → envelope table."""

from bodydouble.api.app import Services, attach, create_app
from bodydouble.api.inputs import EXAMPLES, INPUTS
from bodydouble.api.wire import parse_submission

__all__ = ["EXAMPLES", "INPUTS", "Services", "attach", "create_app", "parse_submission"]

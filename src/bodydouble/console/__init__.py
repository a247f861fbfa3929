"""The web pages: playground, tasks, keys, credits, models, operation. Through the use cases, as the API."""

from bodydouble.console.app import attach, install
from bodydouble.console.wiring import Console

__all__ = ["Console", "attach", "install"]

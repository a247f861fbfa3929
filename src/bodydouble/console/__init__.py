"""The web pages: playground, tasks, keys, credits, models, operation. Through the use cases, as the API."""

from bodydouble.console.app import attach, install
from bodydouble.console.sign_in import sign_in_url
from bodydouble.console.wiring import Console

__all__ = ["Console", "attach", "install", "sign_in_url"]

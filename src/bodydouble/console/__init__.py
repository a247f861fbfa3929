"""The web console: playground, tasks, keys, credits, models, operator page. Calls the same services as the API."""

from bodydouble.console.app import attach, install
from bodydouble.console.dependencies import Console

__all__ = ["Console", "attach", "install"]

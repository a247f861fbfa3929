"""Routes, wire schemas, error → envelope table."""

from bodydouble.api.app import attach, create_app

__all__ = ["attach", "create_app"]

"""Routes, wire schemas, error → envelope table."""

from bodydouble.api.app import Services, attach, create_app

__all__ = ["Services", "attach", "create_app"]

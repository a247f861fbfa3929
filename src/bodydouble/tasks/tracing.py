"""Tracing: the port for API and worker, and the tracer that records nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]
"""Names follow OpenTelemetry's conventions, or start with ``bodydouble.``. No addresses, keys or texts of callers."""


class Span(Protocol):
    """A piece of work in progress."""

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context for child spans; None if nothing is traced."""
        ...

    def rename(self, name: str) -> None:
        """Set the name, if it is known only during the work."""
        ...

    def annotate(self, attributes: Attributes) -> None:
        """Add attributes."""
        ...

    def fail(self, error_type: str) -> None:
        """Mark the work as failed; ``error_type`` has few distinct values."""
        ...


class Tracer(Protocol):
    """Records spans."""

    def request(self, traceparent: str | None) -> AbstractContextManager[Span]:
        """A span for an incoming request; ``traceparent`` is the caller's W3C context. An exception fails the span."""
        ...

    def work(self, name: str, traceparent: str | None, attributes: Attributes) -> AbstractContextManager[Span]:
        """A span within the W3C trace context ``traceparent``. An exception fails the span."""
        ...


class NoSpan:
    """Satisfies ``Span``; records nothing."""

    traceparent: str | None = None

    def rename(self, name: str) -> None: ...

    def annotate(self, attributes: Attributes) -> None: ...

    def fail(self, error_type: str) -> None: ...


class NoTracer:
    """Satisfies ``Tracer`` without a collector."""

    def request(self, traceparent: str | None) -> AbstractContextManager[Span]:
        return _UNTRACED

    def work(self, name: str, traceparent: str | None, attributes: Attributes) -> AbstractContextManager[Span]:
        return _UNTRACED


_UNTRACED = nullcontext[Span](NoSpan())
NO_TRACER = NoTracer()

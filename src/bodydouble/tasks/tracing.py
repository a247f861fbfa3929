"""What a tracer does for the application and the worker, and the one for installations without traces."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Attributes = Mapping[str, str | int | float | bool]
"""By names of OpenTelemetry's conventions, or ours under ``bodydouble.``. Addresses, keys and what callers wrote do not
belong there."""


class Span(Protocol):
    """A piece of work under way."""

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context under which its children belong; None where nothing is traced."""
        ...

    def rename(self, name: str) -> None:
        """For a name that is known once the work is done."""
        ...

    def annotate(self, attributes: Attributes) -> None:
        """What is known of the work."""
        ...

    def fail(self, error_type: str) -> None:
        """The work did not do what was asked; ``error_type`` is one of few words."""
        ...


class Tracer(Protocol):
    """Records who did what when."""

    def request(self, traceparent: str | None) -> AbstractContextManager[Span]:
        """A request that came in; ``traceparent`` is its caller's W3C trace context. An exception fails the span."""
        ...

    def work(self, name: str, traceparent: str | None, attributes: Attributes) -> AbstractContextManager[Span]:
        """Work for whoever has the trace context ``traceparent``. An exception fails the span."""
        ...


class NoSpan:
    """Satisfies ``Span``; keeps nothing."""

    traceparent: str | None = None

    def rename(self, name: str) -> None: ...

    def annotate(self, attributes: Attributes) -> None: ...

    def fail(self, error_type: str) -> None: ...


class NoTracer:
    """Satisfies ``Tracer`` where no collector is configured."""

    def request(self, traceparent: str | None) -> AbstractContextManager[Span]:
        return _UNTRACED

    def work(self, name: str, traceparent: str | None, attributes: Attributes) -> AbstractContextManager[Span]:
        return _UNTRACED


_UNTRACED = nullcontext[Span](NoSpan())
NO_TRACER = NoTracer()

"""Tracing to an OpenTelemetry collector over OTLP/HTTP. Imported only if one is configured.

Address, headers, sampling and limits are read by the SDK from its own variables (``OTEL_…``).
"""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span as OpenTelemetrySpan
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bodydouble import __version__
from bodydouble.tasks.tracing import Attributes, Span

SERVICE_NAME = "bodydouble"
CLOSE_SECONDS_MAX = 3.0
"""Time to send the remaining spans at shutdown, even if the collector is unavailable."""
_W3C = TraceContextTextMapPropagator()


class CollectorTracer:
    """Satisfies ``tasks.tracing.Tracer``. Sends batches from its own thread; spans that cannot be sent are lost."""

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME") or SERVICE_NAME
        resource = Resource.create({"service.name": name, "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("bodydouble", __version__)

    @contextmanager
    def request(self, traceparent: str | None) -> Generator[Span, None, None]:
        with self._span("request", SpanKind.SERVER, traceparent) as span:
            yield span

    @contextmanager
    def work(self, name: str, traceparent: str | None, attributes: Attributes) -> Generator[Span, None, None]:
        with self._span(name, SpanKind.INTERNAL, traceparent) as span:
            span.annotate(attributes)
            yield span

    @contextmanager
    def _span(self, name: str, kind: SpanKind, traceparent: str | None) -> Generator[Span, None, None]:
        carrier = {"traceparent": traceparent} if traceparent else {}
        inner = self._tracer.start_span(name, context=_W3C.extract(carrier, Context()), kind=kind)
        span = _CollectorSpan(inner)
        try:
            yield span
        except BaseException as error:
            span.fail(type(error).__name__)  # not its text, which may contain a caller's words
            raise
        finally:
            inner.end()

    def close(self) -> None:
        """Send the remaining spans."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces-close", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS_MAX)


class _CollectorSpan:
    """Satisfies ``tasks.tracing.Span``."""

    def __init__(self, inner: OpenTelemetrySpan) -> None:
        self._inner = inner

    @property
    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, set_span_in_context(self._inner, Context()))
        return carrier.get("traceparent")

    def rename(self, name: str) -> None:
        self._inner.update_name(name)

    def annotate(self, attributes: Attributes) -> None:
        self._inner.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        self._inner.set_attribute("error.type", error_type)
        self._inner.set_status(StatusCode.ERROR)

"""The tracer of a process: OpenTelemetry's if a collector is configured."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.tracing import NO_TRACER, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@contextmanager
def open_tracer() -> Generator[Tracer, None, None]:
    """A tracer as OpenTelemetry's environment variables configure it. The end of the block sends what is left.

    Raises:
        InputRejected: a collector is configured, but the packages for it are not installed.
    """
    configured = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if configured is None:
        yield NO_TRACER
        return
    try:
        from bodydouble.outbound.tracing import CollectorTracer  # optional packages
    except ModuleNotFoundError as error:
        raise InputRejected(
            f"{configured} is set, and {error.name} is not installed: pip install 'bodydouble[tracing]', "
            "or unset the variable.",
            field=configured,
        ) from None
    tracer = CollectorTracer()
    try:
        yield tracer
    finally:
        tracer.close()

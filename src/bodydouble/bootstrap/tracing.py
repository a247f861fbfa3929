"""The tracer of a process: a collector's where one is configured, else none."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.tracing import NO_TRACER, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@contextmanager
def open_tracer() -> Generator[Tracer, None, None]:
    """Traces as the environment says (OpenTelemetry's own variables); what is left is sent at the end of the block.

    Raises:
        InputRejected: a collector is configured and the packages to reach it are not installed.
    """
    configured = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if configured is None:
        yield NO_TRACER
        return
    try:
        from bodydouble.outbound.tracing import CollectorTracer  # without a collector nobody needs its packages
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

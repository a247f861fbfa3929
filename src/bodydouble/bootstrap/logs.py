"""The form of log lines, of every process."""

import logging
import sys
from typing import Any

import orjson
import structlog


class StandardError:
    """Writes each line to whatever standard error is at that moment, in one piece."""

    def msg(self, line: str) -> None:
        """Write one line."""
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = exception = msg


def _to_json(event: object, **options: Any) -> str:
    return orjson.dumps(event, default=options["default"]).decode()


def configure_logging(*, as_json: bool) -> None:
    """Log lines to stderr: JSON for machines, columns for people. Values bound to the context go into each line."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S"),
    ]
    if as_json:
        last: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    else:
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: StandardError(),
        cache_logger_on_first_use=True,
    )
    # uvicorn, the engine and the tracer speak the standard library's logging: their lines get the same form.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last[-1], foreign_pre_chain=shared))
    for name in ("uvicorn", "dbos", "opentelemetry"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("uvicorn").setLevel(logging.WARNING)

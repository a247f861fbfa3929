"""The form of log lines, of every process: ours, and those of libraries that use the standard library's logging."""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog


class StandardError:
    """Writes each line to whatever standard error is at that moment, in one piece."""

    def msg(self, line: str) -> None:
        """Write one line."""
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = exception = msg


def configure_logging(*, as_json: bool) -> None:
    """Log lines to stderr: JSON for machines, columns for people. Values bound to the context go into each line."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _to_json] if as_json else [*_SHARED, _for_people()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: StandardError(),
        cache_logger_on_first_use=True,
    )
    # uvicorn, the engine and the tracer speak the standard library's logging: their lines get the same form.
    handler = logging.StreamHandler(sys.stderr)
    last = _to_json if as_json else _for_people()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last, foreign_pre_chain=_SHARED))
    for name in ("uvicorn", "dbos", "opentelemetry"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


@contextmanager
def silence_logging() -> Generator[None]:
    """No lines of ours while the block lasts: a terminal's command has told its user all that they say."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="%H:%M:%S"),
]


def _for_people() -> structlog.typing.Processor:
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def _to_json(logger: Any, method: str, event: structlog.typing.EventDict) -> str:
    """All in one: with a line for each request, structlog's own chain of steps would be a tenth of what it takes."""
    if event.get("exc_info"):
        event = structlog.processors.format_exc_info(logger, method, event)
    event.setdefault("level", method)
    event["timestamp"] = datetime.now(UTC)
    return orjson.dumps(event, default=repr, option=orjson.OPT_UTC_Z).decode()

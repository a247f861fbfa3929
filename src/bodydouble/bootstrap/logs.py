"""The format of log lines: ours, and those of libraries that use the standard library's logging."""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog


class StandardError:
    """Writes each line in one piece to the current ``sys.stderr``."""

    def msg(self, line: str) -> None:
        """Write one line."""
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = exception = msg


def configure_logging(*, as_json: bool) -> None:
    """Log to stderr, as JSON or in columns. Values bound to structlog's context go into each line."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _to_json] if as_json else [*_SHARED, _for_people()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: StandardError(),
        cache_logger_on_first_use=True,
    )
    # uvicorn, DBOS, OpenTelemetry and MCP use the standard library's logging: format their lines in the same way.
    handler = logging.StreamHandler(sys.stderr)
    last = _to_json if as_json else _for_people()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last, foreign_pre_chain=_SHARED))
    for name in ("uvicorn", "dbos", "opentelemetry", "mcp"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    for name in ("uvicorn", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def silence_logging() -> Generator[None]:
    """Log nothing while the block lasts: the command at the terminal prints what its user needs."""
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
    """All steps in one function: structlog's own chain would cost a tenth of a request's time."""
    if event.get("exc_info"):
        event = structlog.processors.format_exc_info(logger, method, event)
    event.setdefault("level", method)
    event["timestamp"] = datetime.now(UTC)
    return orjson.dumps(event, default=repr, option=orjson.OPT_UTC_Z).decode()

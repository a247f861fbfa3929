"""Makes the durable engine recognise a database that is away.

The engine waits for a database whose error says "connection failed". Over a Unix socket psycopg says "connection is
bad" instead. Without this module the engine treats that as a fault of the workflow, and ends the workflow.
"""

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

REFUSED_AT_ONCE = "connection is bad"


def recognise_lost_connections() -> None:
    """Treat a refused connection as a lost one, in every SQLAlchemy engine of this process."""
    if not event.contains(Engine, "handle_error", _recognise):
        event.listen(Engine, "handle_error", _recognise)


def _recognise(context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, psycopg.OperationalError) and str(error).startswith(REFUSED_AT_ONCE):
        context.is_disconnect = True

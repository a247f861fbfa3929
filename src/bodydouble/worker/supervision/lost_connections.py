"""What the durable engine has to know of a database that went away.

The engine waits for a database that it cannot reach, and tells that by the words "connection failed". Over a Unix
socket, where a connection is refused at once, psycopg says "connection is bad" instead. Left alone, the engine takes
that for a fault of the workflow, ends it, and cannot even record so.
"""

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

REFUSED_AT_ONCE = "connection is bad"


def recognise_lost_connections() -> None:
    """From now on a refused connection counts as a lost one, for every engine of this process."""
    if not event.contains(Engine, "handle_error", _recognise):
        event.listen(Engine, "handle_error", _recognise)


def _recognise(context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, psycopg.OperationalError) and str(error).startswith(REFUSED_AT_ONCE):
        context.is_disconnect = True

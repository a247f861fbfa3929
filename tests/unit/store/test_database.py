"""What errors of the driver mean."""

import asyncpg
import pytest

from bodydouble.store.postgres.database import translated
from bodydouble.tasks.errors import StorageUnavailable


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    ],
)
def test_a_connection_that_is_going_down_is_a_database_that_is_away(error: Exception) -> None:
    """Also where it is used again after the server's last word and before the line is down: it passes by itself."""
    with pytest.raises(StorageUnavailable, match="does not respond"), translated():
        raise error


def test_a_wrong_statement_is_a_fault() -> None:
    """It would be the same the next time, so nobody waits for it to pass."""
    with pytest.raises(asyncpg.UndefinedColumnError), translated():
        raise asyncpg.UndefinedColumnError("there is no such column")

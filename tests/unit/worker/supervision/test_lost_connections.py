"""The durable engine while the database is away."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from bodydouble.worker.supervision.lost_connections import recognise_lost_connections


@pytest.mark.parametrize("address", ["?host={folder}", "?host=127.0.0.1&port=1"], ids=["Unix socket", "TCP"])
def test_a_database_that_is_away_is_a_lost_connection(tmp_path: Path, address: str) -> None:
    """Over a Unix socket and over TCP a refused connection counts as lost, so that the engine waits."""
    recognise_lost_connections()
    engine = sa.create_engine("postgresql+psycopg:///postgres" + address.format(folder=tmp_path))
    with pytest.raises(sa.exc.OperationalError) as caught:  # pyright: ignore[reportAttributeAccessIssue]
        engine.connect()
    assert caught.value.connection_invalidated or "connection failed" in str(caught.value)

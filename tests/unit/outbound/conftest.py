"""What the tests of outbound requests share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """What the library runs on."""
    return "asyncio"

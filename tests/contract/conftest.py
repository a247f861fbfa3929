"""The event loop of the asynchronous tests."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

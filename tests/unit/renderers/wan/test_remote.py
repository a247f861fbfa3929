"""A remote engine whose model runner has ended."""

import socket
import tempfile
from pathlib import Path

import pytest

from bodydouble.renderers.wan.messages import FROM_RUNNER, Lost
from bodydouble.renderers.wan.remote import RemoteEngine
from bodydouble.renderers.wan.wire import send
from bodydouble.tasks.errors import RendererLost


def test_the_reason_is_read_after_the_runner_has_ended() -> None:
    """The client receives the reason that the model runner sent before it ended."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = Path(folder) / "socket"
        listener.bind(str(address))
        listener.listen()
        engine = RemoteEngine(address)
        engine._connect()
        connection, _ = listener.accept()
        with connection:
            send(connection, FROM_RUNNER.encode(Lost(reason="rank 1 of the model's processes was lost")), {})
        with pytest.raises(RendererLost, match="rank 1"):
            engine.load(lambda fraction: None)

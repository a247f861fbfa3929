"""The networks in a process that is not there any more."""

import socket
import tempfile
from pathlib import Path

import pytest

from bodydouble.renderers.wan.remote import RemoteEngine
from bodydouble.renderers.wan.wire import send
from bodydouble.tasks.errors import RendererLost


def test_last_words_are_read_after_the_end() -> None:
    """Whoever asks a process that has said why it ends and has ended hears the reason."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = Path(folder) / "socket"
        listener.bind(str(address))
        listener.listen()
        engine = RemoteEngine(address)
        engine._connect()
        connection, _ = listener.accept()
        with connection:
            send(connection, {"lost": "rank 1 of the model's processes was lost"}, {})
        with pytest.raises(RendererLost, match="rank 1"):
            engine.load(lambda fraction: None)

"""The child's end of the socket to its supervisor."""

import json
import logging
import os
import queue
import socket
import threading
import time
from typing import Any

BEAT_SECONDS = 2.0


class Channel:
    """The child's end of the socket. Sending is safe from several threads."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lock = threading.Lock()
        self.operations: queue.Queue[dict[str, Any]] = queue.Queue()

    def send(self, message: dict[str, Any]) -> None:
        """One line; ends the process where nobody listens any more."""
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError:
            os._exit(0)

    def listen(self) -> None:
        """Queue the operations; end the process with the connection, in the middle of any work."""
        with self._socket.makefile("rb") as stream:
            for line in stream:
                self.operations.put(json.loads(line))
        os._exit(0)

    def beat(self) -> None:
        """Say that the process is not frozen."""
        while True:
            self.send({"beat": True})
            time.sleep(BEAT_SECONDS)


class NoteHandler(logging.Handler):
    """What the rendering rooms say goes into the worker's log."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        self._channel.send({"note": record.getMessage()})

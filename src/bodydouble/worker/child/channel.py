"""The child's end of the socket to its supervisor. Each message is one line of JSON."""

import json
import logging
import os
import queue
import socket
import threading
import time

from bodydouble.worker.messages import FROM_CHILD, REQUESTS, Beat, FromChild, Note, Request

BEAT_SECONDS = 2.0
"""Interval of the child's heartbeats; the worker waits ``WorkerOptions.silence_seconds_max`` for one."""


class Channel:
    """Receives requests and sends events and replies. ``send`` is safe from several threads."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lock = threading.Lock()
        self.requests: queue.Queue[Request] = queue.Queue()

    def start(self) -> None:
        """Receive requests and send heartbeats from now on, in threads."""
        threading.Thread(target=self._beat, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: FromChild) -> None:
        """Send one message. Ends the process if the supervisor is gone."""
        line = json.dumps(FROM_CHILD.encode(message)).encode() + b"\n"
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError:
            os._exit(0)

    def _listen(self) -> None:
        """Queue the requests. When the connection ends, end the process, in the middle of any work."""
        with self._socket.makefile("rb") as stream:
            for line in stream:
                self.requests.put(REQUESTS.decode(json.loads(line)))
        os._exit(0)

    def _beat(self) -> None:
        while True:
            self.send(Beat())
            time.sleep(BEAT_SECONDS)


class NoteHandler(logging.Handler):
    """Sends log records of this process to the worker's log."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record's message."""
        self._channel.send(Note(text=record.getMessage()))

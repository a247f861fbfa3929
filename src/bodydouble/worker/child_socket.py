"""A child process and the socket to it, over which both send JSON lines."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import IO, Any

from bodydouble.worker.environment import child_environment

LINE_BYTES_MAX = 1 << 20
"""Largest message of a child."""


class LineTooLong(Exception):
    """The child sent a message of more than ``LINE_BYTES_MAX``. What follows cannot be read."""


class ChildSocket:
    """The parent's end."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer

    @classmethod
    async def start(
        cls, command: Sequence[str], output: int | IO[bytes], environment: Mapping[str, str]
    ) -> "ChildSocket":
        """Start ``command`` with the number of its socket as the last argument. Its own output goes to ``output``.

        ``environment`` is added to ``child_environment``. The kernel kills the child when the thread that called this
        ends, so call it from a thread that lasts. Raises OSError.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    str(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=child_environment(environment),
                )
            except BaseException:
                ours.close()
                raise
        reader, writer = await asyncio.open_connection(sock=ours, limit=LINE_BYTES_MAX)
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is known to have ended."""
        return self._process.returncode is not None

    async def send(self, message: Any) -> None:
        """Send what JSON can hold. Raises ConnectionError if the child has ended."""
        self._writer.write(json.dumps(message).encode() + b"\n")
        await self._writer.drain()

    async def receive(self) -> Any:
        """The next message. Raises ConnectionError if the child has ended, LineTooLong."""
        try:
            line = await self._reader.readline()
        except ValueError as error:  # what asyncio raises for a line over its limit
            raise LineTooLong(f"the child sent a message of more than {LINE_BYTES_MAX} bytes") from error
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the child closed its socket")
        return json.loads(line)

    async def wait(self) -> int:
        """The exit status, negative for a signal, once the process has ended."""
        return await self._process.wait()

    async def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()

"""Runs commands of ``bodydouble`` in forks of one process that has imported them; imports are most of a short command.

As a program it is the client: ``python command_server.py SOCKET ARGUMENT…`` behaves as ``bodydouble ARGUMENT…`` does.
"""

import importlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

STREAMS = (0, 1, 2)
REQUEST_BYTES_MAX = 200_000
SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from command_server import serve; serve(int(sys.argv[2]))"


@contextmanager
def command_server(path: Path) -> Iterator[None]:
    """A server that listens at the socket ``path``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "-c", SERVE, str(Path(__file__).parent), str(number)]
        server = subprocess.Popen(command, pass_fds=[number])
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def serve(number: int) -> None:
    """Run each command that comes in over the listening socket ``number``, one at a time."""
    importlib.import_module("bodydouble.cli.installation")
    listener = socket.socket(fileno=number)
    while True:
        connection, _ = listener.accept()
        with connection:
            request, streams, _, _ = socket.recv_fds(connection, REQUEST_BYTES_MAX, len(STREAMS))
            pid = os.fork()
            if pid == 0:
                listener.close()
                _run(json.loads(request), streams)
            for stream in streams:
                os.close(stream)
            connection.send(bytes([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF]))


def _run(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Become the command: its folder, environment, arguments and streams."""
    from bodydouble.__main__ import main

    for stream, own in zip(streams, STREAMS, strict=True):
        os.dup2(stream, own)
        os.close(stream)
    sys.argv = ["bodydouble", *request["arguments"]]
    become(request["folder"], request["environment"], main)


def become(folder: str, environment: dict[str, str], main: Callable[[], object]) -> NoReturn:
    """Be a program with this working folder and environment: run ``main``, and end with its exit status."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    status = 1
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def ask(path: str, arguments: list[str]) -> int:
    """The exit status of the command, run with this process's folder, environment and streams."""
    request = {"folder": str(Path.cwd()), "environment": dict(os.environ), "arguments": arguments}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(path)
        socket.send_fds(connection, [json.dumps(request).encode()], STREAMS)
        return connection.recv(1)[0]


if __name__ == "__main__":
    sys.exit(ask(sys.argv[1], sys.argv[2:]))

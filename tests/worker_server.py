"""Starts workers as forks of one process that has imported what a worker imports: half of what a start costs.

Between this process and a worker are the server, which forks, and a keeper for each worker, which tells how it ended.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from command_server import REQUEST_BYTES_MAX, become

OUTPUTS = (1, 2)
SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from worker_server import serve; serve(int(sys.argv[2]))"


class ForkedWorker:
    """A worker, with the methods of ``subprocess.Popen`` that tests use."""

    def __init__(self, keeper: socket.socket) -> None:
        self._keeper, self._lock = keeper, threading.Lock()
        self._status: int | None = None
        self.pid = int(keeper.recv(100))

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        with self._lock:
            if self._status is None:
                self._keeper.setblocking(False)
                try:
                    self._read_status()
                except BlockingIOError:
                    return None
            return self._status

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended. Raises TimeoutError."""
        with self._lock:
            if self._status is None:
                self._keeper.settimeout(timeout)
                self._read_status()
            assert self._status is not None
            return self._status

    def _read_status(self) -> None:
        status = self._keeper.recv(100)
        assert status, "its keeper was killed"
        self._status = int(status)
        self._keeper.close()

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start_worker(environment: Mapping[str, str], log: Path) -> ForkedWorker:
    """A new worker whose output is appended to ``log``."""
    log.touch()
    here, keeper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request = {"environment": dict(environment), "log": str(log), "folder": str(Path.cwd())}
    with keeper:
        socket.send_fds(_server(), [json.dumps(request).encode()], [keeper.fileno()])
    return ForkedWorker(here)


@cache
def _server() -> socket.socket:
    """The connection to the server of this process, which ends with it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        command = [sys.executable, "-c", SERVE, str(Path(__file__).parent), str(there.fileno())]
        process = subprocess.Popen(command, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL)
    atexit.register(lambda: (here.close(), process.wait()))  # it ends with the connection
    return here


def serve(number: int) -> None:
    """Fork a worker for each request that comes in over the socket ``number``, until it is closed."""
    from bodydouble.tasks.heavy_imports import heavy_imports

    with heavy_imports():
        import harness_worker
    control = socket.socket(fileno=number)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave no zombies
    while True:
        request, connections, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, 1)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _keep(json.loads(request), connections[0], harness_worker.main)
        os.close(connections[0])


def _keep(request: dict[str, Any], connection: int, main: Callable[[], object]) -> NoReturn:
    """Fork the worker, tell its id, and its status when it has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(connection)
        log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        for output in OUTPUTS:
            os.dup2(log, output)
        os.close(log)
        become(request["folder"], request["environment"], main)
    os.write(connection, str(pid).encode())
    os.write(connection, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
    os._exit(0)

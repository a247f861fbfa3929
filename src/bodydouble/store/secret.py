"""The secret of an installation, from which every other key is derived.

``BODYDOUBLE_SECRET`` if set: machines that share a database and a bucket need the same one. Otherwise the file
``secret`` in the data folder, created at the first start and readable by its owner only. Its text can be copied to
``BODYDOUBLE_SECRET`` of another machine.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from bodydouble.store.scratch import put_in_place
from bodydouble.tasks.errors import InputRejected, StorageUnavailable

SECRET_CHARACTERS_MIN = 16


def master_secret(configured: str, folder: Path) -> bytes:
    """The secret of this installation; ``configured`` is the setting, ``folder`` the data folder.

    Raises:
        InputRejected: the setting or the content of the file is too short.
        StorageUnavailable: the file can be neither read nor created.
    """
    if configured:
        return _long_enough(configured, "BODYDOUBLE_SECRET")
    path = folder / "secret"
    try:
        if not path.exists():
            save_secret(path, secrets.token_hex(32))
        return _long_enough(path.read_text(), str(path))
    except OSError as error:
        raise StorageUnavailable(f"The secret {path} can be neither read nor created: {error.strerror}") from error


def derive_key(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose. It reveals neither the secret nor other keys."""
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()


def _long_enough(text: str, source: str) -> bytes:
    text = text.strip()
    if len(text) < SECRET_CHARACTERS_MIN:
        raise InputRejected(
            f"{source}: has {len(text)} characters, at least {SECRET_CHARACTERS_MIN} are required; "
            "create one with: openssl rand -hex 32",
            field=source,
        )
    return text.encode()


def save_secret(path: Path, text: str) -> None:
    """Write ``text`` to the new file ``path``, readable by its owner only. Keeps a file that is there already."""
    # Not ``atomic_file``: of two concurrent writers the first one has to win, because its keys may be in use already.
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".secret-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text + "\n")
        put_in_place(part, path, only_new=True)
    except FileExistsError:
        return
    finally:
        part.unlink(missing_ok=True)

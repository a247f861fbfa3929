"""Keys of files, and the signed addresses under which our API serves them.

The HMAC of an address covers the method, the key, the content type and the expiry. Keys are created here and checked
against a pattern, so that no address leads out of the store.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import uuid4

from bodydouble.tasks.errors import InputRejected, NotFound
from bodydouble.tasks.request_origin import link_base
from bodydouble.tasks.task import AccountId

SEGMENT = "[0-9a-z-]{1,64}"
KEY = re.compile(rf"(?:uploads|results|work|inputs)/(?P<account>{SEGMENT})/(?:{SEGMENT}/)?{SEGMENT}\.[a-z0-9]{{1,5}}\Z")
"""Purpose, account, an optional folder, and a name."""
PREFIX = re.compile(rf"(?:uploads|results|work|inputs)(?:/{SEGMENT}){{0,2}}\Z")
CONTENT_TYPES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".bmp": "image/bmp",
    ".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif",
    ".mp4": "video/mp4", ".mov": "video/quicktime", ".avi": "video/x-msvideo", ".mkv": "video/x-matroska",
    ".webm": "video/webm", ".gif": "image/gif",
}  # fmt: skip
PATH_PREFIX = "/files/"
RESUMABLE = "PATCH"
PURPOSE = "file addresses"
"""Purpose for which the signing key is derived."""


def checked_key(key: str) -> str:
    """``key``, if it has the form of our keys. Raises NotFound."""
    if not KEY.match(key):
        raise NotFound("File not found", key=key)
    return key


def checked_prefix(prefix: str) -> str:
    """``prefix``, if it names a folder without a trailing slash. Raises ValueError."""
    if not PREFIX.match(prefix):
        raise ValueError(f"'{prefix}' names no folder of the file store")
    return prefix


def upload_key(content_type: str, extension: str, account: AccountId) -> str:
    """A new key. Raises InputRejected for a content type or extension that is not accepted."""
    extension = extension.lower() if extension.startswith(".") else f".{extension.lower()}"
    if extension not in CONTENT_TYPES:
        raise InputRejected(f"ext: '{extension}' is not accepted; use one of {', '.join(CONTENT_TYPES)}", field="ext")
    kind = CONTENT_TYPES[extension].split("/")[0]
    if not re.fullmatch(rf"{kind}/[a-zA-Z0-9.+-]+", content_type):
        raise InputRejected(
            f"content_type: '{content_type}' does not match ext '{extension}'; use {CONTENT_TYPES[extension]}",
            field="content_type",
        )
    return f"uploads/{account}/{uuid4()}{extension}"


def owner_of(key: str) -> str:
    """The account that a key belongs to, as the key names it. Raises NotFound for a key that is not ours."""
    found = KEY.match(key)
    if found is None:
        raise NotFound("File not found", key=key)
    return found["account"]


def belongs_to(key: str, account: AccountId) -> bool:
    """Whether the file belongs to this account."""
    found = KEY.match(key)
    return found is not None and found["account"] == str(account)


class SignedAddresses:
    """Creates and verifies addresses of our API. The first key signs; signatures of every key are valid.

    They start with the host that the present request was sent to, else with ``base_url``. The signature does not cover
    the start: an address is ours under every name of this installation.
    """

    def __init__(self, base_url: str, keys: Sequence[bytes]) -> None:
        self._base_url, self._keys = base_url, tuple(keys)
        self._own_path = urlsplit(base_url).path  # an installation may be below a path

    def make(self, method: str, key: str, seconds: int, content_type: str = "") -> str:
        """An address that allows ``method`` on ``key`` for ``seconds`` seconds; PUT with this Content-Type only."""
        expires = int(time.time()) + seconds
        signature = _sign(self._keys[0], method, key, expires, content_type)
        query = urlencode({"expires": expires, "signature": signature})
        return f"{link_base(self._base_url)}{PATH_PREFIX}{quote(key)}?{query}"

    def make_resumable(self, key: str, seconds: int, size_bytes: int) -> str:
        """An address for an upload of exactly this size, in any number of pieces."""
        return f"{self.make(RESUMABLE, key, seconds, str(size_bytes))}&size={size_bytes}"

    def upload_size(self, key: str, query: Mapping[str, str]) -> int | None:
        """The size that a resumable address was signed for; None if its signature is not ours or has expired."""
        size = query.get("size", "")
        good = re.fullmatch(r"[0-9]{1,15}", size) and self.allows(RESUMABLE, key, query, size)
        return int(size) if good else None

    def allows(self, method: str, key: str, query: Mapping[str, str], content_type: str) -> bool:
        """Whether the signature is valid for this request and has not expired."""
        expires, given = query.get("expires", ""), query.get("signature", "")
        if not KEY.match(key) or not re.fullmatch(r"[0-9]{1,12}", expires) or int(expires) < time.time():
            return False
        if not re.fullmatch(r"[0-9a-f]{64}", given):
            return False
        return any(
            hmac.compare_digest(_sign(secret, method, key, int(expires), content_type), given) for secret in self._keys
        )

    def key_of(self, url: str) -> str | None:
        """The key, if ``url`` is a valid address of ours for reading, else None."""
        if PATH_PREFIX not in url:  # most addresses, in a fraction of the time of reading them
            return None
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        path = parts.path.removeprefix(self._own_path)
        if parts.scheme not in ("http", "https") or not path.startswith(PATH_PREFIX):
            return None
        key = path.removeprefix(PATH_PREFIX)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return key if self.allows("GET", key, query, "") else None


def _sign(secret: bytes, method: str, key: str, expires: int, content_type: str) -> str:
    message = "\n".join((method, key, str(expires), content_type)).encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()

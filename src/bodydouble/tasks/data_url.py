"""Data URLs: files within their own URL (RFC 2397)."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

DATA_URL_BYTES_MAX = 10_000_000


@dataclass(frozen=True, kw_only=True)
class InlineFile:
    """The file of a data URL."""

    content_type: str  # lower case, without parameters; empty if the URL has none
    content: bytes


def is_data_url(url: str) -> bool:
    """Whether ``url`` is a data URL."""
    return url[:5].lower() == "data:"


def read_data_url(url: str, bytes_max: int = DATA_URL_BYTES_MAX) -> InlineFile:
    """The file of a data URL. Raises ValueError, with a message for people: no base64, or above ``bytes_max``."""
    head, comma, body = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise ValueError("a data URL must be base64-encoded.")
    limit = min(bytes_max, DATA_URL_BYTES_MAX)
    digits = unquote_to_bytes(body) if "%" in body else body.encode("ascii", "replace")
    if len(digits) * 3 // 4 > limit + 2:
        raise ValueError(f"a data URL may hold at most {limit / 1e6:g} MB; upload larger files through upload-url.")
    try:
        content = base64.b64decode(digits, validate=True)
    except binascii.Error:
        raise ValueError("the data URL is not valid base64.") from None
    return InlineFile(content_type=head[5:].partition(";")[0].strip().lower(), content=content)

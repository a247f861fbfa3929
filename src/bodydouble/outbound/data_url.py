"""Files that are written into their own URL (RFC 2397)."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from bodydouble.outbound.failure import RequestFailed

DATA_URL_BYTES_MAX = 10_000_000


def is_data_url(url: str) -> bool:
    """Whether ``url`` holds its file itself."""
    return url[:5].lower() == "data:"


def read_data_url(url: str, bytes_max: int) -> bytes:
    """The file. Raises RequestFailed: no base64, or larger than ``bytes_max``."""
    head, comma, body = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise RequestFailed("a data URL has to be base64.")
    limit = min(bytes_max, DATA_URL_BYTES_MAX)
    digits = unquote_to_bytes(body) if "%" in body else body.encode("ascii", "replace")
    if len(digits) * 3 // 4 > limit:
        raise RequestFailed(f"a data URL may hold {limit / 1e6:g} MB; upload the file through upload-url.")
    try:
        return base64.b64decode(digits, validate=True)
    except binascii.Error:
        raise RequestFailed("the data URL is not valid base64.") from None

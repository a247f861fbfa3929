"""Reading of untrusted JSON and text, within limits that keep the cost of a request small.

API and console use the same reader. It bounds the work before validation: a body of many unknown fields would cost
seconds of the event loop and a response of many megabytes.
"""

from collections.abc import Iterable
from typing import Any, cast

import orjson

from bodydouble.tasks.errors import InvalidParams

JSON_BYTES_MAX = 131_072
"""Size of a body without its files, which are data URLs. Texts and URLs of the longest valid body need half of it."""
FILES_COUNTED_MAX = 16
"""Data URLs of a body that are recognised as files. A request has two."""
FILE_START = b'"data:'
"""In valid JSON this begins a string or is within one, so a file ends at the next quotation mark, or before its end."""
FIELDS_MAX = 200
"""Fields of all objects and items of all lists of a body, together. The largest valid body has about 20."""


def read_json_object(content: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises InvalidParams."""
    structure, has_escapes = _without_files(content)
    try:
        document: object = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise InvalidParams(["body: is not valid JSON"]) from None
    if not isinstance(document, dict):
        raise InvalidParams(["body: must be a JSON object"])
    fields = cast("dict[str, Any]", document)
    may_have_nul = has_escapes or b"\\u0000" in structure
    if may_have_nul or _fields_at_most(structure) > FIELDS_MAX:
        _check_fields(fields, may_have_nul=may_have_nul)
    return fields


def reject_nul(texts: Iterable[str]) -> None:
    """Raise InvalidParams if a text has the character NUL, which PostgreSQL cannot store."""
    if any("\0" in text for text in texts):
        raise InvalidParams(["request: contains the character NUL"])


def _without_files(content: bytes) -> tuple[bytes, bool]:
    """The JSON without its files, and whether a file has an escaped character. Raises InvalidParams if it is too large.

    No more is searched for files than may be JSON. A search through megabytes would stop the event loop for 0.1 s. (The
    search for a single byte is fifty times as fast.)
    """
    pieces: list[bytes] = []
    has_escapes, end, left = False, 0, JSON_BYTES_MAX
    for _ in range(FILES_COUNTED_MAX):
        start = content.find(FILE_START, end, end + left + len(FILE_START))
        close = content.find(b'"', start + 1) if start >= 0 else -1
        if close < 0:
            break
        pieces.append(content[end:start])
        left -= start - end
        has_escapes |= content.find(b"\\", start, close) >= 0
        end = close
    if len(content) - end > left:
        raise InvalidParams([f"body: the JSON without files is larger than {JSON_BYTES_MAX // 1024} kB"])
    return b"".join((*pieces, content[end:])), has_escapes


def _fields_at_most(content: bytes) -> int:
    """An upper bound of the number of fields and list items. A container has at most one more than it has commas."""
    return content.count(b",") + content.count(b"{") + content.count(b"[")


def _check_fields(document: object, *, may_have_nul: bool) -> None:
    fields = 0
    values: list[object] = [document]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            entries = cast("dict[str, object]", value)
            fields += len(entries)
            values += entries.values()
            if may_have_nul:
                values += entries.keys()
        elif isinstance(value, list):
            items = cast("list[object]", value)
            fields += len(items)
            values += items
        elif may_have_nul and isinstance(value, str) and "\0" in value:
            raise InvalidParams(["body: contains the character NUL"])
        if fields > FIELDS_MAX:
            raise InvalidParams([f"body: has more than {FIELDS_MAX} fields and list items"])

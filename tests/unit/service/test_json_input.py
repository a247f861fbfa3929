"""Reading of untrusted JSON."""

from contextlib import suppress
from typing import Any

import pytest

from bodydouble.service.json_input import FIELDS_MAX, JSON_BYTES_MAX, read_json_object, reject_nul
from bodydouble.tasks.errors import InvalidParams


def test_files_do_not_count_as_json() -> None:
    """Two data URLs of megabytes are read; the same bytes as any other text are refused."""
    file = b"data:video/mp4;base64," + b"A" * 2_000_000
    assert len(read_json_object(b'{"img": ["%b"], "video": ["%b"]}' % (file, file))) == 2
    with pytest.raises(InvalidParams, match="larger than 128 kB"):
        read_json_object(b'{"text": "%b"}' % (b"A" * JSON_BYTES_MAX))


def test_many_small_files_do_not_hide_json() -> None:
    """Only the first strings that look like a file are left out of the size."""
    with pytest.raises(InvalidParams, match="larger than"):
        read_json_object(b'{"a": [%b]}' % b",".join([b'"data:"'] * JSON_BYTES_MAX))


@pytest.mark.parametrize("shape", ['{{"a": [{}]}}', '{{"a": {{"b": [{}]}}}}'])
def test_fields_are_counted_at_every_depth(shape: str) -> None:
    """Objects and lists share one limit."""
    items = ",".join(["1"] * (FIELDS_MAX + 1))
    with pytest.raises(InvalidParams, match=f"more than {FIELDS_MAX} fields"):
        read_json_object(shape.format(items).encode())


class CountedBytes(bytes):
    """Bytes that count how many of them a search for several bytes may look at."""

    searched = 0

    def find(self, sub: Any, start: Any = 0, end: Any = None, /) -> int:
        if len(sub) > 1:
            self.searched += min(len(self), len(self) if end is None else end) - start
        return super().find(sub, start, end)


@pytest.mark.parametrize("text", [b"https://x.example/", b"data:video/mp4;base64,"])
def test_megabytes_are_not_searched_for_files(text: bytes) -> None:
    """Only as much as the JSON without files may be long, because the event loop waits meanwhile."""
    content = CountedBytes(b'{"url": "%b"}' % (text + b"a" * 2_000_000))
    with suppress(InvalidParams):
        read_json_object(content)
    assert content.searched < 2 * JSON_BYTES_MAX


@pytest.mark.parametrize(
    "content",
    [rb'{"a": "\u0000"}', rb'{"\u0000": 1}', rb'{"a": [{"b": "x\u0000"}]}', rb'{"a": "data:\u0000"}'],
)
def test_nul_is_refused_in_keys_and_values(content: bytes) -> None:
    """Wherever it is."""
    with pytest.raises(InvalidParams, match="NUL"):
        read_json_object(content)


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    """The JSON text of a backslash and u0000 is no NUL."""
    assert read_json_object(rb'{"a": "\\u0000"}') == {"a": "\\u0000"}


@pytest.mark.parametrize("content", [b"[" * 100_000, rb'{"a": "\ud800"}', b'{"a": NaN}', b"\xff", b""])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    """Deep nesting and lone surrogates too."""
    with pytest.raises(InvalidParams, match="not valid JSON"):
        read_json_object(content)


def test_nul_in_a_text_is_refused() -> None:
    """Texts without it pass."""
    reject_nul(["a", ""])
    with pytest.raises(InvalidParams):
        reject_nul(["a", "b\0"])

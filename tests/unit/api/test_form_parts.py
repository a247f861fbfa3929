"""Forms with files: read part by part."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from fastapi import Request

from bodydouble.api.form_parts import FIELD_BYTES_MAX, PARTS_MAX, FormPart, form_parts
from bodydouble.tasks.errors import InvalidParams

pytestmark = pytest.mark.anyio
FILE = bytes(range(256)) * 3 + b"\r\n--not the boundary\r\n"


def _request(content: bytes, content_type: str, step: int) -> Request:
    pieces = [content[at : at + step] for at in range(0, len(content), step)] or [b""]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False

    async def receive() -> Any:
        return messages.pop(0)

    return Request({"type": "http", "headers": [(b"content-type", content_type.encode())]}, receive)


def _form(fields: dict[str, str], files: dict[str, bytes], step: int = 7) -> Request:
    made = httpx.Request("POST", "http://x", data=fields, files={n: ("photo.png", f) for n, f in files.items()})
    return _request(made.read(), made.headers["content-type"], step)


async def _whole(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def _all(request: Request) -> Sequence[FormPart]:
    return [part async for part in form_parts(request)]


@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_parts_arrive_in_their_order_however_the_body_is_cut(step: int) -> None:
    """Fields and the file have their exact content for any division of the body into messages."""
    found = dict[str, object]()
    async for part in form_parts(_form({"key": "höhe", "empty": ""}, {"file": FILE}, step)):
        found[part.name] = await (_whole(part.chunks) if part.filename else part.text())
    assert found == {"key": "höhe", "empty": "", "file": FILE}
    assert list(found) == ["key", "empty", "file"]


@pytest.mark.parametrize("disposition", ['name="file"; filename="a\0.png"', 'name="a\0"', 'name="text"'])
async def test_nul_is_refused(disposition: str) -> None:
    """In the name of a file or a field, and in a text: a response would repeat it, and PostgreSQL cannot store it."""
    content = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n1\0\r\n--b--\r\n".encode()
    parts = form_parts(_request(content, "multipart/form-data; boundary=b", 100))
    with pytest.raises(InvalidParams, match="NUL"):
        assert [await part.text() async for part in parts]


async def test_skipped_parts() -> None:
    """A short part may be skipped. A skipped file is refused once it is longer than a field."""
    names = [part.name for part in await _all(_form({"a": "1"}, {"file": b"2"}))]
    assert names == ["a", "file"]
    with pytest.raises(InvalidParams, match="file: no file is expected"):
        await _all(_form({}, {"file": b"x" * (FIELD_BYTES_MAX + 1)}, 5000))


@pytest.mark.parametrize(
    ("content", "content_type", "message"),
    [
        (b"{}", "application/json", "Content-Type"),
        (b"", "multipart/form-data", "Content-Type"),
        (b"x", "multipart/form-data; boundary=" + "b" * 400, "boundary is too long"),
        (b"no form at all", "multipart/form-data; boundary=b", "no correct form"),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n", "multipart/form-data; boundary=b", "no name"),
        (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "multipart/form-data; boundary=b", "incomplete"),
    ],
)
async def test_bad_forms_are_refused(content: bytes, content_type: str, message: str) -> None:
    """The message says what is wrong with the form."""
    with pytest.raises(InvalidParams, match=message):
        await _all(_request(content, content_type, 10))


async def test_a_form_has_a_limited_number_of_parts() -> None:
    """More parts are refused."""
    with pytest.raises(InvalidParams, match="more than"):
        await _all(_form({f"f{n}": "" for n in range(PARTS_MAX + 1)}, {"file": b"1"}, 100))


async def test_a_field_that_is_no_file_has_a_limited_length() -> None:
    """A longer text is refused, by its name."""
    parts = form_parts(_form({"long": "x" * (FIELD_BYTES_MAX + 1)}, {"file": b""}, 5000))
    part = await anext(parts)
    with pytest.raises(InvalidParams, match="long: must have at most"):
        await part.text()

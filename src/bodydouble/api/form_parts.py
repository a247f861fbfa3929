"""Reading ``multipart/form-data`` (RFC 7578) part by part, so that an uploaded file is never in memory as a whole."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from bodydouble.service.json_input import reject_nul
from bodydouble.tasks.errors import InvalidParams

PARTS_MAX = 32
FIELD_BYTES_MAX = 65_536
"""Limit of a part that is read as text, and of one that is skipped."""


@dataclass(frozen=True, kw_only=True)
class FormPart:
    """One field of a form. Its content can be read until the next part is asked for."""

    name: str
    filename: str | None  # None: not a file
    content_type: str  # empty if the client gave none
    chunks: AsyncIterator[bytes]

    async def text(self) -> str:
        """The content of a field that is no file. Raises InvalidParams if it is too long, no UTF-8, or has NUL."""
        content = bytearray()
        async for chunk in self.chunks:
            content += chunk
            if len(content) > FIELD_BYTES_MAX:
                raise InvalidParams([f"{self.name}: must have at most {FIELD_BYTES_MAX} bytes"])
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise InvalidParams([f"{self.name}: must be a text in UTF-8"]) from None
        reject_nul((text,))
        return text


async def form_parts(request: Request) -> AsyncIterator[FormPart]:
    """The parts of the request's form, in their order. Raises InvalidParams for anything but a correct form."""
    form = _Form(request)
    for _ in range(PARTS_MAX):
        part = await form.next_part()
        if part is None:
            return
        yield part
        skipped = 0
        async for chunk in part.chunks:
            skipped += len(chunk)
            if skipped > FIELD_BYTES_MAX:
                raise InvalidParams([f"{part.name}: no file is expected in this field"])
    raise InvalidParams([f"body: the form has more than {PARTS_MAX} parts"])


END = None
"""Ends the content of a part in the queue of events."""


class _Form:
    """A form that is parsed as it arrives."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise InvalidParams(["Content-Type: must be multipart/form-data with a boundary"])
        self._body = request.stream()
        self._events = deque[dict[bytes, bytes] | bytes | None]()  # headers of a part, its content, END
        self._headers, self._name, self._value = dict[bytes, bytes](), b"", b""
        self._ended = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_header_name,
                    "on_header_value": self._add_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": lambda: self._events.append(self._headers),
                    "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                    "on_part_end": lambda: self._events.append(END),
                },
            )
        except FormParserError:
            raise InvalidParams(["Content-Type: the boundary is too long"]) from None

    async def next_part(self) -> FormPart | None:
        """The next part, or None after the last."""
        if not await self._has_event():
            return None
        headers = self._events.popleft()
        assert isinstance(headers, dict), "the content of the previous part was read"
        disposition, options = parse_options_header(headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or not options.get(b"name"):
            raise InvalidParams(["body: a part of the form has no name"])
        name = options[b"name"].decode(errors="replace")
        filename = options[b"filename"].decode(errors="replace") if b"filename" in options else None
        reject_nul((name, filename or ""))
        return FormPart(
            name=name,
            filename=filename,
            content_type=headers.get(b"content-type", b"").decode("latin-1"),
            chunks=self._content(),
        )

    async def _content(self) -> AsyncIterator[bytes]:
        while await self._has_event():
            event = self._events.popleft()
            if event is END:
                return
            assert isinstance(event, bytes)
            yield event
        raise InvalidParams(["body: the form is incomplete"])

    async def _has_event(self) -> bool:
        while not self._events and not self._ended:
            chunk = await anext(self._body, b"")
            self._ended = not chunk
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise InvalidParams([f"body: no correct form: {error}"]) from None
        return bool(self._events)

    def _begin_part(self) -> None:
        self._headers = {}

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

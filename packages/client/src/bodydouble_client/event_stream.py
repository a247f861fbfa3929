"""Parse server-sent events from bytes, as the HTML standard defines them (section 9.2.6)."""

from dataclasses import dataclass

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event of a stream."""

    name: str  # ``message`` if the stream gives none
    data: str
    id: str | None  # the last one sent, possibly with an earlier event


class EventParser:
    """Accepts the stream in chunks of any size and returns the complete events.

    Lines end with CR, LF or CRLF only. ``str.splitlines`` also splits at U+2028 and others, which JSON may contain.
    """

    def __init__(self) -> None:
        self.retry_seconds: float | None = None  # the pause before a reconnect that the service requests
        self._rest, self._begun = b"", False
        self._after_cr = False
        self._name, self._data = "", list[str]()
        self._id: str | None = None

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that ``chunk`` completes."""
        if not chunk:
            return []
        # A CR ends its line immediately. An LF after it belongs to it, even at the start of the next chunk.
        whole, self._after_cr = chunk.removeprefix(b"\n") if self._after_cr else chunk, chunk.endswith(b"\r")
        lines = (self._rest + whole).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop()
        if lines and not self._begun:
            self._begun, lines[0] = True, lines[0].removeprefix(BYTE_ORDER_MARK)
        return [event for line in lines if (event := self._take(line.decode("utf-8", "replace"))) is not None]

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_seconds = int(value) / 1000
            case _:  # a comment (the heartbeat) or an unknown field
                pass
        return None

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        return ServerEvent(name=name, data="\n".join(data), id=self._id) if data else None

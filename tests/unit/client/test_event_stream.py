"""Parsing server-sent events."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodydouble_client.event_stream import EventParser, ServerEvent

STREAM = (
    "\ufeff: hello\r\nretry: 1500\r\n\r\n"
    'id: 7\nevent: progress\ndata: {"a": "\u2028 and \u00fc"}\n\n'
    ": heartbeat\n\n"
    "event: done\r\ndata: one\r\ndata:two\rdata\r\r"
    "id: 8\nid: bad\0id\nfuture: field\ndata: last\n\n"
    "data: never finished\n"
).encode()
EVENTS = [
    ServerEvent(name="progress", data='{"a": "\u2028 and \u00fc"}', id="7"),
    ServerEvent(name="done", data="one\ntwo\n", id="7"),
    ServerEvent(name="message", data="last", id="8"),
]


def test_a_stream_is_parsed_as_the_standard_defines():
    """All line ends, comments, several data lines, persistent ids, unknown fields; an incomplete event is dropped."""
    parser = EventParser()
    assert parser.feed(STREAM) == EVENTS
    assert parser.retry_seconds == 1.5


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_chunks_of_any_size_give_the_same_events(cuts):
    """The chunks may end inside a character or between CR and LF."""
    parser, places = EventParser(), [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in itertools.pairwise(places)]
    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS


@pytest.mark.parametrize("value", ["soon", "-1", "٣", ""])
def test_an_invalid_retry_field_is_ignored(value):
    """Only ASCII digits are a retry time."""
    parser = EventParser()
    parser.feed(f"retry: {value}\n\n".encode())
    assert parser.retry_seconds is None

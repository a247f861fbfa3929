"""Messages between processes."""

import enum
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bodydouble.messages import MessageCodec
from bodydouble.renderers.wan import messages as runner_messages
from bodydouble.worker import messages as child_messages


class Colour(enum.StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Point:
    x: float
    y: float | None


@dataclass(frozen=True, kw_only=True)
class Paint:
    """A message with a field of each kind."""

    colour: Colour
    at: Point
    path: Path | None
    size: tuple[int, int]
    notes: dict[str, list[int]]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A message without fields."""


CODEC: MessageCodec[Paint | Stop] = MessageCodec(Paint | Stop)


@pytest.mark.parametrize("path", [None, Path("/a/b")])
def test_a_message_survives_the_way_through_json(path: Path | None) -> None:
    """Enums, paths, tuples and further dataclasses come back as what they were."""
    paint = Paint(colour=Colour.RED, at=Point(x=1.5, y=None), path=path, size=(3, 4), notes={"a": [1]})
    for message in (paint, Stop()):
        back = CODEC.decode(json.loads(json.dumps(CODEC.encode(message))))
        assert back == message
    assert isinstance(paint.colour, Colour)


@pytest.mark.parametrize(
    "data", [{}, {"kind": "Point", "x": 1, "y": 2}, {"kind": "Stop", "more": 1}, {"kind": "Paint"}]
)
def test_what_is_no_message_is_refused(data: dict[str, object]) -> None:
    """An unknown kind, a missing field and an unknown field are errors that show the data."""
    with pytest.raises(ValueError, match="is no"):
        CODEC.decode(data)


def test_only_messages_of_the_connection_are_sent() -> None:
    """A message of the other direction is a fault of the program."""
    with pytest.raises(ValueError, match="Point is no message"):
        CODEC.encode(Point(x=0, y=0))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        (child_messages.REQUESTS, child_messages.Render(segment=3)),
        (child_messages.FROM_CHILD, child_messages.Failed(code=child_messages.ResultCode(422), message="m", trace="t")),
        (runner_messages.REQUESTS, runner_messages.Load()),
        (runner_messages.RANK_REQUESTS, runner_messages.Rest()),
        (runner_messages.FROM_RUNNER, runner_messages.Step(done=1, steps=20)),
    ],
)
def test_the_connections_have_their_messages(codec, message) -> None:
    """Each direction of each connection encodes and decodes its messages."""
    assert codec.decode(json.loads(json.dumps(codec.encode(message)))) == message

"""The engine in another process, behind a Unix socket."""

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.wan.engine import CharacterSpec, LoadReport, SegmentRequest, StepReport
from bodydouble.renderers.wan.messages import (
    FROM_RUNNER,
    REQUESTS,
    Beat,
    Done,
    Event,
    Generate,
    Load,
    Loaded,
    Loading,
    Lost,
    Refused,
    Request,
    SetCharacter,
    Step,
)
from bodydouble.renderers.wan.wire import Pictures, receive, send
from bodydouble.tasks.errors import ModelPackMissing, RendererLost, RendererUnavailable

SILENCE_SECONDS_MAX = 60.0
"""Time without a heartbeat after which the other process counts as frozen. It sends one every few seconds."""
_REFUSALS = {kind.reason: kind for kind in (ModelPackMissing, RendererUnavailable)}


class RemoteEngine:
    """Satisfies ``engine.Engine``. One connection is one job; closing it cancels the other process's work for it."""

    def __init__(self, address: Path) -> None:
        self._address = address
        self._connection: socket.socket | None = None
        self._turn = Lock()

    def load(self, report: LoadReport) -> int:
        """See ``engine.Engine``."""

        def on_event(event: Event) -> None:
            if isinstance(event, Loading):
                report(event.fraction)

        loaded, _ = self._ask(Load(), {}, on_event)
        assert isinstance(loaded, Loaded)
        return loaded.face_side

    def set_character(self, spec: CharacterSpec) -> None:
        """See ``engine.Engine``."""
        self._ask(*SetCharacter.of(spec), lambda event: None)

    def generate(self, request: SegmentRequest, report: StepReport) -> NDArray[np.uint8]:
        """See ``engine.Engine``."""

        def on_event(event: Event) -> None:
            if isinstance(event, Step):
                report(event.done, event.steps)

        _, made = self._ask(*Generate.of(request), on_event)
        return made["frames"]

    def _ask(
        self, request: Request, pictures: Pictures, on_event: Callable[[Event], None]
    ) -> tuple[Loaded | Done, Pictures]:
        """The reply and its arrays. What ``on_event`` raises ends the connection."""
        with self._turn:
            try:
                connection = self._connect()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the reason can still be received
                    send(connection, REQUESTS.encode(request), pictures)
                return _receive_reply(connection, on_event)
            except TimeoutError:
                self._close()
                raise RendererLost(f"the model's process did not answer for {SILENCE_SECONDS_MAX:g} s") from None
            except (EOFError, OSError):
                self._close()
                raise RendererLost("the model's process ended in the middle of its work") from None
            except BaseException:
                self._close()
                raise

    def _connect(self) -> socket.socket:
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX)
            self._connection.settimeout(SILENCE_SECONDS_MAX)
            self._connection.connect(str(self._address))
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _receive_reply(connection: socket.socket, on_event: Callable[[Event], None]) -> tuple[Loaded | Done, Pictures]:
    """Raises what the reply reports: ModelPackMissing, RendererUnavailable, RendererLost."""
    while True:
        data, pictures = receive(connection)
        message = FROM_RUNNER.decode(data)
        match message:
            case Beat() | Loading() | Step():
                on_event(message)
            case Loaded() | Done():
                return message, pictures
            case Refused():
                raise _REFUSALS[message.reason](message.message)
            case Lost():
                raise RendererLost(message.reason)
            case _:
                assert_never(message)

"""One child's connection to the runner, for the time of its lease."""

import select
import socket
import threading
import traceback
from typing import NoReturn, Protocol

from bodydouble.renderers.wan.messages import (
    FROM_RUNNER,
    REQUESTS,
    Beat,
    Done,
    FromRunner,
    Loaded,
    Loading,
    Refused,
    Request,
    Step,
)
from bodydouble.renderers.wan.wire import Pictures, receive, send
from bodydouble.tasks.errors import BodydoubleError, Cancelled

BEAT_SECONDS = 2.0
"""Interval of the runner's heartbeats to the child that uses it."""


class Jobs(Protocol):
    """The runner, as a connection sees it."""

    turn: threading.Lock  # held by the job that has the engine
    current: "LeaseConnection | None"  # the connection of that job

    def perform(
        self, connection: "LeaseConnection", request: Request, pictures: Pictures
    ) -> tuple[Loaded | Done, Pictures]:
        """The answer to one request. Raises what the engine raises."""
        ...

    def end_job(self) -> None:
        """The connection is closed."""
        ...

    def fail(self, error: BaseException) -> NoReturn:
        """End the process after a fault."""
        ...


class LeaseConnection:
    """Answers one child's requests until the child closes the connection."""

    def __init__(self, jobs: Jobs, connection: socket.socket) -> None:
        self._jobs, self._connection = jobs, connection
        self._sending = threading.Lock()
        self._ended = threading.Event()

    def run(self) -> None:
        """Wait for the engine, then answer requests."""
        threading.Thread(target=self._beat, daemon=True).start()
        try:
            with self._jobs.turn:
                self._jobs.current = self
                self._answer_all()
                self._jobs.current = None
        finally:
            self._ended.set()
            self._connection.close()

    def _answer_all(self) -> None:
        try:
            while True:
                data, pictures = receive(self._connection)
                self._answer(REQUESTS.decode(data), pictures)
        except (EOFError, OSError, Cancelled):
            self._jobs.end_job()

    def _answer(self, request: Request, pictures: Pictures) -> None:
        try:
            reply, made = self._jobs.perform(self, request, pictures)
        except Cancelled:
            raise
        except BodydoubleError as error:
            self.send(Refused(reason=error.reason, message=error.message))
        except BaseException as error:
            traceback.print_exc()
            self._jobs.fail(error)
        else:
            self.send(reply, made)

    def report_loading(self, fraction: float) -> None:
        """Send the progress of loading, 0-1. Raises Cancelled: the child is gone."""
        self.send(Loading(fraction=fraction))

    def report_step(self, done: int, steps: int) -> None:
        """Send the progress of a segment. Raises Cancelled: the child is gone."""
        readable, _, _ = select.select([self._connection], [], [], 0)
        if readable:  # a child that waits for an answer sends nothing, so its connection was closed
            raise Cancelled("nobody waits for this segment any more")
        self.send(Step(done=done, steps=steps))

    def send(self, message: FromRunner, pictures: Pictures | None = None) -> None:
        """Send one message. Raises Cancelled: the child is gone."""
        try:
            with self._sending:
                send(self._connection, FROM_RUNNER.encode(message), pictures or {})
        except OSError:
            raise Cancelled("nobody waits for this any more") from None

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self.send(Beat())
            except Cancelled:
                return

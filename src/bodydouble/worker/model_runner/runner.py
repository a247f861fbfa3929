"""One engine for one job after the other."""

import os
import select
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NoReturn, Protocol

from bodydouble.renderers.wan.engine import StepReport
from bodydouble.renderers.wan.faults import describe_fault
from bodydouble.renderers.wan.wire import Pictures, receive, send
from bodydouble.tasks.errors import BodydoubleError, Cancelled
from bodydouble.worker.model_runner.requests import ResidentEngine, perform

BEAT_SECONDS = 2.0
LOOK_SECONDS = 0.5
WATCH_SECONDS = 5.0
"""A process that faulted needs some of it to write down why, and to give back its card."""
FAILED = 1


class Others(Protocol):
    """The ranks beside this one."""

    def share(self, message: dict[str, Any], pictures: Pictures) -> None:
        """Have them do the same."""
        ...

    def agreed(self, report: StepReport) -> StepReport:
        """``report``, after which all ranks go on or stop together."""
        ...


Open = Callable[[Callable[[str], Any]], tuple[ResidentEngine, Others | None]]
"""Makes an engine, and starts the other ranks, if any; they call what they are given when one of them is lost."""


class Runner:
    """Gives one engine to one job after the other. It answers while it is still importing and loading."""

    def __init__(self, open_engine: Open) -> None:
        self._engine: ResidentEngine | None = None
        self._others: Others | None = None
        self.session: Session | None = None  # whose turn it is
        self.turn = threading.Lock()  # held by the job that has the engine
        self._loaded = 0.0
        # While the first task's child still looks at its video. The thread has to last: what it starts dies with it.
        self._loader = ThreadPoolExecutor(1)
        self._loading: Future[int] = self._loader.submit(self._open, open_engine)

    def _open(self, open_engine: Open) -> int:
        engine, self._others = open_engine(self.lose)
        face_side = engine.load(self._note_loaded)
        self._engine = engine
        return face_side

    def _note_loaded(self, fraction: float) -> None:
        self._loaded = fraction

    def serve(self, listener: socket.socket) -> NoReturn:
        """Take connections for ever."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=Session(self, connection).run, daemon=True).start()

    def perform(self, session: "Session", message: dict[str, Any], pictures: Pictures) -> tuple[Any, Pictures]:
        """One request. Raises what the engine raises."""
        if message["op"] == "load":
            return {"face_side": self._load(session)}, {}
        assert self._engine is not None, "load comes first"
        report = session.tell_step
        if self._others is not None:
            self._others.share(message, pictures)
            report = self._others.agreed(report)
        return None, perform(self._engine, message, pictures, report)

    def rest(self) -> None:
        """The job is over. Where loading was refused the process is, too: what was missing may be here next time."""
        if self._loading.done() and self._loading.exception() is not None:
            os._exit(FAILED)
        if self._engine is None:
            return
        if self._others is not None:
            self._others.share({"op": "rest"}, {})
        self._engine.rest()

    def fail(self, error: BaseException) -> NoReturn:
        """After a fault: tell whoever waits, and end."""
        if self._others is not None:
            # A lost rank shows here as a broken connection, perhaps before the thread that watches it has called
            # ``lose``, which knows the reason and ends this process while it sleeps.
            time.sleep(WATCH_SECONDS)
        self.lose(describe_fault(error))

    def lose(self, reason: str) -> NoReturn:
        """Tell whoever waits, and end."""
        print(reason, file=sys.stderr, flush=True)
        session = self.session
        try:
            if session is not None:
                session.send({"lost": reason})
        finally:
            os._exit(FAILED)

    def _load(self, session: "Session") -> int:
        told = -1.0
        while not wait([self._loading], LOOK_SECONDS).done:
            if self._loaded > told:
                told = self._loaded
                session.tell(told)
        return self._loading.result()


class Session:
    """One connection."""

    def __init__(self, runner: Runner, connection: socket.socket) -> None:
        self._runner, self._connection = runner, connection
        self._sending = threading.Lock()
        self._ended = threading.Event()

    def run(self) -> None:
        """Answer requests until the other side closes, one job at a time."""
        threading.Thread(target=self._beat, daemon=True).start()
        try:
            with self._runner.turn:
                self._runner.session = self
                self._answer_all()
                self._runner.session = None
        finally:
            self._ended.set()
            self._connection.close()

    def _answer_all(self) -> None:
        try:
            while True:
                self._answer(*receive(self._connection))
        except (EOFError, OSError, Cancelled):
            self._runner.rest()

    def _answer(self, message: dict[str, Any], pictures: Pictures) -> None:
        try:
            value, made = self._runner.perform(self, message, pictures)
        except Cancelled:
            raise
        except BodydoubleError as error:
            self.send({"refused": error.reason, "message": error.message})
        except BaseException as error:
            traceback.print_exc()
            self._runner.fail(error)
        else:
            self.send({"done": value}, made)

    def tell(self, *values: float) -> None:
        """Progress, as the request's reporter takes it."""
        self.send({"told": values})

    def tell_step(self, done: int, steps: int) -> None:
        """Raises Cancelled where nobody waits any more."""
        readable, _, _ = select.select([self._connection], [], [], 0)
        if readable:  # a client that waits says nothing
            raise Cancelled("nobody waits for this segment any more")
        self.tell(done, steps)

    def send(self, message: dict[str, Any], pictures: Pictures | None = None) -> None:
        """Raises Cancelled where nobody waits any more."""
        try:
            with self._sending:
                send(self._connection, message, pictures or {})
        except OSError:
            raise Cancelled("nobody waits for this any more") from None

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self.send({"beat": True})
            except Cancelled:
                return

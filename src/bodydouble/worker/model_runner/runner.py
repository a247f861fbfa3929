"""Gives one engine to one job after the other."""

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NoReturn, Protocol, assert_never

from bodydouble.renderers.wan.engine import StepReport
from bodydouble.renderers.wan.faults import describe_fault, ran_out_of_memory
from bodydouble.renderers.wan.messages import (
    Done,
    Generate,
    Load,
    Loaded,
    Lost,
    RankRequest,
    Request,
    Rest,
    SetCharacter,
)
from bodydouble.renderers.wan.wire import Pictures
from bodydouble.tasks.errors import Cancelled
from bodydouble.worker.model_runner.lease_connection import LeaseConnection
from bodydouble.worker.model_runner.requests import ResidentEngine, perform
from bodydouble.worker.process import NO_MEMORY_STATUS

LOADING_CHECK_SECONDS = 0.5
"""Interval at which the progress of loading is looked at."""
FAULT_SECONDS = 5.0
"""Time for a lost rank to write its log and free its GPU, and for the thread that watches it to report the reason."""
FAILED = 1


class OtherRanks(Protocol):
    """The processes that compute together with this one."""

    def share(self, request: RankRequest, pictures: Pictures) -> None:
        """Have them perform the same request."""
        ...

    def agreed(self, report: StepReport) -> StepReport:
        """``report``, after which all ranks continue or stop together."""
        ...


OpenEngine = Callable[[Callable[[str, int], Any]], tuple[ResidentEngine, OtherRanks | None]]
"""Makes the engine and starts the other ranks, if any. The argument is called when a rank is lost, with a reason and
the exit status for this process."""


class Runner:
    """Satisfies ``lease_connection.Jobs``. Accepts connections while the engine is still being imported and loaded."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self._engine: ResidentEngine | None = None
        self._others: OtherRanks | None = None
        self.current: LeaseConnection | None = None
        self.turn = threading.Lock()
        self._loaded = 0.0  # fraction
        # Loads while the first child inspects its video. The thread lasts: ranks end with the thread that starts them.
        self._loader = ThreadPoolExecutor(1)
        self._loading: Future[int] = self._loader.submit(self._open, open_engine)

    def _open(self, open_engine: OpenEngine) -> int:
        engine, self._others = open_engine(self.lose)
        face_side = engine.load(self._note_loaded)
        self._engine = engine
        return face_side

    def _note_loaded(self, fraction: float) -> None:
        self._loaded = fraction

    def serve(self, listener: socket.socket) -> NoReturn:
        """Accept connections for ever."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=LeaseConnection(self, connection).run, daemon=True).start()

    def perform(
        self, connection: LeaseConnection, request: Request, pictures: Pictures
    ) -> tuple[Loaded | Done, Pictures]:
        """See ``lease_connection.Jobs``."""
        match request:
            case Load():
                return Loaded(face_side=self._load(connection)), {}
            case SetCharacter() | Generate():
                assert self._engine is not None, "the first request is Load"
                report = connection.report_step
                if self._others is not None:
                    self._others.share(request, pictures)
                    report = self._others.agreed(report)
                return Done(), perform(self._engine, request, pictures, report)
            case _:
                assert_never(request)

    def end_job(self) -> None:
        """Forget the job. If loading was refused, end the process: the next one may find what was missing."""
        if self._loading.done() and self._loading.exception() is not None:
            os._exit(FAILED)
        if self._engine is None:
            return
        if self._others is not None:
            self._others.share(Rest(), {})
        self._engine.rest()

    def fail(self, error: BaseException) -> NoReturn:
        """Report a fault to the current job, and end the process."""
        if self._others is not None:
            # The fault may be the broken connection to a lost rank. The thread that watches that rank knows the reason,
            # and ends this process with it during this pause.
            time.sleep(FAULT_SECONDS)
        self.lose(describe_fault(error), NO_MEMORY_STATUS if ran_out_of_memory(error) else FAILED)

    def lose(self, reason: str, status: int = FAILED) -> NoReturn:
        """Report ``reason`` to the current job, and end the process with ``status``."""
        print(reason, file=sys.stderr, flush=True)
        connection = self.current
        try:
            if connection is not None:
                with contextlib.suppress(Cancelled):
                    connection.send(Lost(reason=reason))
        finally:
            os._exit(status)

    def _load(self, connection: LeaseConnection) -> int:
        """Wait until the engine is loaded; the side of its face pictures in pixels."""
        reported = -1.0
        while not wait([self._loading], LOADING_CHECK_SECONDS).done:
            if self._loaded > reported:
                reported = self._loaded
                connection.report_loading(reported)
        return self._loading.result()

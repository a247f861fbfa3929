"""The process that holds the wan renderer's networks: ``python -m bodydouble.worker.runner FD OPTIONS``.

It listens on the socket ``FD``, loads as ``OPTIONS`` (JSON of ``WanOptions``) say, and stays: one connection is one
job, and one job has the networks at a time. Requests are ``load``, ``cast`` and ``generate`` (``renderers.wan.wire``);
they are answered ``done`` or ``refused``, with ``told`` (progress) and ``beat`` before. A job that nobody waits for any
more ends between two steps. After any other fault the process says ``lost`` and ends: what is left on the card after
one cannot be trusted. It ends with its parent, too.
"""

import json
import os
import select
import socket
import sys
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any, Protocol

from bodydouble.renderers.wan.engine import Casting, Engine, Sampling, Take
from bodydouble.renderers.wan.faults import describe_fault
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.wire import Pictures, receive, send
from bodydouble.tasks.errors import BodydoubleError, Cancelled
from bodydouble.worker.process import settle_in

BEAT_SECONDS = 2.0
LOOK_SECONDS = 0.5
FAILED = 1


class ResidentEngine(Engine, Protocol):
    """An engine that outlives its jobs."""

    def rest(self) -> None:
        """The job is over: forget its character, and leave to others whatever memory is not the networks'."""
        ...


class Runner:
    """Gives one engine to one job after the other."""

    def __init__(self, engine: ResidentEngine) -> None:
        self.engine = engine
        self.turn = threading.Lock()  # held by the job that has the engine
        self._loaded = 0.0
        # While the first task's child still looks at its video.
        self._loading: Future[int] = ThreadPoolExecutor(1).submit(engine.load, self._note_loaded)

    def _note_loaded(self, fraction: float) -> None:
        self._loaded = fraction

    def serve(self, listener: socket.socket) -> None:
        """Take connections for ever."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=Session(self, connection).run, daemon=True).start()

    def perform(self, session: "Session", message: dict[str, Any], pictures: Pictures) -> tuple[Any, Pictures]:
        """One request. Raises what the engine raises."""
        match message["op"]:
            case "load":
                return {"face_side": self._load(session)}, {}
            case "cast":
                words = message["casting"] | {"picture": pictures["picture"]}
                self.engine.cast(Casting(**words | {"sampling": Sampling(**words["sampling"])}))
                return None, {}
            case "generate":
                video = SegmentVideo(
                    pose=pictures["pose"],
                    face=pictures["face"],
                    background=pictures.get("background"),
                    mask=pictures.get("mask"),
                )
                take = Take(video=video, carried=pictures.get("carried"), seed=message["seed"], index=message["index"])
                return None, {"frames": self.engine.generate(take, session.tell_step)}
            case unknown:
                raise ValueError(f"unknown request {unknown}")

    def _load(self, session: "Session") -> int:
        while True:
            try:
                return self._loading.result(LOOK_SECONDS)
            except NotYet:
                session.tell(self._loaded)


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
                self._answer_all()
        finally:
            self._ended.set()
            self._connection.close()

    def _answer_all(self) -> None:
        try:
            while True:
                self._answer(*receive(self._connection))
        except (EOFError, OSError, Cancelled):
            self._runner.engine.rest()

    def _answer(self, message: dict[str, Any], pictures: Pictures) -> None:
        try:
            value, made = self._runner.perform(self, message, pictures)
        except Cancelled:
            raise
        except BodydoubleError as error:
            self._send({"refused": error.reason, "message": error.message})
        except BaseException as error:
            traceback.print_exc()
            self._give_up(error)
        else:
            self._send({"done": value}, made)

    def _give_up(self, error: BaseException) -> None:
        try:
            self._send({"lost": describe_fault(error)})
        finally:
            sys.stderr.flush()
            os._exit(FAILED)

    def tell(self, *values: float) -> None:
        """Progress, as the request's reporter takes it."""
        self._send({"told": values})

    def tell_step(self, done: int, steps: int) -> None:
        """Raises Cancelled where nobody waits any more."""
        readable, _, _ = select.select([self._connection], [], [], 0)
        if readable:  # a client that waits says nothing
            raise Cancelled("nobody waits for this segment any more")
        self.tell(done, steps)

    def _send(self, message: dict[str, Any], pictures: Pictures | None = None) -> None:
        try:
            with self._sending:
                send(self._connection, message, pictures or {})
        except OSError:
            raise Cancelled("nobody waits for this any more") from None

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self._send({"beat": True})
            except Cancelled:
                return


def main() -> None:
    """Serve until the parent ends."""
    settle_in()
    from bodydouble.renderers.wan.loaded import LoadedEngine  # imports torch

    print(f"loading at {time.strftime('%F %T')}", flush=True)
    Runner(LoadedEngine(WanOptions(**json.loads(sys.argv[2])))).serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()

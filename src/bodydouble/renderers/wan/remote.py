"""The networks in another process, spoken to through a Unix socket."""

import contextlib
import dataclasses
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.wan.engine import Casting, LoadReport, StepReport, Take
from bodydouble.renderers.wan.wire import Pictures, receive, send
from bodydouble.tasks.errors import ModelPackMissing, RendererLost, RendererUnavailable

SILENCE_SECONDS_MAX = 60.0
"""The other side says every few seconds that it is there; one that does not is frozen."""
_REFUSALS = {kind.reason: kind for kind in (ModelPackMissing, RendererUnavailable)}


class RemoteEngine:
    """Satisfies ``engine.Engine``. One connection is one job; closing it ends what the other side does for it."""

    def __init__(self, address: Path) -> None:
        self._address = address
        self._connection: socket.socket | None = None
        self._turn = Lock()

    def load(self, report: LoadReport) -> int:
        """See ``engine.Engine``."""
        answer, _ = self._ask({"op": "load"}, {}, report)
        return int(answer["face_side"])

    def cast(self, casting: Casting) -> None:
        """See ``engine.Engine``."""
        words = {f.name: getattr(casting, f.name) for f in dataclasses.fields(casting)} | {"picture": None}
        words["sampling"] = dataclasses.asdict(casting.sampling)
        self._ask({"op": "cast", "casting": words}, {"picture": casting.picture}, lambda: None)

    def generate(self, take: Take, report: StepReport) -> NDArray[np.uint8]:
        """See ``engine.Engine``."""
        video = {f.name: getattr(take.video, f.name) for f in dataclasses.fields(take.video)}
        pictures = {**video, "carried": take.carried}
        _, made = self._ask(
            {"op": "generate", "seed": take.seed, "index": take.index},
            {name: value for name, value in pictures.items() if value is not None},
            report,
        )
        return made["frames"]

    def _ask(
        self, message: Mapping[str, Any], pictures: Mapping[str, NDArray[np.uint8]], report: Callable[..., None]
    ) -> tuple[dict[str, Any], Pictures]:
        """The answer. ``report`` gets the arguments that the other side tells; what it raises ends the connection."""
        with self._turn:
            return self._converse(message, pictures, report)

    def _converse(
        self, message: Mapping[str, Any], pictures: Mapping[str, NDArray[np.uint8]], report: Callable[..., None]
    ) -> tuple[dict[str, Any], Pictures]:
        try:
            connection = self._connect()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # why it ended is still to be read
                send(connection, message, pictures)
            while True:
                answer, made = receive(connection)
                if "told" in answer:
                    report(*answer["told"])
                elif "refused" in answer:
                    raise _REFUSALS[answer["refused"]](answer["message"])
                elif "lost" in answer:
                    raise RendererLost(answer["lost"])
                elif "done" in answer:
                    return answer["done"], made
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

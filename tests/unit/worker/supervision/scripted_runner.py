"""A runner whose engine follows a script: ``python scripted_runner.py SCRIPT FD OPTIONS OWNER``.

The script lists what ``generate`` does the first time, the second time, and so on over all processes; the last entry
counts from then on. Entries: ``"frames"``, ``"steps"`` (report steps for ever), ``"out of memory"``, ``"kill"``,
``"broken connection"`` (whose reason, a lost rank, is reported a moment later). ``["no weights"]`` refuses to load.
Loads, characters and segments are logged in a file beside it.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.wan.engine import CharacterSpec, LoadReport, SegmentRequest, StepReport
from bodydouble.renderers.wan.messages import RankRequest
from bodydouble.renderers.wan.wire import Pictures
from bodydouble.tasks.errors import ModelPackMissing
from bodydouble.worker.model_runner.runner import FAILED, Runner
from bodydouble.worker.process import configure_child_process


class OutOfMemoryError(RuntimeError):
    """Has the name of torch's error."""


class ScriptedEngine:
    """Satisfies ``runner.ResidentEngine``."""

    def __init__(self, script: Path, lose: Callable[[str, int], Any]) -> None:
        self._lose = lose
        self._script, self._notes = script, script.with_suffix(".notes")
        self._prompt = ""

    def _note(self, line: str) -> int:
        """Log ``line``; how often it was logged before."""
        seen = self._notes.read_text().splitlines() if self._notes.exists() else []
        with self._notes.open("a") as stream:
            stream.write(line + "\n")
        return seen.count(line)

    def load(self, report: LoadReport) -> int:
        smaller = json.loads(sys.argv[3]).get("smaller_setups", 0)
        self._note(f"load the setup {smaller} smaller" if smaller else "load")
        if json.loads(self._script.read_text()) == ["no weights"]:
            raise ModelPackMissing("the weights are not here")
        return 8

    def set_character(self, spec: CharacterSpec) -> None:
        self._prompt = spec.prompt
        self._note(f"cast {spec.prompt} {spec.picture.shape}")

    def generate(self, request: SegmentRequest, report: StepReport) -> NDArray[np.uint8]:
        script = json.loads(self._script.read_text())
        done = self._note("generate")
        match script[min(done, len(script) - 1)]:
            case "out of memory":
                raise OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB. GPU 0 has 1 GiB free.")
            case "broken connection":
                threading.Timer(0.5, self._lose, ["rank 1 of the model's processes was lost", FAILED]).start()
                raise RuntimeError("Connection reset by peer")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "steps":
                for step in range(10**6):
                    report(step, 10**6)
                    time.sleep(0.01)
            case _:
                report(1, 2)
        carried = 0 if request.carried is None else int(request.carried.sum())
        return request.video.pose + np.uint8(carried)

    def rest(self) -> None:
        self._note(f"rest {self._prompt}")


class SilentRanks:
    """Other ranks that ignore every request. Satisfies ``runner.OtherRanks``."""

    def share(self, request: RankRequest, pictures: Pictures) -> None: ...

    def agreed(self, report: StepReport) -> StepReport:
        return report


def main() -> None:
    """Serve until the parent ends."""
    configure_child_process(int(sys.argv[4]))
    listener = socket.socket(fileno=int(sys.argv[2]))
    script = Path(sys.argv[1])
    others = SilentRanks() if "broken connection" in script.read_text() else None
    Runner(lambda lose: (ScriptedEngine(script, lose), others)).serve(listener)


if __name__ == "__main__":
    main()

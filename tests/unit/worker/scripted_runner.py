"""A runner whose engine does what its script says: ``python scripted_runner.py SCRIPT FD OPTIONS``.

The script lists what ``generate`` does the first time, the second time, and so on over all processes; the last entry
counts from then on. Entries: ``"frames"``, ``"steps"`` (tell of steps for ever), ``"out of memory"``, ``"kill"``.
Loads, characters and segments are noted in a file beside it.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.wan.engine import Casting, LoadReport, StepReport, Take
from bodydouble.worker.process import settle_in
from bodydouble.worker.runner import Runner


class OutOfMemoryError(RuntimeError):
    """Called as torch's is."""


class ScriptedEngine:
    """Satisfies ``runner.ResidentEngine``."""

    def __init__(self, script: Path) -> None:
        self._script, self._notes = script, script.with_suffix(".notes")
        self._prompt = ""

    def _note(self, line: str) -> int:
        """How often this line was noted before."""
        seen = self._notes.read_text().splitlines() if self._notes.exists() else []
        with self._notes.open("a") as stream:
            stream.write(line + "\n")
        return seen.count(line)

    def load(self, report: LoadReport) -> int:
        self._note("load")
        return 8

    def cast(self, casting: Casting) -> None:
        self._prompt = casting.prompt
        self._note(f"cast {casting.prompt} {casting.picture.shape}")

    def generate(self, take: Take, report: StepReport) -> NDArray[np.uint8]:
        script = json.loads(self._script.read_text())
        done = self._note("generate")
        match script[min(done, len(script) - 1)]:
            case "out of memory":
                raise OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB. GPU 0 has 1 GiB free.")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "steps":
                for step in range(10**6):
                    report(step, 10**6)
                    time.sleep(0.01)
            case _:
                report(1, 2)
        carried = 0 if take.carried is None else int(take.carried.sum())
        return take.video.pose + np.uint8(carried)

    def rest(self) -> None:
        self._note(f"rest {self._prompt}")


def main() -> None:
    """Serve, with the parent's life."""
    settle_in()
    listener = socket.socket(fileno=int(sys.argv[2]))
    Runner(lambda lose: (ScriptedEngine(Path(sys.argv[1])), None)).serve(listener)


if __name__ == "__main__":
    main()

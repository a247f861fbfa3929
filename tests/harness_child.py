"""A child process for tests of the worker: the stages of a shot in milliseconds, over the same workspace and socket.

Each artefact is complete or missing, as in a real shot. Each rendered segment is logged in ``HARNESS_LOG``. The real
child makes the tasks that name a renderer.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bodydouble.worker.child.channel import Channel
from bodydouble.worker.child.shot_runner import ShotRunner

SEGMENTS = 4
POISON = 666
"""A task with this seed kills its worker."""
SECONDS = float(os.environ.get("HARNESS_SECONDS", "0.1"))
"""Duration of each stage and segment."""
STANDS_AT = int(os.environ.get("HARNESS_STANDS_AT", SEGMENTS))
"""A segment that starts and never finishes."""


class FastShot:
    """Answers the operations of one task."""

    def __init__(self, channel: Channel, order: dict[str, Any]) -> None:
        self._channel, self._workspace = channel, Path(order["workspace"])
        self._seed = order["options"].get("seed", 0)

    def perform(self, message: dict[str, Any]) -> Any:
        """As ``ShotRunner`` does."""
        match message["op"]:
            case "open":
                self._make("inputs.json", json.dumps({"seed": self._seed}))
                return None
            case "probe":
                return {"duration_seconds": 2.0}
            case "perceive":
                if self._seed == POISON:
                    os.kill(os.getppid(), signal.SIGKILL)
                self._stage("perception/windows", "perceive", 0.2)
                return None
            case "prepare":
                self._stage("plan.json", "prepare", 0.3)
                return SEGMENTS
            case "render":
                self._render(message["segment"])
                return None
            case "finish":
                for segment in range(SEGMENTS):
                    self._render(segment)
                parts = [self._segment(i).read_text() for i in range(SEGMENTS)]
                self._make("result.mp4", "".join(parts))
                return {"renderer": "harness", "frames": SEGMENTS}
            case unknown:
                raise ValueError(unknown)

    def _segment(self, segment: int) -> Path:
        return self._workspace / "segments" / f"segment-{segment:05d}.nut"

    def _render(self, segment: int) -> None:
        if self._segment(segment).exists():
            return
        self._stage(f"segments/segment-{segment:05d}.nut", "render", 0.3 + 0.6 * (segment + 1) / SEGMENTS, segment)
        self._make("preview.jpg", f"picture of segment {segment}")
        if "HARNESS_LOG" in os.environ:
            with Path(os.environ["HARNESS_LOG"]).open("a") as log:
                log.write(f"{self._workspace.name} {segment} {os.getpid()}\n")

    def _stage(self, name: str, stage: str, fraction: float, segment: int | None = None) -> None:
        if (self._workspace / name).exists():
            return
        for part in range(5):
            time.sleep(SECONDS / 5)
            progress = {"fraction": fraction * (part + 1) / 5, "stage": stage, "segment": segment, "segments": SEGMENTS}
            self._channel.send({"progress": progress})
        while segment == STANDS_AT:
            time.sleep(1)
        self._make(name, f"{self._seed} {name}\n")

    def _make(self, name: str, content: str) -> None:
        path = self._workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(content)
        part.replace(path)


def main() -> None:
    """Answer operations until the socket ends."""
    channel = Channel(int(sys.argv[1]))
    threading.Thread(target=channel.listen, daemon=True).start()
    threading.Thread(target=channel.beat, daemon=True).start()
    shot: FastShot | ShotRunner | None = None
    while True:
        message = channel.operations.get()
        if message["op"] == "open":
            real = message["order"]["renderer"] != "auto"
            shot = ShotRunner(channel) if real else FastShot(channel, message["order"])
        assert shot is not None
        channel.send({"done": shot.perform(message)})


if __name__ == "__main__":
    main()

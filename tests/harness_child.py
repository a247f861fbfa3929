"""A child process for tests of the worker: the stages of a shot in milliseconds, over the same workspace and socket.

Each artefact is complete or missing, as in a real shot. Each rendered segment is logged in ``HARNESS_LOG``. The real
child makes the tasks that name a renderer.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import assert_never

from bodydouble.tasks.atomic_files import atomic_write
from bodydouble.tasks.digests import damaged_files, digest_of, publish_with_digest, remove_with_digest
from bodydouble.tasks.errors import WorkspaceDamaged
from bodydouble.tasks.stages import Stage
from bodydouble.worker.child.__main__ import perform
from bodydouble.worker.child.channel import Channel
from bodydouble.worker.child.shot_runner import ShotRunner
from bodydouble.worker.messages import (
    Done,
    Finish,
    Finished,
    Open,
    Perceive,
    Prepare,
    Prepared,
    Probe,
    Probed,
    Progress,
    Render,
    Request,
    ShotOrder,
    Value,
)

SEGMENTS = 4
ARTEFACTS = ("perception", "plan.json", "segments")
POISON = 2_000_000_000
"""A task with this seed kills its worker. Tests that count their seeds up do not reach it."""
SECONDS = float(os.environ.get("HARNESS_SECONDS", "0.1"))
"""Duration of each stage and segment."""
STANDS_AT = int(os.environ.get("HARNESS_STANDS_AT", SEGMENTS))
"""A segment that starts and never finishes."""
HELD = os.environ.get("HARNESS_HELD", "")
"""A file: while it exists, no segment finishes."""


class FastShot:
    """Answers the requests for one task."""

    def __init__(self, channel: Channel, order: ShotOrder) -> None:
        self._channel, self._workspace = channel, order.workspace
        self._seed = order.options.get("seed", 0)

    def perform(self, request: Request) -> Value:
        """Same as the method of ``ShotRunner``."""
        match request:
            case Open():
                for path in damaged_files([self._workspace / name for name in ARTEFACTS]):
                    remove_with_digest(path)
                self._make("inputs.json", json.dumps({"seed": self._seed}))
            case Probe():
                return Probed(duration_seconds=2.0, short_side=480)
            case Perceive():
                if self._seed == POISON:
                    os.kill(os.getppid(), signal.SIGKILL)
                self._stage("perception/windows", Stage.PERCEIVE, 0.2)
            case Prepare():
                self._stage("plan.json", Stage.PREPARE, 0.3)
                return Prepared(segments=SEGMENTS)
            case Render():
                self._render(request.segment)
            case Finish():
                for segment in range(SEGMENTS):
                    self._render(segment)
                parts = [self._segment(i).read_text() for i in range(SEGMENTS)]
                if reason := self.find_damage():  # checked after they were read
                    raise WorkspaceDamaged(reason)
                self._make("result.mp4", "".join(parts))
                return Finished(
                    media_info={"renderer": "harness", "frames": SEGMENTS},
                    digest=digest_of(self._workspace / "result.mp4"),
                )
            case _:
                assert_never(request)
        return Done()

    def find_damage(self) -> str | None:
        """Same as the method of ``ShotRunner``."""
        damaged = damaged_files([self._workspace / name for name in ARTEFACTS])
        return f"damaged: {damaged}" if damaged or not self._workspace.exists() else None

    def _segment(self, segment: int) -> Path:
        return self._workspace / "segments" / f"segment-{segment:05d}.nut"

    def _render(self, segment: int) -> None:
        if self._segment(segment).exists():
            return
        self._stage(f"segments/segment-{segment:05d}.nut", Stage.RENDER, 0.3 + 0.6 * (segment + 1) / SEGMENTS, segment)
        self._make("preview.jpg", f"picture of segment {segment}")
        self._make("preview.mp4", f"video until segment {segment}")
        if "HARNESS_LOG" in os.environ:
            with Path(os.environ["HARNESS_LOG"]).open("a") as log:
                log.write(f"{self._workspace.name} {segment} {os.getpid()}\n")

    def _stage(self, name: str, stage: Stage, fraction: float, segment: int | None = None) -> None:
        if (self._workspace / name).exists():
            return
        for part in range(5):
            time.sleep(SECONDS / 5)
            done = fraction * (part + 1) / 5
            self._channel.send(Progress(stage=stage, fraction=done, segment=segment, segments=SEGMENTS))
        while segment == STANDS_AT:
            time.sleep(1)
        while HELD and segment is not None and Path(HELD).exists():
            time.sleep(0.05)
        self._make(name, f"{self._seed} {name}\n")

    def _make(self, name: str, content: str) -> None:
        path = self._workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, content, publish_with_digest)


def main() -> None:
    """Answer requests until the socket ends."""
    channel = Channel(int(sys.argv[1]))
    channel.start()
    shot: FastShot | ShotRunner | None = None
    while True:
        request = channel.requests.get()
        if isinstance(request, Open):
            real = request.order.renderer != "auto"
            shot = ShotRunner(channel) if real else FastShot(channel, request.order)
        assert shot is not None
        channel.send(perform(shot, request))


if __name__ == "__main__":
    main()

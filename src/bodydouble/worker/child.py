"""The process that does the heavy work of one task: ``python -m bodydouble.worker.child FD``.

It speaks JSON lines over the socket ``FD``. The supervisor sends one operation at a time (open, probe, perceive,
prepare, render, finish); the child answers ``done``, ``failed``, ``full`` (the disk is) or ``lost`` (the model's
process is), with ``progress``, ``note`` and ``beat`` lines before it. It ends when the socket does, and when its parent
does.
"""

import json
import logging
import os
import queue
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from bodydouble.tasks.errors import RendererLost, StorageFull
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.process import settle_in
from bodydouble.worker.workspace import telling_full

BEAT_SECONDS = 2.0
PROGRESS_SECONDS_MIN = 0.1


class Channel:
    """The child's end of the socket. Sending is safe from several threads."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lock = threading.Lock()
        self.operations: queue.Queue[dict[str, Any]] = queue.Queue()

    def send(self, message: dict[str, Any]) -> None:
        """One line; ends the process where nobody listens any more."""
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError:
            os._exit(0)

    def listen(self) -> None:
        """Queue the operations; end the process with the connection, in the middle of any work."""
        with self._socket.makefile("rb") as stream:
            for line in stream:
                self.operations.put(json.loads(line))
        os._exit(0)

    def beat(self) -> None:
        """Say that the process is not frozen."""
        while True:
            self.send({"beat": True})
            time.sleep(BEAT_SECONDS)


class NoteHandler(logging.Handler):
    """What the rendering rooms say goes into the worker's log."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        self._channel.send({"note": record.getMessage()})


class ShotRunner:
    """Performs operations on one shot."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._shot: Any = None
        self._segments: Any = None
        self._told: tuple[float, str, int | None] = (0.0, "", None)

    def perform(self, message: dict[str, Any]) -> Any:
        """Raises what the stage raises."""
        match message["op"]:
            case "open":
                self._open(message["order"])
                return None
            case "probe":
                return {"duration_seconds": self._shot.probe().duration_seconds}
            case "perceive":
                self._shot.perceive()
                return None
            case "prepare":
                return len(self._prepared())
            case "render":
                self._prepared()
                self._shot.render_segment(message["segment"])
                return None
            case "finish":
                for segment in self._prepared():
                    self._shot.render_segment(segment.index)
                return self._shot.finish().media_info()
            case unknown:
                raise ValueError(f"unknown operation {unknown}")

    def _prepared(self) -> Any:
        """The segments. A fresh child over an old workspace passes through the stages that are done, once."""
        if self._segments is None:
            self._shot.perceive()
            self._segments = self._shot.prepare()
        return self._segments

    def _open(self, order: dict[str, Any]) -> None:
        from bodydouble.media import MediaLimits  # the heavy imports, after the heartbeat has begun
        from bodydouble.perception import PersonChoice, locate_pack
        from bodydouble.perception.options import PerceptionOptions
        from bodydouble.renderers.wan.options import WanOptions
        from bodydouble.shot import Shot, ShotRequest

        point = order["point"]
        request = ShotRequest(
            image=Path(order["image"]),
            video=Path(order["video"]),
            short_side=order["short_side"],
            person=PersonChoice(point=(point[0], point[1]) if point else None, rank=order["rank"]),
            renderer=order["renderer"],
            mode=order["mode"],
            hands=order["hands"],
            seed=order["seed"],
            prompt=order["prompt"],
            steps=order["steps"],
            guidance=order["guidance"],
            shift=order["shift"],
            keep_audio=order["keep_audio"],
            limits=MediaLimits(**order["limits"]),
            wan=WanOptions(**order["wan"]),
            perception=PerceptionOptions(**order["perception"]),
        )
        pack = locate_pack(Path(order["models"]) if order["models"] else None)
        runner = Path(order["runner"]) if order["runner"] else None
        self._shot = Shot.create(Path(order["workspace"]), request, pack, self._tell, runner=runner)

    def _tell(self, progress: Any) -> None:
        """Pass progress on, at most ten times a second within one segment."""
        last, stage, segment = self._told
        now = time.monotonic()
        if now - last < PROGRESS_SECONDS_MIN and (stage, segment) == (progress.stage, progress.segment):
            return
        self._told = (now, progress.stage, progress.segment)
        self._channel.send(
            {
                "progress": {
                    "fraction": progress.fraction,
                    "stage": progress.stage,
                    "segment": progress.segment,
                    "segments": progress.segments,
                }
            }
        )


def main() -> None:
    """Answer operations until the socket ends."""
    settle_in(os.getppid())  # where the owner was gone before, the socket has ended with it
    channel = Channel(int(sys.argv[1]))
    threading.Thread(target=channel.beat, daemon=True).start()
    threading.Thread(target=channel.listen, daemon=True).start()
    logging.getLogger("bodydouble").addHandler(NoteHandler(channel))
    logging.getLogger("bodydouble").setLevel(logging.INFO)
    runner = ShotRunner(channel)
    while True:
        message = channel.operations.get()
        try:
            with telling_full():
                channel.send({"done": runner.perform(message)})
        except StorageFull as error:
            channel.send({"full": error.message})
        except RendererLost as error:
            channel.send({"lost": error.message})
        except Exception as error:
            failure = TaskFailure.of(error)
            channel.send({"failed": failure.to_json(), "trace": traceback.format_exc()})


if __name__ == "__main__":
    main()

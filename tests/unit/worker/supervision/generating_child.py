"""A child whose only stage is to have the task's runner draw a segment: ``python drawing_child.py FD``."""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bodydouble.renderers.wan.engine import Casting, Sampling, Take
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.remote import RemoteEngine
from bodydouble.tasks.errors import BodydoubleError, RendererLost
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.process import configure_child_process

SIDE = 16


def draw(order: dict[str, Any], send: Any) -> int:
    """The sum of the frames' bytes."""
    engine = RemoteEngine(Path(order["runner"]))
    face_side = engine.load(lambda fraction: None)
    picture = np.zeros((30, 20, 3), np.uint8)
    casting = Casting(
        picture=picture,
        prompt=order["options"].get("prompt", ""),
        negative_prompt="",
        height=SIDE,
        width=SIDE,
        sampling=Sampling(steps=20),
    )
    engine.cast(casting)
    video = SegmentVideo(
        pose=np.ones((5, SIDE, SIDE, 3), np.uint8),
        face=np.zeros((5, face_side, face_side, 3), np.uint8),
        background=None,
        mask=None,
    )

    def told(done: int, steps: int) -> None:
        send({"progress": {"fraction": 0.5 + done / steps / 10, "stage": "render", "segment": 0, "segments": 1}})

    frames = engine.generate(Take(video=video, carried=np.ones((1, 1, 1, 3), np.uint8), seed=0, index=0), told)
    return int(frames.sum())


def main() -> None:
    """Answer operations until the socket ends."""
    configure_child_process(os.getppid())
    connection, order = socket.socket(fileno=int(sys.argv[1])), {}

    def send(message: object) -> None:
        connection.sendall(json.dumps(message).encode() + b"\n")

    for line in connection.makefile("rb"):
        message = json.loads(line)
        if message["op"] == "open":
            order = message["order"]
            send({"done": None})
            continue
        try:
            send({"done": draw(order, send)})
        except RendererLost as error:
            send({"lost": error.message})
        except BodydoubleError as error:
            send({"failed": TaskFailure.of(error).to_json(), "trace": ""})


if __name__ == "__main__":
    main()

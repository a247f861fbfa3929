"""A child that has the task's runner generate a segment at each request: ``python generating_child.py FD``."""

import json
import os
import socket
import sys
from collections.abc import Callable

import numpy as np

from bodydouble.renderers.wan.engine import CharacterSpec, Sampling, SegmentRequest
from bodydouble.renderers.wan.footage import SegmentVideo
from bodydouble.renderers.wan.remote import RemoteEngine
from bodydouble.tasks.errors import BodydoubleError, RendererLost
from bodydouble.tasks.stages import Stage
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.messages import (
    FROM_CHILD,
    REQUESTS,
    Done,
    Failed,
    FromChild,
    Open,
    Prepared,
    Progress,
    Reply,
    RunnerLost,
    ShotOrder,
)
from bodydouble.worker.process import configure_child_process

SIDE = 16


def generate(order: ShotOrder, send: Callable[[FromChild], None]) -> Reply:
    """Answers the sum of the frames' bytes as the number of segments."""
    assert order.runner is not None
    engine = RemoteEngine(order.runner)
    face_side = engine.load(lambda fraction: None)
    picture = np.zeros((30, 20, 3), np.uint8)
    spec = CharacterSpec(
        picture=picture,
        prompt=order.options.get("prompt", ""),
        negative_prompt="",
        height=SIDE,
        width=SIDE,
        sampling=Sampling(steps=20),
    )
    engine.set_character(spec)
    video = SegmentVideo(
        pose=np.ones((5, SIDE, SIDE, 3), np.uint8),
        face=np.zeros((5, face_side, face_side, 3), np.uint8),
        background=None,
        mask=None,
    )

    def report(done: int, steps: int) -> None:
        send(Progress(stage=Stage.RENDER, fraction=0.5 + done / steps / 10, segment=0, segments=1))

    frames = engine.generate(
        SegmentRequest(video=video, carried=np.ones((1, 1, 1, 3), np.uint8), seed=0, index=0), report
    )
    return Prepared(segments=int(frames.sum()))


def main() -> None:
    """Answer requests until the socket ends."""
    configure_child_process(os.getppid())
    connection = socket.socket(fileno=int(sys.argv[1]))
    order: ShotOrder | None = None

    def send(message: FromChild) -> None:
        connection.sendall(json.dumps(FROM_CHILD.encode(message)).encode() + b"\n")

    for line in connection.makefile("rb"):
        request = REQUESTS.decode(json.loads(line))
        if isinstance(request, Open):
            order = request.order
            send(Done())
            continue
        assert order is not None
        try:
            send(generate(order, send))
        except RendererLost as error:
            send(RunnerLost(reason=error.message))
        except BodydoubleError as error:
            failure = TaskFailure.of(error)
            send(Failed(code=failure.code, message=failure.message, trace=""))


if __name__ == "__main__":
    main()

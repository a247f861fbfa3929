"""A child that follows a script: ``python scripted_child.py SCRIPT FD``.

The script maps a request, such as ``perceive`` or ``render 0``, to a list of actions for the first time, the second
time, and so on over all processes; the last entry counts from then on. Entries: the value to answer,
``{"die": signal}``, ``{"fail": {...}}``, ``{"full": "why"}``, ``"hang"``, ``"lose workspace"``; for ``finish`` a value
with the key ``damaged``, which damages the result after its digest was taken.
"""

import json
import os
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

from bodydouble.tasks.digests import digest_of
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode
from bodydouble.worker.messages import (
    FROM_CHILD,
    REQUESTS,
    Damaged,
    DiskFull,
    Done,
    Failed,
    Finished,
    FromChild,
    Open,
    Prepared,
    Probed,
    Progress,
    Render,
)


def reply(operation: str, entry: Any, workspace: Path) -> FromChild:
    """The answer that the script's ``entry`` stands for."""
    match entry:
        case {"die": signal}:
            os.kill(os.getpid(), signal)
        case {"fail": {"code": code, "message": message}}:
            return Failed(code=ResultCode(code), message=message, trace="")
        case {"full": message}:
            return DiskFull(message=message)
        case "hang":
            time.sleep(600)
        case "lose workspace":
            shutil.rmtree(workspace)
            return Damaged(reason="its workspace disappeared")
    match operation:
        case "probe":
            return Probed(**entry)
        case "prepare":
            return Prepared(segments=entry)
        case "finish":
            result = workspace / "result.mp4"
            result.write_text("a video")
            digest = digest_of(result)
            if "damaged" in entry:
                result.write_text("a vid3o")
            return Finished(media_info=entry, digest=digest)
        case _:
            return Done()


def main() -> None:
    """Answer requests by the script; count them in a file beside it."""
    script_path = Path(sys.argv[1])
    script = json.loads(script_path.read_text())
    seen_path = script_path.with_suffix(".seen")
    connection = socket.socket(fileno=int(sys.argv[2]))
    workspace = Path()

    def send(message: FromChild) -> None:
        connection.sendall(json.dumps(FROM_CHILD.encode(message)).encode() + b"\n")

    for line in connection.makefile("rb"):
        request = REQUESTS.decode(json.loads(line))
        operation = type(request).__name__.lower()
        if isinstance(request, Open):
            workspace = request.order.workspace
        if isinstance(request, Render):
            operation += f" {request.segment}"
        seen = seen_path.read_text().splitlines() if seen_path.exists() else []
        seen_path.write_text("\n".join([*seen, operation]))
        entries = script.get(operation, [None])
        send(Progress(stage=Stage.RENDER, fraction=0.5, segment=0, segments=2))
        send(reply(operation, entries[min(seen.count(operation), len(entries) - 1)], workspace))


if __name__ == "__main__":
    main()

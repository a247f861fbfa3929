"""The inspection child's program: ``python -m bodydouble.worker.inspection MEMORY_BYTES FD``.

It answers requests (``worker.inspection.messages``) over the socket ``FD``, and may allocate ``MEMORY_BYTES`` beyond
what its program takes. It writes no file. It ends with the socket and with its parent process.
"""

import json
import math
import os
import resource
import socket
import sys
import traceback
from io import BufferedRWPair
from pathlib import Path
from typing import assert_never

from bodydouble.media import MediaLimits, probe_image, probe_video
from bodydouble.media.browser_video import plays_in_browsers
from bodydouble.tasks.errors import MediaRejected
from bodydouble.worker.inspection.messages import (
    REPLIES,
    REQUESTS,
    Accepted,
    Crashed,
    InspectPicture,
    InspectVideo,
    Marks,
    OutOfMemory,
    ReadMarks,
    Ready,
    Rejected,
    Reply,
    Request,
)
from bodydouble.worker.process import configure_child_process

OPEN_FILES_MAX = 64
"""Open files of an inspection child, which reads one file at a time."""


def limit_this_process(memory_bytes: int) -> None:
    """Limit the address space, the open files and the files that this process may write (to none)."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    address_space = pages * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES_MAX, OPEN_FILES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def inspect(request: Request) -> Reply:
    """The outcome of one inspection. The kernel ends this process when it takes too much processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + request.cpu_seconds_max
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    try:
        match request:
            case InspectPicture():
                picture = probe_image(request.path, MediaLimits(**request.limits), request.field)
                return Accepted(duration_seconds=0.0, width=picture.width, height=picture.height)
            case InspectVideo():
                video = probe_video(request.path, MediaLimits(**request.limits), request.field)
                return Accepted(
                    duration_seconds=video.duration_seconds,
                    width=video.width,
                    height=video.height,
                    plays_in_browsers=plays_in_browsers(video),
                )
            case ReadMarks():
                from bodydouble.provenance.marks import read_marks  # 0.3 s, which most children never need

                return Marks(marks=read_marks(request.path, request.trust_anchors))
            case _:
                assert_never(request)
    except MediaRejected as error:
        return Rejected(message=error.message)
    except MemoryError:
        return OutOfMemory()
    except Exception:
        return Crashed(trace=traceback.format_exc())


def main() -> None:
    """Answer requests until the socket ends."""
    configure_child_process(os.getppid())
    memory_bytes, descriptor = (int(argument) for argument in sys.argv[1:])
    connection = socket.socket(fileno=descriptor)
    limit_this_process(memory_bytes)
    with connection.makefile("rwb") as stream:
        _send(stream, Ready())
        for line in stream:
            _send(stream, inspect(REQUESTS.decode(json.loads(line))))


def _send(stream: BufferedRWPair, reply: Reply) -> None:
    stream.write(json.dumps(REPLIES.encode(reply)).encode() + b"\n")
    stream.flush()


if __name__ == "__main__":
    main()

"""The child's program: ``python -m bodydouble.worker.child FD``.

It answers the supervisor's requests (``worker.messages``) over the socket ``FD``, and ends with the socket and with its
parent process.
"""

import logging
import os
import sys
import traceback
from typing import Protocol

from bodydouble.tasks.errors import RendererLost, StorageFull, WorkspaceDamaged
from bodydouble.worker.child.channel import Channel, NoteHandler
from bodydouble.worker.child.shot_runner import ShotRunner
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.messages import Damaged, DiskFull, Failed, Reply, Request, RunnerLost, Value
from bodydouble.worker.process import configure_child_process
from bodydouble.worker.workspace import disk_errors_translated


class Performer(Protocol):
    """The interface of ``ShotRunner``; tests have a fast implementation."""

    def perform(self, request: Request) -> Value:
        """The request's value. Raises what the stage raises."""
        ...

    def find_damage(self) -> str | None:
        """The damaged files of the workspace, as the end of a sentence; None if there are none."""
        ...


def perform(runner: Performer, request: Request) -> Reply:
    """The reply to ``request``; every fault becomes one."""
    try:
        with disk_errors_translated():
            return runner.perform(request)
    except StorageFull as error:
        return DiskFull(message=error.message)
    except RendererLost as error:
        return RunnerLost(reason=error.message)
    except WorkspaceDamaged as error:
        return Damaged(reason=error.message)
    except Exception as error:
        if reason := runner.find_damage():  # whatever failed may have failed because of it
            return Damaged(reason=f"{reason} ({type(error).__name__})")
        failure = TaskFailure.of(error)
        return Failed(code=failure.code, message=failure.message, trace=traceback.format_exc())


def main() -> None:
    """Answer requests until the socket ends."""
    configure_child_process(os.getppid())  # a parent that ended before this line has closed the socket
    channel = Channel(int(sys.argv[1]))
    channel.start()
    logging.getLogger("bodydouble").addHandler(NoteHandler(channel))
    logging.getLogger("bodydouble").setLevel(logging.INFO)
    runner = ShotRunner(channel)
    while True:
        channel.send(perform(runner, channel.requests.get()))


if __name__ == "__main__":
    main()

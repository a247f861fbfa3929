"""The process that does the heavy work of one task: ``python -m bodydouble.worker.child FD``.

It speaks JSON lines over the socket ``FD``. The supervisor sends one operation at a time (open, probe, perceive,
prepare, render, finish); the child answers ``done``, ``failed``, ``full`` (the disk is) or ``lost`` (the model's
process is), with ``progress``, ``note`` and ``beat`` lines before it. It ends when the socket does, and when its parent
does.
"""

import logging
import os
import sys
import threading
import traceback

from bodydouble.tasks.errors import RendererLost, StorageFull
from bodydouble.worker.child.channel import Channel, NoteHandler
from bodydouble.worker.child.shot_runner import ShotRunner
from bodydouble.worker.failure import TaskFailure
from bodydouble.worker.process import configure_child_process
from bodydouble.worker.workspace import telling_full


def main() -> None:
    """Answer operations until the socket ends."""
    configure_child_process(os.getppid())  # where the owner was gone before, the socket has ended with it
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

"""The process that holds the wan renderer's networks: ``python -m bodydouble.worker.model_runner FD OPTIONS OWNER``.

It listens on the socket ``FD``, loads as ``OPTIONS`` (JSON of ``WanSettings``) say, and stays: one connection is one
job, and one job has the networks at a time. Requests are ``load``, ``cast`` and ``generate`` (``renderers.wan.wire``);
they are answered ``done`` or ``refused``, with ``told`` (progress) and ``beat`` before. A job that nobody waits for any
more ends between two steps. After any other fault the process says ``lost`` and ends: what is left on the card after
one cannot be trusted. It ends with ``OWNER``, its parent, too.

With several GPUs for one task it is rank 0 of several processes, starts the others, has them do what it does, and ends
when it loses one of them.
"""

import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.worker.model_runner.requests import ResidentEngine
from bodydouble.worker.model_runner.runner import Others, Runner
from bodydouble.worker.process import configure_child_process


def main() -> None:
    """Serve until the owner ends."""
    configure_child_process(int(sys.argv[3]))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # all is in the weights' folder: nobody is asked for news of it
    logging.basicConfig(format="%(message)s")
    logging.getLogger("bodydouble").setLevel(logging.INFO)
    options = WanSettings(**json.loads(sys.argv[2]))

    def open_engine(lose: Callable[[str], Any]) -> tuple[ResidentEngine, Others | None]:
        from bodydouble.worker.model_runner.rank_processes import open_ranks  # imports torch

        return open_ranks(options, lose)

    Runner(open_engine).serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()

"""The runner's program: ``python -m bodydouble.worker.model_runner FD OPTIONS OWNER``.

It listens on the socket ``FD``, loads the networks as ``OPTIONS`` (JSON of ``WanSettings``) say, and stays loaded. One
connection is one job, and one job at a time has the networks (``renderers.wan.messages``). A job whose child closed the
connection is cancelled between two steps. After a fault the process reports ``Lost`` and ends, because the GPU's state
cannot be trusted. It ends with its parent ``OWNER``.

With several GPUs for one task this process is rank 0 of several (``worker_ranks``), and ends when it loses one of them.
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
from bodydouble.worker.model_runner.runner import OtherRanks, Runner
from bodydouble.worker.process import configure_child_process


def main() -> None:
    """Serve until the owner ends."""
    configure_child_process(int(sys.argv[3]))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # all files are in the weights' folder
    logging.basicConfig(format="%(message)s")
    logging.getLogger("bodydouble").setLevel(logging.INFO)
    options = WanSettings(**json.loads(sys.argv[2]))

    def open_engine(lose: Callable[[str, int], Any]) -> tuple[ResidentEngine, OtherRanks | None]:
        from bodydouble.worker.model_runner.worker_ranks import open_ranks  # imports torch when it is called

        return open_ranks(options, lose)

    Runner(open_engine).serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()

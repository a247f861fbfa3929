"""The other ranks of a runner with several GPUs.

Each is a process with all weights and a card of its own: ``python -m bodydouble.worker.model_runner.rank_processes RANK
MEETING OPTIONS OWNER``. It does what rank 0 shares, until that one ends.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodydouble.renderers.wan.engine import StepReport
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.wire import Pictures
from bodydouble.tasks.errors import BodydoubleError
from bodydouble.worker.model_runner.requests import perform
from bodydouble.worker.process import configure_child_process, end_in_words

if TYPE_CHECKING:
    from bodydouble.renderers.wan.loaded import LoadedEngine


class Followers:
    """Rank 0's end of the others. Satisfies ``runner.Others``."""

    def __init__(self, options: WanSettings, lose: Callable[[str], Any]) -> None:
        """Start them and wait until all have met. ``lose`` is told, then and later, once one of them ends."""
        from bodydouble.renderers.wan import ranks  # imports torch, which not every machine has
        from bodydouble.renderers.wan.shards import Ranks

        self._module = ranks
        self.ranks = Ranks(rank=0, count=options.gpus)
        # In memory, for as long as this process lives: NCCL asks there again when tensors are first exchanged.
        memory = os.memfd_create("bodydouble-meeting")
        meeting = Path(f"/proc/self/fd/{memory}")
        command = [sys.executable, "-m", "bodydouble.worker.model_runner.rank_processes"]
        words = [str(meeting), json.dumps(vars(options)), str(os.getpid())]
        for rank in range(1, options.gpus):
            process = subprocess.Popen([*command, str(rank), *words], pass_fds=[memory])
            threading.Thread(target=_watch, args=(rank, process, lose), daemon=True).start()
        ranks.join(self.ranks, meeting, options.device)

    def share(self, message: dict[str, Any], pictures: Pictures) -> None:
        """See ``runner.Others``."""
        self._module.share(message, pictures)

    def agreed(self, report: StepReport) -> StepReport:
        """See ``runner.Others``."""
        return self._module.agreed(report)


def open_ranks(options: WanSettings, lose: Callable[[str], Any]) -> "tuple[LoadedEngine, Followers | None]":
    """This process's engine, and the others that draw with it. ``lose`` is told once one of them ends."""
    from bodydouble.renderers.wan.loaded import LoadedEngine

    if options.gpus == 1:
        return LoadedEngine(options), None
    followers = Followers(options, lose)
    return LoadedEngine(options, followers.ranks), followers


def _watch(number: int, process: subprocess.Popen[bytes], lose: Callable[[str], Any]) -> None:
    status = process.wait()
    lose(f"rank {number} of the model's processes was lost ({end_in_words(status)})")


def main() -> None:
    """Follow rank 0; a fault ends the process, and rank 0 with it."""
    from bodydouble.renderers.wan import ranks
    from bodydouble.renderers.wan.loaded import LoadedEngine
    from bodydouble.renderers.wan.shards import Ranks

    configure_child_process(int(sys.argv[4]))
    options = WanSettings(**json.loads(sys.argv[3]))
    mine = Ranks(rank=int(sys.argv[1]), count=options.gpus)
    ranks.join(mine, Path(sys.argv[2]), options.device)
    engine = LoadedEngine(options, mine)
    engine.load(lambda fraction: None)
    while True:
        message, pictures = ranks.shared()
        try:
            perform(engine, message, pictures, ranks.agreed(None))
        except BodydoubleError as error:  # rank 0 has the same, and tells of it
            print(error.message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

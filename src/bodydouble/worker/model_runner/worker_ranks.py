"""Several processes with a GPU each that compute one segment together.

Rank 0 is the runner. It starts the others, with all weights each, as
``python -m bodydouble.worker.model_runner.worker_ranks RANK RENDEZVOUS OPTIONS OWNER``. They perform the requests that
rank 0 shares, and end with it.
"""

import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodydouble.renderers.wan.engine import StepReport
from bodydouble.renderers.wan.faults import ran_out_of_memory
from bodydouble.renderers.wan.messages import RANK_REQUESTS, RankRequest
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.wire import Pictures
from bodydouble.tasks.errors import BodydoubleError
from bodydouble.tasks.heavy_imports import heavy_imports
from bodydouble.worker.model_runner.requests import perform
from bodydouble.worker.model_runner.runner import FAILED
from bodydouble.worker.process import NO_MEMORY_STATUS, configure_child_process, end_in_words

if TYPE_CHECKING:
    from bodydouble.renderers.wan.loaded import LoadedEngine

Lose = Callable[[str, int], Any]
"""Called with the reason why a rank ended, and the exit status that this process then ends with."""


class WorkerRanks:
    """Rank 0's end of the other ranks. Satisfies ``runner.OtherRanks``."""

    def __init__(self, options: WanSettings, lose: Lose) -> None:
        """Start them and wait until all are connected. ``lose`` is called when one of them ends."""
        from bodydouble.renderers.wan import ranks  # imports torch, which not every machine has
        from bodydouble.renderers.wan.shards import Ranks

        self._distributed = ranks
        self.ranks = Ranks(rank=0, count=options.gpus)
        # The rendezvous file stays in memory while this process lives: NCCL reads it again at the first exchange.
        memory = os.memfd_create("bodydouble-rendezvous")
        rendezvous = Path(f"/proc/self/fd/{memory}")
        command = [sys.executable, "-m", "bodydouble.worker.model_runner.worker_ranks"]
        arguments = [str(rendezvous), json.dumps(vars(options)), str(os.getpid())]
        for rank in range(1, options.gpus):
            process = subprocess.Popen([*command, str(rank), *arguments], pass_fds=[memory])
            threading.Thread(target=_watch, args=(rank, process, lose), daemon=True).start()
        ranks.join(self.ranks, rendezvous, options.device)

    def share(self, request: RankRequest, pictures: Pictures) -> None:
        """See ``runner.OtherRanks``."""
        self._distributed.share(RANK_REQUESTS.encode(request), pictures)

    def agreed(self, report: StepReport) -> StepReport:
        """See ``runner.OtherRanks``."""
        return self._distributed.agreed(report)


def open_ranks(options: WanSettings, lose: Lose) -> "tuple[LoadedEngine, WorkerRanks | None]":
    """This process's engine, and the other ranks if there are several GPUs. ``lose`` as for ``WorkerRanks``."""
    with heavy_imports():
        from bodydouble.renderers.wan.loaded import LoadedEngine

    if options.gpus == 1:
        return LoadedEngine(options), None
    others = WorkerRanks(options, lose)
    return LoadedEngine(options, others.ranks), others


def _watch(rank: int, process: subprocess.Popen[bytes], lose: Lose) -> None:
    status = process.wait()
    reason = f"rank {rank} of the model's processes was lost ({end_in_words(status)})"
    lose(reason, status if status == NO_MEMORY_STATUS else FAILED)


def main() -> None:
    """Perform rank 0's requests. A fault ends this process, and then rank 0."""
    with heavy_imports():
        from bodydouble.renderers.wan import ranks
        from bodydouble.renderers.wan.loaded import LoadedEngine
        from bodydouble.renderers.wan.shards import Ranks

    configure_child_process(int(sys.argv[4]))
    options = WanSettings(**json.loads(sys.argv[3]))
    own = Ranks(rank=int(sys.argv[1]), count=options.gpus)
    ranks.join(own, Path(sys.argv[2]), options.device)
    engine = LoadedEngine(options, own)
    engine.load(lambda fraction: None)
    while True:
        data, pictures = ranks.shared()
        try:
            perform(engine, RANK_REQUESTS.decode(data), pictures, ranks.agreed(None))
        except BodydoubleError as error:  # rank 0 has the same error, and reports it
            print(error.message, file=sys.stderr, flush=True)
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(NO_MEMORY_STATUS)  # at once: rank 0 may wait for this rank in a collective operation


if __name__ == "__main__":
    main()

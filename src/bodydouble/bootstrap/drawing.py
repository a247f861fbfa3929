"""The wan renderer for one shot at a terminal: its networks are in a runner of its own, as a worker's are."""

import asyncio
import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bodydouble.bootstrap.logs import silence_logging
from bodydouble.perception import ModelPack
from bodydouble.renderers.protocol import Renderer
from bodydouble.renderers.registry import MODES, resolve_renderer
from bodydouble.renderers.wan.remote import RemoteEngine
from bodydouble.renderers.wan.renderer import WanRenderer
from bodydouble.renderers.wan.weights import options_for
from bodydouble.shot import ShotRequest
from bodydouble.tasks.errors import RendererLost
from bodydouble.worker.order import WorkerOptions, drawing_cards
from bodydouble.worker.runners import Runners


@contextmanager
def open_renderer(request: ShotRequest, pack: ModelPack, folder: Path) -> Generator[Renderer | None]:
    """The renderer that draws ``request``, while the block lasts; None where the shot builds its own.

    A runner has the networks: it loads while the video is looked at, may be several processes with a GPU each, and is
    ended with the block, in the middle of a step too. Its own output goes into ``folder``. Call it from the main
    thread, for the runner ends with the thread that started it.

    Raises:
        RendererUnavailable, ModelPackMissing: it does not run on this machine, and why.
        RendererLost: the runner ended in the middle of its work, of what, and what to do.
    """
    if resolve_renderer(request.renderer, request.wan, MODES[request.mode]) != "wan":
        yield None
        return
    options = options_for(request.wan, request.mode)
    wan = dataclasses.asdict(options)
    runners = Runners(WorkerOptions(folder=folder, wan=wan), drawing_cards(wan))
    with silence_logging(), asyncio.Runner() as loop:
        try:
            lease = loop.run(runners.lease(wan))
            try:
                yield WanRenderer(options, RemoteEngine(lease.address), pack)
            except RendererLost as error:
                reason = loop.run(runners.discard(lease)) or error.message
                raise RendererLost(
                    f"The model's process was lost: {reason}. What is finished is kept: the same command goes on "
                    f"there. Its last words are in {lease.log_path}."
                ) from None
        finally:
            loop.run(runners.close())

"""One shot at a terminal. Networks that stay loaded are in a runner of its own, as a worker's are."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bodydouble.bootstrap.logs import silence_logging
from bodydouble.perception import ModelPack
from bodydouble.renderers.registry import Renderers
from bodydouble.shot import Shot, ShotRequest, ShotResult
from bodydouble.tasks.errors import RendererLost
from bodydouble.worker.order import WorkerOptions, runner_gpus
from bodydouble.worker.supervision.runner_slots import Runners

ATTEMPTS_MAX = 2


def draw_shot(
    request: ShotRequest,
    pack: ModelPack,
    workspace: Path,
    output: Path,
    listener: Callable[[Any], None],
    tell: Callable[[str], None],
) -> ShotResult:
    """The finished shot, in ``output``; ``listener`` hears of its progress.

    Where a runner is lost, which ``tell`` is told of, a fresh one goes on at the last finished segment, once. Call it
    from the main thread, for a runner ends with the thread that started it.

    Raises:
        RendererUnavailable, ModelPackMissing: the renderer does not run on this machine, and why.
        RendererLost: the second runner was lost too, of what, and what to do.
    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            with _open_runner(request, workspace) as runner:
                return Shot.create(workspace, request, pack, listener, runner=runner).run(output)
        except RendererLost as error:
            if attempt == ATTEMPTS_MAX:
                raise RendererLost(
                    f"The model's process was lost, {ATTEMPTS_MAX} times: {error.message}. What is finished is kept: "
                    f"the same command goes on there. Its last words are in {workspace / 'runner-0.log'}."
                ) from None
            tell(f"the model's process was lost: {error.message}; a fresh one goes on where it stopped")
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _open_runner(request: ShotRequest, folder: Path) -> Generator[Path | None]:
    """The socket of a runner for ``request``, while the block lasts; None where the renderer needs none.

    It loads while the video is looked at, may be several processes with a GPU each, and is ended with the block, in the
    middle of a step too. Its own output goes into ``folder``.

    Raises:
        RendererUnavailable, ModelPackMissing: it does not run on this machine, and why.
        RendererLost: the runner ended in the middle of its work, and of what.
    """
    renderers = Renderers(request.renderer_settings)
    plugin = renderers.resolve(request.renderer, request.mode)
    if plugin.model_runner is None:
        yield None
        return
    wanted = plugin.model_runner.load(renderers.settings_of(plugin), request.mode)
    options = WorkerOptions(folder=folder, renderers=request.renderer_settings)
    runners = Runners(options, runner_gpus(options))
    with silence_logging(), asyncio.Runner() as loop:
        try:
            lease = loop.run(runners.lease(wanted))
            try:
                yield lease.address
            except RendererLost as error:
                raise RendererLost(loop.run(runners.discard(lease)) or error.message) from None
        finally:
            loop.run(runners.close())

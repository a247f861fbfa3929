"""Makes one shot for a command at a terminal, with a model runner of its own if the renderer needs one."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from bodydouble.bootstrap.logs import silence_logging
from bodydouble.media import Quality
from bodydouble.perception import ModelPack
from bodydouble.provenance.options import SigningOptions
from bodydouble.provenance.shots import sign_shot, unsigned_path
from bodydouble.renderers.registry import Renderers
from bodydouble.shot import Shot, ShotRequest, ShotResult
from bodydouble.tasks.errors import RendererLost
from bodydouble.worker.order import WorkerOptions, order_of, runner_gpus
from bodydouble.worker.supervision.runner_pool import RunnerPool

ATTEMPTS_MAX = 2
"""Attempts of a command whose model runner is lost: the first one and one more."""


def make_local_shot(
    request: ShotRequest,
    pack: ModelPack,
    workspace: Path,
    output: Path,
    listener: Callable[[Any], None],
    warn: Callable[[str], None],
    signing: SigningOptions | None = None,
) -> ShotResult:
    """Make the shot in ``output``, signed with ``signing`` if given; its progress goes to ``listener``.

    If the runner is lost, ``warn`` is called and a second runner continues at the last finished segment. Call this in
    the main thread: a runner ends with the thread that started it.

    Raises:
        RendererUnavailable, ModelPackMissing: the renderer cannot run on this machine.
        RendererLost: the second runner was lost too.
        SigningFailed: the certificate, key or command cannot be used.
    """
    with _runner_opener(request, workspace) as open_runner:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with open_runner() as runner:
                    shot = Shot.create(workspace, request, pack, listener, runner=runner)
                    if signing is None:
                        return shot.run(output)
                    beside = request.quality is Quality.LOSSLESS  # then the manifest is a file beside the result
                    unsigned = shot.run(output if beside else unsigned_path(workspace))
                    return sign_shot(shot, unsigned, output, signing)
            except RendererLost as error:
                if attempt == ATTEMPTS_MAX:
                    raise RendererLost(
                        f"The model's process was lost, {ATTEMPTS_MAX} times: {error.message}. Finished segments are "
                        "kept: run the same command again to continue. Its log is "
                        f"{workspace / 'runner-0.log'}."
                    ) from None
                warn(f"the model's process was lost: {error.message}; a new one continues where it stopped")
    raise AssertionError("the last attempt returns or raises")


OpenRunner = Callable[[], AbstractContextManager[Path | None]]
"""Gives the socket of a runner while a block lasts; None if the renderer needs none."""


@contextmanager
def _runner_opener(request: ShotRequest, folder: Path) -> Generator[OpenRunner]:
    """Opens runners for ``request``, one after the other, while the block lasts.

    A runner loads while the video is inspected. The end of the block ends it, in the middle of a step too. Its output
    goes to a log in ``folder``. A runner after one that ran out of memory has a smaller setup.

    Raises:
        RendererUnavailable, ModelPackMissing: the renderer cannot run on this machine.
        RendererLost: from an opened runner's block, if the runner ended during its work.
    """
    renderers = Renderers(request.renderer_settings)
    plugin = renderers.resolve(request.renderer, request.mode)
    order = order_of(plugin, renderers.settings_of(plugin), request.mode)
    if order is None:
        yield nullcontext
        return
    options = WorkerOptions(folder=folder, renderers=request.renderer_settings)
    runners = RunnerPool(options, runner_gpus(options))

    with silence_logging(), asyncio.Runner() as loop:

        @contextmanager
        def open_runner() -> Generator[Path]:
            lease = loop.run(runners.lease(order))
            try:
                yield lease.address
            except RendererLost as error:
                raise RendererLost(loop.run(runners.discard(lease)) or error.message) from None

        try:
            yield open_runner
        finally:
            loop.run(runners.close())

"""The description of the wan renderer. Imports no torch."""

import dataclasses
import importlib.metadata
import importlib.util
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from bodydouble.renderers.plugin import (
    ANIMATE,
    REPLACE,
    BuildRequest,
    InspectionRows,
    ModelRunner,
    PerceptionNetworks,
    RendererPlugin,
)
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.settings import HUB_ID, WanSettings
from bodydouble.tasks.errors import ModelPackMissing, RendererUnavailable
from bodydouble.tasks.stages import Stage

if TYPE_CHECKING:
    from bodydouble.perception import Perception
    from bodydouble.perception.footage import Footage
    from bodydouble.renderers.protocol import Renderer
    from bodydouble.renderers.wan.cards import Card


@cache
def _cards() -> "list[Card]":
    """The GPUs of this machine. Asked once: they do not change while a process runs."""
    from bodydouble.renderers.wan.cards import find_cards

    return find_cards()


def obstacle(settings: WanSettings) -> str | None:
    """Why the wan renderer does not run here, and what to do about it; None where it runs."""
    from bodydouble.renderers.wan.setup import choose_setup, usable_cards
    from bodydouble.renderers.wan.weights import locate_weights

    missing = [name for name in ("torch", "diffusers") if importlib.util.find_spec(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed: pip install 'bodydouble[wan]'"
    if settings.device == "cuda" and importlib.metadata.version("torch").endswith("+cpu"):
        return "The torch that is installed is a build without CUDA: pip install --force-reinstall torch"
    try:
        locate_weights(settings)
        choose_setup(settings, _cards())
    except (ModelPackMissing, RendererUnavailable) as error:
        return error.message
    usable = len(usable_cards(settings, _cards()))
    if settings.device == "cuda" and usable < settings.gpus:
        return f"wan_gpus is {settings.gpus}, and this machine has {usable} that can draw: set it lower."
    return None


def _load(settings: WanSettings, mode: str) -> Mapping[str, Any]:
    from bodydouble.renderers.wan.weights import settings_for

    return dataclasses.asdict(settings_for(settings, mode))


def _gpus(settings: WanSettings) -> list[str]:
    from bodydouble.renderers.wan.cards import find_cards
    from bodydouble.renderers.wan.setup import usable_cards

    return [card.uuid for card in usable_cards(settings, find_cards())] if settings.device == "cuda" else []


def _build(request: BuildRequest) -> "Renderer":
    """Networks are never loaded in this process: it decodes untrusted files, and must end at once when it is stopped.

    Raises:
        ModelPackMissing, RendererUnavailable: it does not run here, and why.
    """
    from bodydouble.renderers.wan.remote import RemoteEngine
    from bodydouble.renderers.wan.renderer import WanRenderer
    from bodydouble.renderers.wan.weights import settings_for

    assert request.runner is not None, "wan renders in a model runner"
    settings = settings_for(request.settings, request.mode)
    return WanRenderer(settings, request.options, RemoteEngine(request.runner), request.pack)


def _inspection_rows(footage: "Footage", seen: "Perception") -> InspectionRows:
    from bodydouble.renderers.wan.preprocess import Preprocessor

    preprocessor = Preprocessor(footage, seen.mattes, seen.track)

    def rows(index: int) -> list[tuple[str, Any]]:
        shown = next(preprocessor.read(index, index + 1))
        return [("skeleton", shown.pose), ("face", shown.face), ("background", shown.background)]

    return rows


PLUGIN = RendererPlugin(
    name="wan",
    summary="needs a GPU",
    priority=100,
    modes=(REPLACE, ANIMATE),
    options=WanOptions,
    settings=WanSettings,
    networks=(HUB_ID,),
    perception=PerceptionNetworks.BEST,
    # Estimated for a clip of five seconds at 720P, with weights to load and perception on the same GPU: the real
    # weights were not measured yet.
    stage_shares={
        Stage.PROBE: 0.01,
        Stage.PERCEIVE: 0.09,
        Stage.PREPARE: 0.10,
        Stage.RENDER: 0.79,
        Stage.MUX: 0.01,
    },
    obstacle=obstacle,
    build=_build,
    model_runner=ModelRunner(
        program="bodydouble.worker.model_runner",
        load=_load,
        gpus=_gpus,
        gpus_per_task=lambda settings: settings.gpus,
    ),
    inspection_rows=_inspection_rows,
)

"""Which renderers there are, by name, and which of them this machine can run."""

import importlib.metadata
import importlib.util
from functools import cache
from pathlib import Path

from bodydouble.perception.pack import ModelPack
from bodydouble.renderers.protocol import Renderer
from bodydouble.renderers.wan.cards import Card, find_cards
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.setup import choose_setup, usable_cards
from bodydouble.renderers.wan.weights import locate_weights
from bodydouble.tasks.errors import ModelPackMissing, RendererUnavailable

NAMES = ("wan", "puppet")
MODES: dict[str, tuple[str, ...]] = {"replace": ("wan", "puppet"), "animate": ("wan",)}
"""Mode to the renderers that can do it, best first."""


def wan_obstacle(options: WanOptions) -> str | None:
    """Why the wan renderer does not run here, and what to do about it; None where it runs. Imports no torch."""
    missing = [name for name in ("torch", "diffusers") if importlib.util.find_spec(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed: pip install 'bodydouble[wan]'"
    if options.device == "cuda" and importlib.metadata.version("torch").endswith("+cpu"):
        return "The torch that is installed is a build without CUDA: pip install --force-reinstall torch"
    try:
        locate_weights(options)
        choose_setup(options, _cards())
    except (ModelPackMissing, RendererUnavailable) as error:
        return error.message
    usable = len(usable_cards(options, _cards()))
    if options.device == "cuda" and usable < options.gpus:
        return f"wan_gpus is {options.gpus}, and this machine has {usable} that can draw: set it lower."
    return None


@cache
def _cards() -> list[Card]:
    """What a machine has does not change while a process runs."""
    return find_cards()


def available_renderers(options: WanOptions) -> list[str]:
    """Names of the renderers that run on this machine, best first."""
    return ["puppet"] if wan_obstacle(options) else ["wan", "puppet"]


def resolve_renderer(name: str, options: WanOptions, among: tuple[str, ...] = NAMES) -> str:
    """The renderer that ``name`` means here: ``auto`` is the best one of ``among`` that runs.

    Raises:
        RendererUnavailable: it does not run on this machine, or is not one of ``among``, and why.
    """
    if name == "auto":
        name = next((n for n in available_renderers(options) if n in among), among[0])
    if name not in NAMES:
        raise RendererUnavailable(
            f"renderer: there is no renderer called {name}; there are: auto, {', '.join(NAMES)}", field="renderer"
        )
    if name not in among:
        raise RendererUnavailable(
            f"renderer: {name} cannot make this; it takes {' or '.join(among)}.", field="renderer"
        )
    obstacle = wan_obstacle(options) if name == "wan" else None
    if obstacle:
        instead = " Or use renderer puppet or auto." if "puppet" in among else ""
        raise RendererUnavailable(
            f"renderer: wan does not run here. {obstacle.rstrip('.')}.{instead}", field="renderer"
        )
    return name


def build_renderer(name: str, pack: ModelPack, options: WanOptions, runner: Path | None) -> Renderer:
    """The renderer that ``resolve_renderer`` answered, ready to prepare shots.

    ``runner`` is the socket of the process with wan's networks, loaded as ``options`` say; puppet needs none. Here they
    are never loaded: this process decodes strangers' files, and has to end at once when it is told to.
    """
    if name == "puppet":
        from bodydouble.renderers.puppet.renderer import PuppetRenderer  # its networks load only where they are used

        return PuppetRenderer(pack)
    from bodydouble.renderers.wan.remote import RemoteEngine
    from bodydouble.renderers.wan.renderer import WanRenderer

    assert runner is not None, "wan draws in a runner"
    return WanRenderer(options, RemoteEngine(runner), pack)

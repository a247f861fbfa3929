"""Which renderers there are, by name, and which of them this machine can run."""

import importlib.util
from collections.abc import Callable

from bodydouble.perception.pack import ModelPack
from bodydouble.renderers.protocol import Renderer
from bodydouble.tasks.errors import RendererUnavailable

NAMES = ("puppet", "wan")


def _puppet(pack: ModelPack) -> Renderer:
    from bodydouble.renderers.puppet.renderer import PuppetRenderer  # its networks load only where they are used

    return PuppetRenderer(pack)


_BUILDERS: dict[str, Callable[[ModelPack], Renderer]] = {"puppet": _puppet}


def available_renderers() -> list[str]:
    """Names of the renderers that run on this machine, best first."""
    return [name for name in reversed(NAMES) if name in _BUILDERS]


def resolve_renderer(name: str) -> str:
    """The renderer that ``name`` means here: ``auto`` is the best one that runs.

    Raises:
        RendererUnavailable: it does not run on this machine, and why.
    """
    if name == "auto":
        return available_renderers()[0]
    if name in _BUILDERS:
        return name
    if name == "wan":
        torch = importlib.util.find_spec("torch") is not None
        missing = "this version has no wan renderer yet" if torch else "torch is not installed"
        raise RendererUnavailable(
            f"renderer: wan does not run here: {missing}. Use renderer puppet or auto.", field="renderer"
        )
    raise RendererUnavailable(
        f"renderer: there is no renderer called {name}; there are: auto, {', '.join(NAMES)}", field="renderer"
    )


def build_renderer(name: str, pack: ModelPack) -> Renderer:
    """The renderer called ``name`` (or ``auto``), ready to prepare shots."""
    return _BUILDERS[resolve_renderer(name)](pack)

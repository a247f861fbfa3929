"""The description of the puppet renderer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bodydouble.renderers.options import option
from bodydouble.renderers.plugin import REPLACE, BuildRequest, NoSettings, PerceptionNetworks, RendererPlugin
from bodydouble.tasks.stages import Stage

if TYPE_CHECKING:
    from bodydouble.renderers.protocol import Renderer


@dataclass(frozen=True, kw_only=True)
class PuppetOptions:
    """What a caller may choose."""

    hands: str = option(
        "keep", "keep: the actor's own hands, recoloured; puppet: the character's.", flag="hands",
        choices=("keep", "puppet"),
    )  # fmt: skip


def _obstacle(settings: NoSettings) -> None:
    """It runs on every CPU."""


def _build(request: BuildRequest) -> "Renderer":
    from bodydouble.renderers.puppet.renderer import PuppetRenderer  # its networks load only where they are used

    return PuppetRenderer(request.pack, request.options)


PLUGIN = RendererPlugin(
    name="puppet",
    summary="makes previews on a CPU",
    priority=10,
    modes=(REPLACE,),
    options=PuppetOptions,
    perception=PerceptionNetworks.PACK,  # it needs their depth and segmentation
    # Measured on two cores: shares of the time that a shot takes.
    stage_shares={
        Stage.PROBE: 0.01,
        Stage.PERCEIVE: 0.40,
        Stage.PREPARE: 0.14,
        Stage.RENDER: 0.43,
        Stage.MUX: 0.02,
    },
    obstacle=_obstacle,
    build=_build,
)

"""The description of the puppet renderer."""

from pathlib import Path
from typing import TYPE_CHECKING

from bodydouble.renderers.plugin import REPLACE, BuildRequest, NoSettings, PerceptionNetworks, RendererPlugin
from bodydouble.renderers.puppet.options import PuppetOptions
from bodydouble.tasks.stages import Stage

if TYPE_CHECKING:
    from bodydouble.perception.arrays import Image
    from bodydouble.perception.pack import ModelPack
    from bodydouble.perception.track import PersonTrack
    from bodydouble.renderers.protocol import Renderer, RenderWarning


def _obstacle(settings: NoSettings) -> None:
    """It runs on every CPU."""


def _build(request: BuildRequest) -> "Renderer":
    from bodydouble.renderers.puppet.renderer import PuppetRenderer  # its networks load only where they are used

    return PuppetRenderer(request.pack, request.options)


def _check_reference(pack: "ModelPack", reference: "Image", folder: Path) -> "list[RenderWarning]":
    from bodydouble.perception.suitability import check_portrait
    from bodydouble.renderers.protocol import RenderWarning
    from bodydouble.renderers.puppet.picture.reference import analysed_reference  # loads networks

    concerns = check_portrait(analysed_reference(pack, reference, folder)[1])
    return [RenderWarning(code=concern.code, message=concern.message) for concern in concerns]


def _check_track(track: "PersonTrack") -> "list[RenderWarning]":
    from bodydouble.perception.suitability import check_track
    from bodydouble.renderers.protocol import RenderWarning

    return [RenderWarning(code=concern.code, message=concern.message) for concern in check_track(track)]


PLUGIN = RendererPlugin(
    name="puppet",
    summary="makes previews on a CPU",
    priority=10,
    modes=(REPLACE,),
    options=PuppetOptions,
    networks=(),  # it moves pixels of the picture; networks only measure
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
    check_reference=_check_reference,
    check_track=_check_track,
)

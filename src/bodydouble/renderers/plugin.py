"""The description of a renderer: all that the rest of the program knows about it before it makes a shot.

A renderer registers its description as an entry point of the group ``bodydouble.renderers``; see
``docs/write-a-renderer.md``. This module is light: ``bodydouble --help`` imports every description.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodydouble.renderers.options import OptionSpec, option_specs, read_options
from bodydouble.tasks.stages import Stage

if TYPE_CHECKING:
    from bodydouble.perception.arrays import Image
    from bodydouble.perception.footage import Footage
    from bodydouble.perception.pack import ModelPack
    from bodydouble.perception.perceive import Perception
    from bodydouble.perception.track import PersonTrack
    from bodydouble.renderers.protocol import Renderer, RenderWarning

REPLACE, ANIMATE = "replace", "animate"
"""Modes: replace the person of the driving video, or move the character in its own picture."""
STAGES = (Stage.PROBE, Stage.PERCEIVE, Stage.PREPARE, Stage.RENDER, Stage.MUX)
"""The stages of a shot, in order."""


class PerceptionNetworks(Enum):
    """Which networks have to look at the driving video for a renderer."""

    PACK = "pack"  # the model pack's: their depth and segmentation are needed
    BEST = "best"  # those of the GPU where it has them, else the pack's


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """The settings of a renderer that has none."""


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """The arguments from which a renderer is built."""

    mode: str
    options: Any  # an instance of the description's ``options``: what the caller chose
    settings: Any  # an instance of the description's ``settings``: what the operator chose
    pack: "ModelPack"
    runner: Path | None  # socket of the process with the renderer's networks, where it has a ``ModelRunner``


@dataclass(frozen=True, kw_only=True)
class ModelRunner:
    """Networks that stay loaded in a process of their own between tasks.

    The process is ``python -m PROGRAM FD LOADED OWNER``. It listens on the Unix socket ``FD``, loads what ``LOADED``
    (JSON) says, and ends with the process ``OWNER``. One connection is one task; what both sides say on it is the
    renderer's own matter. A process that ran out of memory may end with status 3: ``LOADED`` of the next one then has
    ``smaller_setups``, the number of such ends. Each function gets an instance of the description's ``settings``.
    """

    program: str  # a module
    load: Callable[[Any, str], Mapping[str, Any]]  # settings, mode → what the process loads, as JSON values
    gpus: Callable[[Any], Sequence[str]]  # UUIDs of this machine's GPUs that can render; none: it runs on the CPU
    gpus_per_task: Callable[[Any], int]


InspectionRows = Callable[[int], list[tuple[str, "Image"]]]
"""Frame index → labelled pictures of what the renderer is given of that frame."""


@dataclass(frozen=True, kw_only=True)
class RendererPlugin:
    """One renderer."""

    name: str  # as callers write it
    summary: str  # what it needs or is for, in a few words after its name: "needs a GPU"
    priority: int  # ``auto`` takes the highest of those that run
    modes: tuple[str, ...]
    options: type[Any]  # frozen dataclass; its fields are declared with ``option``
    settings: type[Any] = NoSettings  # frozen dataclass with a default for every field; raises ValueError
    perception: PerceptionNetworks = PerceptionNetworks.PACK
    stage_shares: Mapping[Stage, float]  # stage → its share of a shot's time; the sum is 1
    obstacle: Callable[[Any], str | None]  # settings → why it does not run here and what to do; None: it runs
    build: Callable[[BuildRequest], "Renderer"]
    model_runner: ModelRunner | None = None  # None: its networks, if any, live in the task's own process
    inspection_rows: Callable[["Footage", "Perception"], InspectionRows] | None = None  # for `bodydouble inspect`
    # Trained networks that draw pixels, with versions, for the result's manifest. Empty: none does. None: not known.
    networks: tuple[str, ...] | None = None
    # The smallest video that it can use; shorter or smaller ones are refused in the probe.
    video_frames_min: int = 1
    video_side_min: int = 1  # pixels of the shorter side
    # Both return warnings and raise InputRejected for what the renderer cannot use. The reference is checked during
    # the probe, before anything is charged; the track after perception. None: everything is accepted.
    # ``check_reference`` may keep files for ``Renderer.prepare`` in the folder, which is the same there.
    check_reference: Callable[["ModelPack", "Image", Path], list["RenderWarning"]] | None = None
    check_track: Callable[["PersonTrack"], list["RenderWarning"]] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError: the shares do not name every stage, or do not add up to 1."""
        if tuple(self.stage_shares) != STAGES or not math.isclose(sum(self.stage_shares.values()), 1):
            raise ValueError(f"renderer {self.name}: stage_shares has to give {', '.join(STAGES)} shares of 1")

    @property
    def option_specs(self) -> tuple[OptionSpec, ...]:
        """The options that a caller can choose."""
        return option_specs(self.options)

    def read_options(self, values: Mapping[str, Any]) -> Any:
        """Typed options from values by field name; other renderers' are passed over. Raises InputRejected."""
        return read_options(self.options, values)

    def read_settings(self, values: Mapping[str, Any]) -> Any:
        """Typed settings from an operator's values by field name. Raises ValueError."""
        return self.settings(**values)

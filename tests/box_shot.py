"""A small renderer, and perception without networks, for tests of the shot pipeline.

``python -m box_shot WORKSPACE`` runs the shot of a workspace in lockstep. It prints a line for each progress report
and waits for a line on standard input, so that a test can kill it at an exact place.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bodydouble.shot.shot as stages
from bodydouble.perception import ModelPack, PersonChoice
from bodydouble.perception.track import empty_track
from bodydouble.renderers.plugin import NoSettings, RendererPlugin
from bodydouble.renderers.protocol import RenderWarning, Scene, Segment, StepReporter
from bodydouble.shot import Shot
from bodydouble.tasks.atomic_files import atomic_write
from bodydouble.tasks.stages import Stage

SEGMENT_FRAMES = 7
PACK = ModelPack(folder=Path("no-models-here"))


class BoxRenderer:
    """Draws a box in each frame; implements ``protocol.Renderer``.

    The box's shade is carried from segment to segment, so a lost carry changes the result.
    """

    name = "box"

    def __init__(self, frames_lost: int = 0) -> None:
        self.prepared = 0  # calls of prepare
        self.rendered: list[int] = []  # indices of segments
        self._frames_lost = frames_lost

    def prepare(self, scene: Scene, folder: Path, report: StepReporter) -> "PreparedBox":
        self.prepared += 1
        path = folder / "colour"
        for step in range(3):
            report(step / 3)
        if not path.exists():
            atomic_write(path, bytes(int(v) for v in scene.reference.reshape(-1, 3).mean(0)))
        return PreparedBox(self, scene, np.frombuffer(path.read_bytes(), np.uint8), self._frames_lost)


def box_plugin(renderer: BoxRenderer) -> RendererPlugin:
    """The description of ``renderer``, for ``Shot``."""
    return RendererPlugin(
        name="box",
        summary="draws a box",
        priority=0,
        modes=("replace",),
        options=NoSettings,
        stage_shares={
            Stage.PROBE: 0.01,
            Stage.PERCEIVE: 0.40,
            Stage.PREPARE: 0.14,
            Stage.RENDER: 0.43,
            Stage.MUX: 0.02,
        },
        obstacle=lambda settings: None,
        build=lambda request: renderer,
    )


class PreparedBox:
    """Implements ``protocol.PreparedShot``."""

    def __init__(self, owner: BoxRenderer, scene: Scene, colour: NDArray[np.uint8], frames_lost: int) -> None:
        self._owner, self._scene, self._colour, self._lost = owner, scene, colour, frames_lost
        starts = range(0, scene.footage.frames, SEGMENT_FRAMES)
        self.segments = [
            Segment(index=k, start=s, stop=min(s + SEGMENT_FRAMES, scene.footage.frames)) for k, s in enumerate(starts)
        ]
        self.warnings = [RenderWarning(code="box", message="This is a box.")]
        self._shade = 0

    def render(self, segment: Segment, carry: bytes | None, report: StepReporter) -> Iterator[NDArray[np.uint8]]:
        self._owner.rendered.append(segment.index)
        self._shade = carry[0] if carry else 0
        for index, image in self._scene.footage.read(segment.start, segment.stop - self._lost):
            self._shade = (self._shade + 5) % 200
            made = image.copy()
            made[20:120, 10 + index : 90 + index] = self._colour // 2 + self._shade // 2
            yield made
            report((index + 1 - segment.start) / (segment.stop - segment.start))

    def carry_after(self, segment: Segment) -> bytes | None:
        return bytes([self._shade])


def fake_perceive(
    pack: ModelPack, footage: Any, choice: PersonChoice, folder: Path, report: Callable[[float], None], networks: None
) -> Any:
    """Replaces ``perceive``: writes one file as its artefact and returns an empty track."""
    folder.mkdir(exist_ok=True)
    for step in range(4):
        report(step / 3)
    atomic_write(folder / "frames", str(footage.frames))
    return fake_load(folder)


def fake_load(folder: Path) -> Any:
    """Replaces ``load_perception``: an empty track from the file of ``fake_perceive``."""
    return SimpleNamespace(track=empty_track(int((folder / "frames").read_text())), mattes=None)


def _lockstep(progress: Any) -> None:
    print(progress.stage, progress.segment, progress.fraction, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    stages.perceive, stages.load_perception = fake_perceive, fake_load
    Shot(Path(sys.argv[1]), PACK, _lockstep, plugin=box_plugin(BoxRenderer())).run()

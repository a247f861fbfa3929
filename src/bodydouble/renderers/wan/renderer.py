"""The wan renderer: one job from its scene to finished frames, a segment at a time.

While the model draws a segment, the next one's footage is read and the one before is finished and encoded: a segment
needs only the last finished frames of the one before, and these are finished first.
"""

import io
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.portrait import analyse_portrait
from bodydouble.renderers.plugin import ANIMATE, REPLACE
from bodydouble.renderers.protocol import RenderWarning, Scene, Segment, StepReporter
from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.drawing import Drawing
from bodydouble.renderers.wan.engine import Casting, Engine, Sampling, Take
from bodydouble.renderers.wan.finishing import Drawn, FinishedFrames, MovedFrames
from bodydouble.renderers.wan.footage import SegmentVideo, read_frames, read_segment
from bodydouble.renderers.wan.plugin import WanOptions
from bodydouble.renderers.wan.preprocess import (
    Canvas,
    MaskGrid,
    MovePreprocessor,
    Preprocessor,
    PreprocessSettings,
    whole_body,
)
from bodydouble.renderers.wan.prompts import NEGATIVE_PROMPT, PROMPT
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import choose_setup
from bodydouble.renderers.wan.timeline import Span, plan_spans
from bodydouble.renderers.wan.weights import WanWeights, locate_weights

DENOISED = 0.9
"""Share of a segment's time that its steps take; the rest is the autoencoder's and the composite's."""
LOADED = 0.9
"""Share of a job's preparation that reading the weights takes."""


class WanRenderer:
    """Satisfies ``protocol.Renderer``. ``engine`` holds the networks, here or in another process."""

    name = "wan"

    def __init__(self, settings: WanSettings, options: WanOptions, engine: Engine, pack: ModelPack) -> None:
        """``settings`` are the operator's, ``options`` the caller's.

        ``pack`` finds the body in the picture that mode animate moves.

        Raises:
            ModelPackMissing, RendererUnavailable: it does not run here, and why.
        """
        self._settings, self._options, self._engine, self._pack = settings, options, engine, pack
        self._weights = locate_weights(settings)
        self._setup = choose_setup(settings, find_cards())

    def prepare(self, scene: Scene, folder: Path, report: StepReporter) -> "PreparedWan":
        """Load what is not loaded yet and encode the character. Raises what ``Engine.load`` raises, and NobodyFound."""
        preprocessor = self._preprocessor(scene)
        face_side = self._engine.load(lambda f: report(LOADED * f))
        options, canvas = self._options, preprocessor.canvas
        moves = scene.mode == ANIMATE
        sampling = Sampling(
            steps=min(options.steps, self._setup.profile.steps_max),
            shift=options.shift,
            guidance=options.guidance,
            carried_frames=self._settings.carried_frames,
        )
        self._engine.cast(
            Casting(
                picture=canvas.place(scene.reference) if moves else scene.reference,
                prompt=options.prompt or PROMPT,
                negative_prompt=NEGATIVE_PROMPT,
                height=canvas.height,
                width=canvas.width,
                sampling=sampling,
            )
        )
        report(1.0)
        return PreparedWan(
            scene=scene,
            seed=options.seed,
            engine=self._engine,
            preprocessor=preprocessor,
            face_side=face_side,
            # What is seen stays the same across a cut of the video that leads.
            spans=plan_spans(
                np.zeros_like(scene.track.shot) if moves else scene.track.shot,
                self._settings.segment_frames,
                sampling.carried_frames,
            ),
            carried_frames=sampling.carried_frames,
            warnings=_warnings(self._weights, canvas, scene.mode),
        )

    def _preprocessor(self, scene: Scene) -> Preprocessor | MovePreprocessor:
        area_max = self._setup.area_max
        if scene.mode == REPLACE:
            grid = MaskGrid(columns=self._settings.mask_columns, rows=self._settings.mask_rows)
            settings = PreprocessSettings(grid=grid, area_max=area_max)
            return Preprocessor(scene.footage, scene.mattes, scene.track, settings)
        height, width = scene.reference.shape[:2]
        character = whole_body(analyse_portrait(self._pack, scene.reference).track, 0, (width, height))
        return MovePreprocessor(scene.footage, scene.track, character, (width, height), area_max)


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """A segment whose drawing has begun."""

    index: int
    carry: bytes | None
    mask: NDArray[np.uint8] | None  # (F, H, W); None in mode animate
    drawing: Drawing | None  # None where nobody is to be replaced


class PreparedWan:
    """Satisfies ``protocol.PreparedShot``. A segment starts from the last finished frames of the one before."""

    def __init__(
        self,
        *,
        scene: Scene,
        seed: int,
        engine: Engine,
        preprocessor: Preprocessor | MovePreprocessor,
        face_side: int,
        spans: list[Span],
        carried_frames: int,
        warnings: list[RenderWarning],
    ) -> None:
        self._scene, self._seed, self._engine, self._preprocessor = scene, seed, engine, preprocessor
        self._face_side, self._spans, self._carried_frames = face_side, spans, carried_frames
        self.segments, self.warnings = [span.segment for span in spans], warnings
        self._readers, self._model = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._read: tuple[int, Future[SegmentVideo]] | None = None  # at most one segment ahead of the model
        self._begun: _Begun | None = None  # at most one segment ahead of whoever takes the frames
        self._carry: bytes | None = None

    def render(self, segment: Segment, carry: bytes | None, report: StepReporter) -> Generator[Image]:
        """The finished frames of ``segment``, in order; they come together, after its last step."""
        span = self._spans[segment.index]
        begun = self._claim(span, carry)
        try:
            length = segment.stop - segment.start
            finished = self._finish(span, begun, report)
            self._carry = _pack(finished.images(max(0, length - self._carried_frames)))
            if segment.index + 1 < len(self._spans):
                self._begun = self._begin(self._spans[segment.index + 1], self._carry)
            for done, image in enumerate(finished.images(), start=1):
                yield image
                report(DENOISED + (1 - DENOISED) * done / length)
        except BaseException:
            for drawing in (begun.drawing, self._begun.drawing if self._begun else None):
                if drawing is not None:
                    drawing.give_up()
            self._begun = None
            raise

    def carry_after(self, segment: Segment) -> bytes | None:
        """The last finished frames, as ``numpy.save`` writes them."""
        assert self._carry is not None, "carry_after is asked after render"
        return self._carry

    def _finish(self, span: Span, begun: _Begun, report: StepReporter) -> FinishedFrames | MovedFrames:
        """Wait for the drawing; meanwhile the real frames are read."""
        canvas = self._preprocessor.canvas
        frames = [] if begun.mask is None else read_frames(self._scene.footage, span)
        if begun.drawing is None:
            return FinishedFrames(frames, None, canvas)
        made = begun.drawing.wait(lambda done, steps: report(DENOISED * done / steps))[span.carried :]
        if begun.mask is None:
            return MovedFrames(made, span.segment.stop - span.segment.start, canvas)
        return FinishedFrames(frames, Drawn(made=made, mask=begun.mask[span.carried :]), canvas)

    def _claim(self, span: Span, carry: bytes | None) -> _Begun:
        """The drawing of ``span``, begun now unless it was already and from the same frames."""
        begun, self._begun = self._begun, None
        if begun is not None and (begun.index, begun.carry) == (span.segment.index, carry):
            return begun
        if begun is not None and begun.drawing is not None:
            begun.drawing.give_up()
        return self._begin(span, carry)

    def _begin(self, span: Span, carry: bytes | None) -> _Begun:
        """Have the model draw ``span``, and meanwhile the footage after it read."""
        index, video = span.segment.index, self._take(span)
        drawing = None
        if video.mask is None or video.mask[span.carried :].any():
            take = Take(video=video, carried=self._carried(span, carry), seed=self._seed, index=index)
            drawing = Drawing(self._model, self._engine, take)
        if index + 1 < len(self._spans):
            self._read = index + 1, self._readers.submit(self._read_segment, self._spans[index + 1])
        return _Begun(index=index, carry=carry, mask=video.mask, drawing=drawing)

    def _take(self, span: Span) -> SegmentVideo:
        """What the model is shown, where possible read while the segment before was drawn."""
        read, self._read = self._read, None
        if read is not None and read[0] == span.segment.index:
            return read[1].result()
        return self._read_segment(span)

    def _read_segment(self, span: Span) -> SegmentVideo:
        return read_segment(self._preprocessor, span, self._face_side)

    def _carried(self, span: Span, carry: bytes | None) -> NDArray[np.uint8] | None:
        """(P, H, W, 3) of the canvas; None where a shot starts."""
        if not span.carried:
            return None
        assert carry is not None, "a segment in the middle of a shot follows one that is there"
        images = np.load(io.BytesIO(carry), allow_pickle=False)
        return np.stack([self._preprocessor.canvas.place(image) for image in images[-span.carried :]])


def _pack(images: Generator[Image]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.stack(list(images)))
    return buffer.getvalue()


def _warnings(weights: WanWeights, canvas: Canvas, mode: str) -> list[RenderWarning]:
    warnings: list[RenderWarning] = []
    zoom = canvas.scaled_width / canvas.source_width
    if zoom < 1:
        what = "The person was" if mode == REPLACE else "The frames were"
        warnings.append(
            RenderWarning(
                code="drawn_smaller",
                message=f"{what} drawn at {zoom:.0%} of the frame's width and enlarged: the GPU's memory or the "
                "setting wan_area_max allows no more.",
            )
        )
    if weights.relighting is None and mode == REPLACE:
        warnings.append(
            RenderWarning(
                code="no_relighting",
                message="The relighting LoRA is not installed: the character keeps the light of its picture.",
            )
        )
    return warnings

"""The wan renderer: a shot from its scene to finished frames, one segment at a time.

While the model generates a segment, the footage of the next one is read, and the segment before is finished and
encoded. A segment needs only the last finished frames of the segment before; these are finished first.
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
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.plugin import ANIMATE, REPLACE
from bodydouble.renderers.protocol import RenderWarning, Scene, Segment, StepReporter
from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.engine import CharacterSpec, Engine, Sampling, SegmentRequest
from bodydouble.renderers.wan.finishing import FinishedFrames, GeneratedFrames, MovedFrames
from bodydouble.renderers.wan.footage import SegmentVideo, read_frames, read_segment
from bodydouble.renderers.wan.generation import SegmentGeneration
from bodydouble.renderers.wan.options import WanOptions
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
from bodydouble.renderers.wan.setup import DISTILLED_GUIDANCE, DISTILLED_SHIFT, Profile, choose_setup
from bodydouble.renderers.wan.timeline import FrameRange, plan_frame_ranges
from bodydouble.renderers.wan.weights import WanWeights, locate_weights

DENOISED = 0.9
"""Share of a segment's time for its denoising steps; the autoencoder and the composite take the rest. Estimated."""
LOADED = 0.9
"""Share of a job's preparation for reading the weights. Estimated."""


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
        """Load missing networks, and encode the character. Raises what ``Engine.load`` raises, and NobodyFound."""
        preprocessor = self._preprocessor(scene)
        face_side = self._engine.load(lambda f: report(LOADED * f))
        options, canvas = self._options, preprocessor.canvas
        moves = scene.mode == ANIMATE
        sampling = sampling_of(self._setup.profile, options, self._settings.carried_frames)
        self._engine.set_character(
            CharacterSpec(
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
            # In mode animate a cut of the driving video does not change the picture.
            frame_ranges=plan_frame_ranges(
                np.zeros_like(scene.track.shot) if moves else scene.track.shot,
                self._settings.segment_frames,
                sampling.carried_frames,
            ),
            carried_frames=sampling.carried_frames,
            warnings=_warnings(self._weights, canvas, scene.mode),
        )

    def _preprocessor(self, scene: Scene) -> Preprocessor | MovePreprocessor:
        area_max, area_min = self._setup.area_max, self._settings.area_min
        if scene.mode == REPLACE:
            grid = MaskGrid(columns=self._settings.mask_columns, rows=self._settings.mask_rows)
            settings = PreprocessSettings(grid=grid, area_max=area_max, area_min=area_min)
            return Preprocessor(scene.footage, scene.mattes, scene.track, settings)
        height, width = scene.reference.shape[:2]
        character = whole_body(analyse_portrait(self._pack, scene.reference).track, 0, (width, height))
        return MovePreprocessor(scene.footage, scene.track, character, (width, height), area_max, area_min)


def sampling_of(profile: Profile, options: WanOptions, carried_frames: int) -> Sampling:
    """The caller's steps, guidance and shift within the limits of ``profile``: a distilled model has one recipe."""
    return Sampling(
        steps=min(options.steps, profile.steps_max),
        shift=DISTILLED_SHIFT if profile.distilled else options.shift,
        guidance=DISTILLED_GUIDANCE if profile.distilled else options.guidance,
        carried_frames=carried_frames,
    )


@dataclass(frozen=True, kw_only=True)
class _StartedSegment:
    """A segment whose generation has started."""

    index: int
    carry: bytes | None
    mask: NDArray[np.uint8] | None  # (F, H, W); None in mode animate
    generation: SegmentGeneration | None  # None where nobody is to be replaced


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
        frame_ranges: list[FrameRange],
        carried_frames: int,
        warnings: list[RenderWarning],
    ) -> None:
        self._scene, self._seed, self._engine, self._preprocessor = scene, seed, engine, preprocessor
        self._face_side, self._frame_ranges, self._carried_frames = face_side, frame_ranges, carried_frames
        self.segments, self.warnings = [frame_range.segment for frame_range in frame_ranges], warnings
        self._readers, self._model = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._read: tuple[int, Future[SegmentVideo]] | None = None  # at most one segment ahead of the model
        self._started: _StartedSegment | None = None  # at most one segment ahead of the consumer of the frames
        self._carry: bytes | None = None

    @property
    def placed(self) -> PersonTrack:
        """Where the character is in the finished frames."""
        made = self._preprocessor
        return made.placed_track() if isinstance(made, MovePreprocessor) else self._scene.track

    def render(self, segment: Segment, carry: bytes | None, report: StepReporter) -> Generator[Image]:
        """The finished frames of ``segment``, in order; they come together, after its last step."""
        frame_range = self._frame_ranges[segment.index]
        started = self._claim(frame_range, carry)
        try:
            length = segment.stop - segment.start
            finished = self._finish(frame_range, started, report)
            self._carry = _pack(finished.images(max(0, length - self._carried_frames)))
            if segment.index + 1 < len(self._frame_ranges):
                self._started = self._start(self._frame_ranges[segment.index + 1], self._carry)
            for done, image in enumerate(finished.images(), start=1):
                yield image
                report(DENOISED + (1 - DENOISED) * done / length)
        except BaseException:
            for generation in (started.generation, self._started.generation if self._started else None):
                if generation is not None:
                    generation.cancel()
            self._started = None
            raise

    def carry_after(self, segment: Segment) -> bytes | None:
        """The last finished frames, as ``numpy.save`` writes them."""
        assert self._carry is not None, "carry_after is asked after render"
        return self._carry

    def _finish(
        self, frame_range: FrameRange, started: _StartedSegment, report: StepReporter
    ) -> FinishedFrames | MovedFrames:
        """Wait for the generation; meanwhile read the source's frames."""
        canvas = self._preprocessor.canvas
        frames = [] if started.mask is None else read_frames(self._scene.footage, frame_range)
        if started.generation is None:
            return FinishedFrames(frames, None, canvas)
        made = started.generation.wait(lambda done, steps: report(DENOISED * done / steps))[frame_range.carried :]
        if started.mask is None:
            return MovedFrames(made, frame_range.segment.stop - frame_range.segment.start, canvas)
        return FinishedFrames(frames, GeneratedFrames(made=made, mask=started.mask[frame_range.carried :]), canvas)

    def _claim(self, frame_range: FrameRange, carry: bytes | None) -> _StartedSegment:
        """The generation of ``frame_range``: the one started early, if its carried frames are the same."""
        started, self._started = self._started, None
        if started is not None and (started.index, started.carry) == (frame_range.segment.index, carry):
            return started
        if started is not None and started.generation is not None:
            started.generation.cancel()
        return self._start(frame_range, carry)

    def _start(self, frame_range: FrameRange, carry: bytes | None) -> _StartedSegment:
        """Start the generation of ``frame_range``; meanwhile a thread reads the footage after it."""
        index, video = frame_range.segment.index, self._video(frame_range)
        generation = None
        if video.mask is None or video.mask[frame_range.carried :].any():
            request = SegmentRequest(
                video=video, carried=self._carried(frame_range, carry), seed=self._seed, index=index
            )
            generation = SegmentGeneration(self._model, self._engine, request)
        if index + 1 < len(self._frame_ranges):
            self._read = index + 1, self._readers.submit(self._read_segment, self._frame_ranges[index + 1])
        return _StartedSegment(index=index, carry=carry, mask=video.mask, generation=generation)

    def _video(self, frame_range: FrameRange) -> SegmentVideo:
        """The model's inputs, already read during the generation of the segment before where possible."""
        read, self._read = self._read, None
        if read is not None and read[0] == frame_range.segment.index:
            return read[1].result()
        return self._read_segment(frame_range)

    def _read_segment(self, frame_range: FrameRange) -> SegmentVideo:
        return read_segment(self._preprocessor, frame_range, self._face_side)

    def _carried(self, frame_range: FrameRange, carry: bytes | None) -> NDArray[np.uint8] | None:
        """(P, H, W, 3) in the canvas; None at the start of a shot."""
        if not frame_range.carried:
            return None
        assert carry is not None, "only the first segment of a shot carries no frames"
        images = np.load(io.BytesIO(carry), allow_pickle=False)
        return np.stack([self._preprocessor.canvas.place(image) for image in images[-frame_range.carried :]])


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
                message=f"{what} generated at {zoom:.0%} of the frame's width and enlarged: the memory of the GPU "
                "or the setting wan_area_max allows no more.",
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

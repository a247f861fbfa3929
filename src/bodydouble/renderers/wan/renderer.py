"""The wan renderer: one job from its scene to finished frames, a segment at a time."""

import io
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from bodydouble.perception.footage import Image
from bodydouble.renderers.protocol import RenderWarning, Scene, Segment, StepReporter
from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.colour import Drift, measure_drift
from bodydouble.renderers.wan.components import Components
from bodydouble.renderers.wan.composite import blend
from bodydouble.renderers.wan.footage import SegmentVideo, read_frames, read_segment
from bodydouble.renderers.wan.latents import to_frames, to_pixels
from bodydouble.renderers.wan.loading import load_components
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.preprocess import Preprocessor, PreprocessSettings
from bodydouble.renderers.wan.prompts import NEGATIVE_PROMPT, PROMPT
from bodydouble.renderers.wan.sampling import Sampling, segment_noise
from bodydouble.renderers.wan.segment import Role, generate_segment, prepare_role
from bodydouble.renderers.wan.setup import Setup, choose_setup
from bodydouble.renderers.wan.timeline import Span, plan_spans
from bodydouble.renderers.wan.weights import WanWeights, locate_weights

DENOISED = 0.9
"""Share of a segment's time that its steps take; the rest is the autoencoder's and the composite's."""
LOADED = 0.9
"""Share of a job's preparation that reading the weights takes."""


class WanRenderer:
    """Satisfies ``protocol.Renderer``. The networks are loaded with the first shot and stay."""

    name = "wan"

    def __init__(self, options: WanOptions) -> None:
        self._options = options
        self._weights = locate_weights(options)
        self._setup = choose_setup(options, next(iter(find_cards()), None))
        self._components: Components | None = None

    def prepare(self, scene: Scene, folder: Path, report: StepReporter) -> "PreparedWan":
        """Load what is not loaded yet and encode the character. Raises ModelPackMissing, RendererUnavailable."""
        if self._components is None:
            self._components = load_components(self._weights, self._setup, lambda f: report(LOADED * f))
        settings = PreprocessSettings(area_max=self._setup.area_max)
        preprocessor = Preprocessor(scene.footage, scene.mattes, scene.track, settings)
        options, canvas = scene.options, preprocessor.canvas
        sampling = Sampling(
            steps=min(options.steps, self._setup.profile.steps_max),
            shift=options.shift,
            guidance=options.guidance,
            carried_frames=self._options.carried_frames,
        )
        role = prepare_role(
            self._components,
            Pictures.fromarray(scene.reference),
            options.prompt or PROMPT,
            NEGATIVE_PROMPT,
            canvas.height,
            canvas.width,
            sampling,
        )
        report(1.0)
        return PreparedWan(
            scene=scene,
            components=self._components,
            preprocessor=preprocessor,
            role=role,
            sampling=sampling,
            spans=plan_spans(scene.track.shot, self._options.segment_frames, sampling.carried_frames),
            warnings=_warnings(self._weights, self._setup, scene),
        )


class PreparedWan:
    """Satisfies ``protocol.PreparedShot``. A segment starts from the last finished frames of the one before."""

    def __init__(
        self,
        *,
        scene: Scene,
        components: Components,
        preprocessor: Preprocessor,
        role: Role,
        sampling: Sampling,
        spans: list[Span],
        warnings: list[RenderWarning],
    ) -> None:
        self._scene, self._components, self._preprocessor = scene, components, preprocessor
        self._role, self._sampling, self._spans = role, sampling, spans
        self.segments, self.warnings = [span.segment for span in spans], warnings
        self._pool = ThreadPoolExecutor(1)
        self._ahead: tuple[int, Future[SegmentVideo]] | None = None
        self._kept: NDArray[np.uint8] | None = None  # (P, H, W, 3) the last finished frames

    def render(self, segment: Segment, carry: bytes | None, report: StepReporter) -> Generator[Image]:
        """The finished frames of ``segment``, in order; they come together, after its last step."""
        span = self._spans[segment.index]
        video = self._take(span)
        if segment.index + 1 < len(self._spans):
            self._begin(self._spans[segment.index + 1])
        frames = read_frames(self._scene.footage, span)
        assert video.mask is not None
        if video.mask[span.carried :].any():
            made = self._make(span, video, carry, lambda done, steps: report(DENOISED * done / steps))
            mended = self._mend(made, frames, video.mask, span)
        else:  # nobody to replace: nothing is drawn
            mended = iter(frames)
        kept: list[Image] = []
        for done, image in enumerate(mended, start=1):
            kept = [*kept, image][-self._sampling.carried_frames :]
            yield image
            report(DENOISED + (1 - DENOISED) * done / len(frames))
        self._kept = np.stack(kept)

    def carry_after(self, segment: Segment) -> bytes | None:
        """The last finished frames, as ``numpy.save`` writes them."""
        assert self._kept is not None, "carry_after is asked after render"
        buffer = io.BytesIO()
        np.save(buffer, self._kept)
        return buffer.getvalue()

    def _take(self, span: Span) -> SegmentVideo:
        """What the model is shown, where possible read while the segment before was drawn."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == span.segment.index:
            return ahead[1].result()
        return self._read(span)

    def _begin(self, span: Span) -> None:
        self._ahead = span.segment.index, self._pool.submit(self._read, span)

    def _read(self, span: Span) -> SegmentVideo:
        return read_segment(self._preprocessor, span, self._components.transformer.config["motion_encoder_size"])

    def _make(
        self, span: Span, video: SegmentVideo, carry: bytes | None, report: Callable[[int, int], None]
    ) -> NDArray[np.uint8]:
        """(F, H, W, 3) of the canvas, as the model drew them; the first frames are those that were carried."""
        canvas, carried = self._preprocessor.canvas, None
        if span.carried:
            assert carry is not None, "a segment in the middle of a shot follows one that is there"
            images = np.load(io.BytesIO(carry), allow_pickle=False)
            placed = np.stack([canvas.place(image) for image in images[-span.carried :]])
            carried = to_pixels(placed, self._components.device)
        noise = segment_noise(self._scene.options.seed, span.segment.index, span.length, canvas.height, canvas.width)
        pixels = generate_segment(self._components, self._role, video, carried, noise, self._sampling, report)
        return to_frames(pixels)

    def _mend(
        self, made: NDArray[np.uint8], frames: list[Image], mask: NDArray[np.uint8], span: Span
    ) -> Generator[Image]:
        """The frames of ``span`` without drift of colour, in the real frames."""
        canvas = self._preprocessor.canvas
        made, mask = made[span.carried :], mask[span.carried :]
        drift = _drift(made, [canvas.place(image) for image in frames], mask)
        for i, (image, source) in enumerate(zip(made, frames, strict=False)):
            true = image if drift is None else drift.take_back(image, i / len(frames))
            yield blend(source, canvas.restore(true), canvas.restore_mask(mask[i]))


DRIFT_FRAMES = 9
"""Looked at for drift, spread over the segment: it changes slowly."""


def _drift(made: NDArray[np.uint8], known: list[Image], mask: NDArray[np.uint8]) -> Drift | None:
    """Of the frames ``made`` (F, H, W, 3) from ``known`` outside ``mask``."""
    chosen = np.unique(np.linspace(0, len(known) - 1, DRIFT_FRAMES).round().astype(int))
    return measure_drift(made[chosen], np.stack([known[i] for i in chosen]), mask[chosen] == 0, chosen / len(known))


def _warnings(weights: WanWeights, setup: Setup, scene: Scene) -> list[RenderWarning]:
    warnings: list[RenderWarning] = []
    area = scene.footage.width * scene.footage.height
    if area > setup.area_max:
        smaller = f"{(setup.area_max / area) ** 0.5:.0%}"
        warnings.append(
            RenderWarning(
                code="drawn_smaller",
                message=f"The person was drawn at {smaller} of the frame's width and enlarged: the GPU's memory or the "
                "setting wan_area_max allows no more.",
            )
        )
    if weights.relighting is None:
        warnings.append(
            RenderWarning(
                code="no_relighting",
                message="The relighting LoRA is not installed: the character keeps the light of its picture.",
            )
        )
    return warnings

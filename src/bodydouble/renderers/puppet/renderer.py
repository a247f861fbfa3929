"""The puppet renderer: replaces the person on a CPU, frame by frame, the same bytes every time."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

from bodydouble.perception import ModelPack
from bodydouble.perception.arrays import Image, Mask
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.protocol import RenderWarning, Scene, Segment, StepReporter
from bodydouble.renderers.puppet.capability import check_capability
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.captions import Captions, captions_path
from bodydouble.renderers.puppet.compositing.carried import learn_carried
from bodydouble.renderers.puppet.compositing.companions import find_companions
from bodydouble.renderers.puppet.compositing.composite import Composer
from bodydouble.renderers.puppet.compositing.desk import Desk, find_desk
from bodydouble.renderers.puppet.compositing.held import learn_held
from bodydouble.renderers.puppet.compositing.letterbox import learn_bars
from bodydouble.renderers.puppet.compositing.light import Light, measure_light
from bodydouble.renderers.puppet.compositing.mouth import measure_mouth, skin_beside
from bodydouble.renderers.puppet.compositing.occlusion import learn_ball, learn_colours
from bodydouble.renderers.puppet.compositing.other_hands import OtherHands
from bodydouble.renderers.puppet.compositing.passers import learn_passers
from bodydouble.renderers.puppet.compositing.plate import build_plates, shot_spans
from bodydouble.renderers.puppet.compositing.samples import SampleFrame, frames_between, sample_frames
from bodydouble.renderers.puppet.compositing.softness import measure_softness
from bodydouble.renderers.puppet.compositing.whole_hands import gather_hands
from bodydouble.renderers.puppet.drawing.layered_puppet import LayeredPuppet
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.feet import lowest_rows
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.motion.size import outline_widths
from bodydouble.renderers.puppet.options import PuppetOptions
from bodydouble.renderers.puppet.picture.character import Character, build_character

SEGMENT_FRAMES = 48
"""Frames of a segment, about: two seconds of work that a kill can cost."""
STARTED, PLATES_DONE, MEASURED = 0.02, 0.90, 0.95
"""Progress (0-1) of ``prepare`` after its steps."""
THREADS = 2
AHEAD = 6
"""Frames in progress at once: enough to keep both threads busy."""


def cut_segments(shots: np.ndarray, length: int = SEGMENT_FRAMES) -> list[Segment]:
    """Frames cut into pieces of about ``length`` that never span a cut; no piece under half of it but whole shots."""
    result: list[Segment] = []
    edges = [0, *(np.flatnonzero(np.diff(shots)) + 1).tolist(), len(shots)]
    for start, stop in pairwise(edges):
        pieces = max(1, round((stop - start) / length))
        borders = np.linspace(start, stop, pieces + 1).round().astype(int)
        for a, b in pairwise(borders):
            result.append(Segment(index=len(result), start=int(a), stop=int(b)))
    return result


class PuppetRenderer:
    """Satisfies ``protocol.Renderer``."""

    name = "puppet"

    def __init__(self, pack: ModelPack, options: PuppetOptions) -> None:
        self._pack, self._options = pack, options

    def prepare(self, scene: Scene, folder: Path, report: StepReporter) -> "PreparedPuppet":
        """Cut-out, rig, plates and colour. Raises NobodyFound where nobody is in the reference image."""
        track, footage, mattes = scene.track, scene.footage, scene.mattes
        outline, lowest = outline_widths(track, mattes), lowest_rows(track, mattes, footage.height)
        motion = build_motion(track, footage.frame_rate, outline, lowest, (footage.width, footage.height))
        bystanders = BystanderMasks(self._pack, track)
        report(STARTED)
        # The plates leave a core free: meanwhile the character is made.
        with ThreadPoolExecutor(1) as pool:
            making = pool.submit(build_character, self._pack, scene.reference, motion, folder)

            def report_plates(fraction: float) -> None:
                if making.done():
                    making.result()  # nobody in the reference: said at once, not after the plates
                report(STARTED + (PLATES_DONE - STARTED) * fraction)

            plates = build_plates(footage, mattes, track, folder, report_plates, bystanders=bystanders)
            samples = sample_frames(footage, mattes, track)
            bystanders.notice(find_companions(samples, plates, track, bystanders.people), frames_between(samples))
            character = making.result()
        bars = learn_bars(samples)
        light = _light_of(samples, track, footage.frame_rate, character, bars)
        report(MEASURED)
        puppet = _puppet(character, motion, self._options)
        keeps_hands = self._options.hands == "keep"
        desks: dict[int, Desk] = {}
        softness: dict[int, float] = {}
        for start, stop in shot_spans(track):
            shot, within = int(track.shot[start]), [sample for sample in samples if start <= sample.index < stop]
            desk = find_desk(within, track)
            if desk is not None:
                desks[shot] = desk
            softness[shot] = measure_softness(within, puppet.draw)
        colours = learn_colours(samples, track)
        played = None if colours is None else learn_ball(colours, samples, plates, track)
        hands = OtherHands(self._pack, track)
        composer = Composer(
            puppet=puppet,
            motion=motion,
            plates=plates,
            bystanders=bystanders,
            light=light,
            mouth=measure_mouth(
                samples, track, light, character.face.lips if character.face else None, skin_beside(character.face)
            ),
            desks=desks,
            softness=softness,
            actor_colours=played,
            held=learn_held(samples, plates, track),
            carried=learn_carried(samples, plates, track, bystanders, None if played is None else played.ball_colours),
            other_hands=hands if hands.are_expected(samples) else None,
            bars=bars,
            passers=learn_passers(samples, plates, track, bystanders.passed(footage.height)),
            captions=Captions.load(captions_path(folder)),
            whole_hands=gather_hands(footage, mattes, motion, light, character.body.hand_colours)
            if keeps_hands
            else {},
        )
        warnings = check_capability(character, motion, track, plates, footage.height)
        return PreparedPuppet(scene, composer, cut_segments(track.shot), warnings)


def _light_of(
    samples: list[SampleFrame], track: PersonTrack, frame_rate: float, character: Character, bars: Mask | None
) -> Light:
    """The light of the scene, as far as it differs from that of the character's picture."""
    return measure_light(
        samples,
        track,
        frame_rate,
        reference=character.surroundings,
        alpha=character.alpha,
        skin=character.skin,
        bars=bars,
    )


def _puppet(character: Character, motion: Motion, options: PuppetOptions) -> LayeredPuppet:
    """The character's layers, driven by ``motion``."""
    own_size = options.size == "own"
    retargeting = Retargeting(character.skeleton(), motion, character.body.template, own_size=own_size)
    return LayeredPuppet(character, retargeting, motion, options.hands)


class PreparedPuppet:
    """Satisfies ``protocol.PreparedShot``. Segments do not depend on each other."""

    def __init__(
        self, scene: Scene, composer: Composer, segments: list[Segment], warnings: list[RenderWarning]
    ) -> None:
        self._scene, self._composer = scene, composer
        self.segments, self.warnings = segments, warnings
        self._going: tuple[int, Generator[Image]] | None = None  # frames from that index on, in the making

    def render(self, segment: Segment, carry: bytes | None, report: StepReporter) -> Iterator[Image]:
        """The finished frames of ``segment``, in order.

        What comes next is begun meanwhile: segment after segment in order, the video is decoded once and the threads
        have work while a segment's file is closed.
        """
        going, self._going = self._going, None
        if going is not None and going[0] == segment.start:
            images = going[1]
        else:
            if going is not None:
                going[1].close()
            images = self._frames(segment.start)
        try:
            for index in range(segment.start, segment.stop):
                yield next(images)
                report((index + 1 - segment.start) / (segment.stop - segment.start))
            if segment.stop < self._scene.footage.frames:
                self._going = segment.stop, images
        finally:
            if self._going is None:
                images.close()

    def _frames(self, start: int) -> Generator[Image]:
        """The finished frames from ``start`` to the video's end, in order. Threads make up to ``AHEAD`` at once."""
        stop = self._scene.footage.frames
        frames = self._scene.footage.read(start, stop)
        mattes = self._scene.mattes.read(start, stop)
        waiting: deque[Future[Image]] = deque()
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                for (index, image), (_, matte) in zip(frames, mattes, strict=True):
                    waiting.append(pool.submit(self._composer.frame, index, image, matte))
                    if len(waiting) >= AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def carry_after(self, segment: Segment) -> bytes | None:
        """Nothing: frames are made one by one from the smoothed track."""
        return None

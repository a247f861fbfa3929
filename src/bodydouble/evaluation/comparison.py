"""One pass over source and output side by side; memory does not grow with their length."""

from collections.abc import Callable, Iterator

import numpy as np

from bodydouble.evaluation.appearance import Appearance
from bodydouble.evaluation.background import BackgroundFidelity
from bodydouble.evaluation.expression import face_found, mouth_correlation, yaw_gain
from bodydouble.evaluation.flicker import Flicker
from bodydouble.evaluation.pose_agreement import DRIVING, INDEPENDENT, PoseAgreement
from bodydouble.evaluation.regions import background, difference
from bodydouble.evaluation.residue import Residue
from bodydouble.evaluation.result import Evaluation, MediaIntegrity
from bodydouble.perception import ModelPack, Perception, PersonTrack
from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.footage import Footage
from bodydouble.perception.track import empty_track

COSTLY_EVERY_FRAMES = 4
"""Networks and optical flow look at every fourth frame; the background is measured on all of them."""
REGION_MIN = 76  # of 255: where a matte is more than this, flicker is measured


class Comparison:
    """The measures, fed frame by frame. ``output`` None: nobody was found in the output."""

    def __init__(
        self, source: Perception, output: Perception | None, pack: ModelPack, appearance: Appearance | None
    ) -> None:
        self._source, self._output, self._appearance = source, output, appearance
        self._pose, self._driving_pose = PoseAgreement(pack, INDEPENDENT), PoseAgreement(pack, DRIVING)
        self._actor = source.track
        self._character = output.track if output is not None else empty_track(len(source.track))
        self._background, self._residue = BackgroundFidelity(), Residue()
        self._flicker = {"source": Flicker(), "output": Flicker()}
        self._frames = 0

    def run(self, source: Footage, output: Footage, report: Callable[[float], None]) -> None:
        """Read both from beginning to end; what one has more than the other is not compared."""
        total = min(source.frames, output.frames)
        before: tuple[Image, Image] | None = None
        frames = zip(source.read(0, total), output.read(0, total), self._mattes(total), strict=True)
        for (i, actual), (_, made), (actor_matte, character_matte) in frames:
            changed = difference(actual, made)
            self._background.add(actual, made, background(actor_matte, character_matte, changed))
            if i % COSTLY_EVERY_FRAMES == 1 or total == 1:
                self._residue.add(actor_matte, character_matte, changed)
                if before is not None and self._actor.shot[i] == self._actor.shot[i - 1]:
                    region = np.maximum(actor_matte, character_matte) > REGION_MIN
                    self._flicker["source"].add(before[0], actual, region)
                    self._flicker["output"].add(before[1], made, region)
                self._look_at_person(i, actual, made)
            before = (actual, made)
            self._frames += 1
            report((i + 1) / total)

    def _mattes(self, total: int) -> Iterator[tuple[Matte, Matte]]:
        actors = self._source.mattes.read(0, total)
        if self._output is None:
            yield from ((matte, np.zeros_like(matte)) for _, matte in actors)
        else:
            for (_, a), (_, b) in zip(actors, self._output.mattes.read(0, total), strict=True):
                yield a, b

    def _look_at_person(self, i: int, actual: Image, made: Image) -> None:
        if self._actor.present[i]:
            for pose in (self._pose, self._driving_pose):
                pose.add(actual, made, self._actor.body[i])
        if self._appearance is not None:
            if self._actor.face_found[i]:
                self._appearance.add("actor", actual, self._actor.face[i])
            if self._character.face_found[i]:
                self._appearance.add("output", made, self._character.face[i])

    def evaluation(self, width: int, height: int, delivery: MediaIntegrity) -> Evaluation:
        """The figures of what was read."""
        mean, worst = self._background.result()
        seen = self._appearance
        texture_output, colour_output = seen.result("output") if seen else (None, None)
        texture_actor, colour_actor = seen.result("actor") if seen else (None, None)
        actor, character = _common(self._actor, self._character)
        return Evaluation(
            width=width,
            height=height,
            frames=self._frames,
            background_psnr_mean_db=mean,
            background_psnr_min_db=worst,
            pck_10=self._pose.hits.share(0.1),
            pck_20=self._pose.hits.share(0.2),
            pck_10_driving=self._driving_pose.hits.share(0.1),
            pck_20_driving=self._driving_pose.hits.share(0.2),
            pck_20_by_joint=self._pose.hits.by_joint(0.2),
            face_texture_output=texture_output,
            face_texture_actor=texture_actor,
            face_colour_output=colour_output,
            face_colour_actor=colour_actor,
            face_found=face_found(actor, character),
            mouth_correlation=mouth_correlation(actor, character),
            yaw_gain=yaw_gain(actor, character),
            flicker_output=self._flicker["output"].result(),
            flicker_source=self._flicker["source"].result(),
            residue=self._residue.result(),
            delivery=delivery,
        )


def _common(a: PersonTrack, b: PersonTrack) -> tuple[PersonTrack, PersonTrack]:
    length = min(len(a), len(b))
    return a.window(0, length), b.window(0, length)

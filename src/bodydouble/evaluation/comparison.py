"""One pass over source and output side by side; memory does not grow with their length."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bodydouble.evaluation.appearance import Appearance
from bodydouble.evaluation.background import BackgroundFidelity, SampleFidelity
from bodydouble.evaluation.bones import bone_directions, bone_lengths
from bodydouble.evaluation.clothes import ClothesLikeness
from bodydouble.evaluation.expression import face_found, mouth_correlation, yaw_gain
from bodydouble.evaluation.flicker import Flicker
from bodydouble.evaluation.foot_slide import foot_slide
from bodydouble.evaluation.other_people import OtherPeople
from bodydouble.evaluation.pose_agreement import DRIVING, INDEPENDENT, PoseAgreement
from bodydouble.evaluation.regions import background, difference
from bodydouble.evaluation.residue import Residue
from bodydouble.evaluation.result import Evaluation, MediaIntegrity
from bodydouble.evaluation.tears import Tears
from bodydouble.evaluation.true_background import TrueBackground
from bodydouble.media import PlaneFormat, Planes, VideoReader
from bodydouble.perception import ModelPack, Perception, PersonTrack, Portrait
from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.footage import Footage
from bodydouble.perception.track import empty_track

PCK_STRICT, PCK_LOOSE = 0.1, 0.2
"""Torso lengths within which a joint counts as correct. The percentage of correct keypoints (PCK) is that of Yang and
Ramanan, "Articulated Human Detection with Flexible Mixtures of Parts", 2013, with the torso as the unit."""
COSTLY_EVERY_FRAMES = 4
"""Networks and optical flow run on every fourth frame; the background is measured on all of them."""
REGION_MIN = 76
"""Of a matte (0-255): people are where it is more; flicker is measured there."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The character's picture and the analysis of it."""

    image: Image
    portrait: Portrait
    views: PersonTrack  # several looks at the person in the image, see ``reference_views``


@dataclass(frozen=True, kw_only=True)
class Unencoded:
    """The same shot exported losslessly, and the driving video at its size."""

    source: VideoReader
    result: VideoReader
    form: PlaneFormat  # in which both are read

    def frames(self, total: int) -> Iterator[tuple[Planes, Planes]]:
        """Source and result, frame by frame."""
        readers = (reader.read_planes(0, total, self.form) for reader in (self.source, self.result))
        yield from ((own, made) for (_, _, own), (_, _, made) in zip(*readers, strict=False))


class Comparison:
    """The measures, fed frame by frame. ``output`` is None where no person was found in the output."""

    def __init__(self, source: Perception, output: Perception | None, pack: ModelPack, reference: Reference) -> None:
        self._source, self._output, self._reference = source, output, reference
        self._pose, self._driving_pose = PoseAgreement(pack, INDEPENDENT), PoseAgreement(pack, DRIVING)
        self._actor = source.track
        self._character = output.track if output is not None else empty_track(len(source.track))
        self._background, self._residue, self._tears = BackgroundFidelity(), Residue(pack, source.track), Tears()
        self._others, self._true_background = OtherPeople(pack), TrueBackground()
        self._unencoded: SampleFidelity | None = None
        self._flicker = {"source": Flicker(), "output": Flicker()}
        portrait = reference.portrait
        self._clothes = ClothesLikeness(reference.image, portrait.track, portrait.mask)
        has_face = bool(portrait.track.face_found[0])
        self._face = Appearance(reference.image, portrait.track.face[0]) if has_face else None
        self._frames = 0

    def run(
        self,
        source: Footage,
        output: Footage,
        report: Callable[[float], None],
        true_background: Footage | None = None,
        unencoded: Unencoded | None = None,
    ) -> None:
        """Read all from beginning to end; frames that one of them lacks are not compared.

        ``true_background`` is the source's scene without the person, where it is known. ``unencoded`` has the size of
        ``output``.
        """
        total = min(f.frames for f in (source, output, true_background) if f is not None)
        before: tuple[Image, Image] | None = None
        frames = zip(source.read(0, total), output.read(0, total), self._mattes(total), strict=True)
        truths = true_background.read(0, total) if true_background is not None else None
        samples = iter(()) if unencoded is None else unencoded.frames(total)
        self._unencoded = None if unencoded is None else SampleFidelity(unencoded.form.bits)
        for (i, actual), (_, made), (actor_matte, character_matte) in frames:
            changed = difference(actual, made)
            kept = background(actor_matte, character_matte, changed)
            self._background.add(actual, made, kept)
            if self._unencoded is not None and (pair := next(samples, None)) is not None:
                self._unencoded.add(*pair, kept)
            if truths is not None:
                _, truth = next(truths)
                self._true_background.add(actual, made, truth, actor_matte, character_matte)
            if i % COSTLY_EVERY_FRAMES == 1 or total == 1:
                self._residue.add(i, actual, actor_matte, character_matte, changed)
                people = np.maximum(actor_matte, character_matte) > REGION_MIN
                others = self._others.mask(actual, actor_matte, people)
                self._tears.add(self._character, i, character_matte, actor_matte, changed, others)
                if before is not None and self._actor.shot[i] == self._actor.shot[i - 1]:
                    self._flicker["source"].add(before[0], actual, people)
                    self._flicker["output"].add(before[1], made, people)
                self._measure_person(i, actual, made, actor_matte, character_matte)
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

    def _measure_person(self, i: int, actual: Image, made: Image, actor_matte: Matte, character_matte: Matte) -> None:
        if self._actor.present[i]:
            for pose in (self._pose, self._driving_pose):
                pose.add(actual, made, self._actor.body[i])
        self._clothes.add("actor", actual, self._actor, i, actor_matte)
        self._clothes.add("output", made, self._character, i, character_matte)
        if self._face is not None:
            if self._actor.face_found[i]:
                self._face.add("actor", actual, self._actor.face[i])
            if self._character.face_found[i]:
                self._face.add("output", made, self._character.face[i])

    def evaluation(self, width: int, height: int, delivery: MediaIntegrity) -> Evaluation:
        """The measurements of what was read."""
        mean, worst = self._background.result()
        unencoded_psnr, unencoded_exact = self._unencoded.result() if self._unencoded else (None, None)
        face = self._face
        texture_output, colour_output = face.result("output") if face else (None, None)
        texture_actor, colour_actor = face.result("actor") if face else (None, None)
        actor, character = _common(self._actor, self._character)
        size = (width, height)
        directions = bone_directions(actor, character, size)
        rows, columns = self._reference.image.shape[:2]
        lengths = bone_lengths(self._reference.views, (columns, rows), actor, character, size)
        return Evaluation(
            width=width,
            height=height,
            frames=self._frames,
            background_psnr_mean_db=mean,
            background_psnr_min_db=worst,
            unencoded_background_psnr_db=unencoded_psnr,
            unencoded_background_exact=unencoded_exact,
            pck_10=self._pose.hits.share(PCK_STRICT),
            pck_20=self._pose.hits.share(PCK_LOOSE),
            pck_10_driving=self._driving_pose.hits.share(PCK_STRICT),
            pck_20_driving=self._driving_pose.hits.share(PCK_LOOSE),
            pck_20_by_joint=self._pose.hits.by_joint(PCK_LOOSE),
            bone_direction_share=directions.share,
            bone_direction_degrees=directions.degrees,
            bone_length_share=lengths.share,
            limb_length_share=lengths.limb_share,
            limb_lengths_judged=lengths.judged,
            bone_length_ratios=lengths.ratios,
            foot_slide=foot_slide(actor, character, size),
            face_texture_output=texture_output,
            face_texture_actor=texture_actor,
            face_colour_output=colour_output,
            face_colour_actor=colour_actor,
            clothes_output=self._clothes.result("output"),
            clothes_actor=self._clothes.result("actor"),
            clothes_by_part=self._clothes.by_part("output"),
            face_found=face_found(actor, character),
            mouth_correlation=mouth_correlation(actor, character),
            yaw_gain=yaw_gain(actor, character),
            flicker_output=self._flicker["output"].result(),
            flicker_source=self._flicker["source"].result(),
            residue=self._residue.result(),
            kept_things=self._residue.kept(),
            torn_frames=self._tears.torn(),
            holes=self._tears.holes(),
            detached_pieces=self._tears.pieces(),
            plate_error=self._true_background.plate_error(),
            plate_residue=self._true_background.residue(),
            delivery=delivery,
        )


def _common(a: PersonTrack, b: PersonTrack) -> tuple[PersonTrack, PersonTrack]:
    length = min(len(a), len(b))
    return a.window(0, length), b.window(0, length)

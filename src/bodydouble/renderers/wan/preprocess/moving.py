"""Inputs of Wan-Animate in mode animate: the driver's skeleton at the character's position, and the driver's face.

For each shot, a scale and a shift map the driver's body in the first measurable frame onto the character's body in the
reference image. So the character starts at its own position and size, whatever the framing of the video. The
proportions of the limbs remain the driver's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.footage import Footage
from bodydouble.perception.skeleton import CONFIDENCE_MIN, draw_skeleton
from bodydouble.perception.track import PersonTrack, empty_track
from bodydouble.perception.whole_body import WholeBody, whole_body
from bodydouble.renderers.wan.preprocess.canvas import AREA_MAX, AREA_MIN, choose_canvas
from bodydouble.renderers.wan.preprocess.face_crop import crop_face, face_boxes
from bodydouble.renderers.wan.preprocess.inputs import FrameInputs

SHOULDERS, HIPS, EARS = (5, 6), (11, 12), (3, 4)
"""Rows of COCO's whole-body points: left, right."""
MEASURES = ((SHOULDERS, HIPS), (SHOULDERS[:1], SHOULDERS[1:]), (EARS[:1], EARS[1:]))
"""Pairs of COCO points (or means of points) whose distance measures a person's size, in order of preference. The trunk
comes first because it does not shorten when the person turns; then the shoulders, then the ears."""
SCALE_RANGE = (0.1, 10.0)
"""Limits of the character's size over the driver's, against measurement errors."""
SIZE_MIN = 1
"""Pixels. Shorter distances do not measure a size."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Map from pixels of the video to pixels of the reference image: ``scale * point + shift``."""

    scale: float
    shift: NDArray[np.float64]  # (2,)


def place(driver: WholeBody, character: WholeBody) -> Placement | None:
    """The placement that maps ``driver`` onto ``character``; None if no measure is confident in both."""
    for one, other in MEASURES:
        points = [*one, *other]
        if min(driver.confidence[points].min(), character.confidence[points].min()) < CONFIDENCE_MIN:
            continue
        sizes = [float(np.hypot(*_along(body, one, other))) for body in (driver, character)]
        if min(sizes) < SIZE_MIN:
            continue
        scale = float(np.clip(sizes[1] / sizes[0], *SCALE_RANGE))
        anchors = [body.points[list(one)].mean(0) for body in (driver, character)]
        return Placement(scale=scale, shift=anchors[1] - scale * anchors[0])
    return None


def _along(body: WholeBody, one: tuple[int, ...], other: tuple[int, ...]) -> NDArray[np.float64]:
    return body.points[list(one)].mean(0) - body.points[list(other)].mean(0)


def fit(video: tuple[int, int], picture: tuple[int, int]) -> Placement:
    """The placement that centres the whole video frame in the reference image, used if no size can be measured.

    ``video`` and ``picture`` are width and height in pixels.
    """
    scale = min(picture[0] / video[0], picture[1] / video[1])
    return Placement(scale=scale, shift=(np.array(picture) - scale * np.array(video)) / 2)


class MovePreprocessor:
    """Makes the inputs of any frames of one video; keeps no frame in memory."""

    def __init__(
        self,
        footage: Footage,
        track: PersonTrack,
        character: WholeBody,
        size: tuple[int, int],
        area_max: int = AREA_MAX,
        area_min: int = AREA_MIN,
    ) -> None:
        """``character`` is the body in the reference image, whose width and height in pixels are ``size``."""
        self._footage, self._track = footage, track
        self.canvas = choose_canvas(*size, area_max, area_min)
        self._frame = footage.width, footage.height
        self._face_boxes = face_boxes(track, *self._frame)
        self._placements = self._place_shots(character, size)

    def _place_shots(self, character: WholeBody, size: tuple[int, int]) -> dict[int, Placement]:
        """Placement by shot number, from the first frame of the shot in which the driver can be measured."""
        placements: dict[int, Placement] = {}
        for i, shot in enumerate(self._track.shot.tolist()):
            if shot not in placements and self._track.present[i]:
                placement = place(whole_body(self._track, i, self._frame), character)
                if placement is not None:
                    placements[shot] = placement
        whole = fit(self._frame, size)
        return {shot: placements.get(shot, whole) for shot in set(self._track.shot.tolist())}

    def placed_track(self) -> PersonTrack:
        """Box and face of the driver at the character's position, in pixels of the reference image.

        It has one shot: a cut of the driving video does not change the picture.
        """
        driver, placed = self._track, empty_track(len(self._track))
        for i, shot in enumerate(driver.shot.tolist()):
            placement = self._placements[shot]
            placed.box[i] = placement.scale * driver.box[i] + np.tile(placement.shift, 2)
            placed.face[i, :, :2] = placement.scale * driver.face[i, :, :2] + placement.shift
        placed.present[:], placed.face_found[:] = driver.present, driver.face_found
        return placed

    def read(self, start: int, stop: int) -> Iterator[FrameInputs]:
        """The inputs of the frames ``start`` to ``stop`` (exclusive), in order, one at a time."""
        for i, image in self._footage.read(start, stop):
            body, placement = whole_body(self._track, i, self._frame), self._placements[int(self._track.shot[i])]
            points = self.canvas.place_points(placement.scale * body.points + placement.shift)
            yield FrameInputs(
                pose=draw_skeleton(replace(body, points=points), self.canvas.width, self.canvas.height),
                face=crop_face(image, self._face_boxes[i]),
                mask=None,
                background=None,
            )

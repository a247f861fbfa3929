"""What Wan-Animate is shown in mode animate: the driver's skeleton where the character stands, and the driver's face.

A similarity takes the driver's body, as a shot shows it first, onto the character's in the picture: so the character
starts from its own place and size, whatever the framing of the video. Proportions of limbs stay the driver's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.footage import Footage
from bodydouble.perception.skeleton import CONFIDENCE_MIN, draw_skeleton
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.whole_body import WholeBody, whole_body
from bodydouble.renderers.wan.preprocess.canvas import AREA_MAX, AREA_MIN, choose_canvas
from bodydouble.renderers.wan.preprocess.face_crop import crop_face, face_boxes
from bodydouble.renderers.wan.preprocess.inputs import FrameInputs

SHOULDERS, HIPS, EARS = (5, 6), (11, 12), (3, 4)
MEASURES = ((SHOULDERS, HIPS), ((5,), (6,)), ((3,), (4,)))
"""Pairs of points (means of COCO's) whose distance tells how large somebody is: the trunk, which does not shorten when
they turn, else the shoulders, else the ears."""
SCALE_RANGE = (0.1, 10.0)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """From the video's pixels to the picture's: ``scale * point + shift``."""

    scale: float
    shift: NDArray[np.float64]  # (2,)


def place(driver: WholeBody, character: WholeBody) -> Placement | None:
    """What takes ``driver`` onto ``character``; None where no measure is sure in both."""
    for one, other in MEASURES:
        points = [*one, *other]
        if min(driver.confidence[points].min(), character.confidence[points].min()) < CONFIDENCE_MIN:
            continue
        sizes = [float(np.hypot(*_along(body, one, other))) for body in (driver, character)]
        if min(sizes) < 1:
            continue
        scale = float(np.clip(sizes[1] / sizes[0], *SCALE_RANGE))
        anchors = [body.points[list(one)].mean(0) for body in (driver, character)]
        return Placement(scale=scale, shift=anchors[1] - scale * anchors[0])
    return None


def _along(body: WholeBody, one: tuple[int, ...], other: tuple[int, ...]) -> NDArray[np.float64]:
    return body.points[list(one)].mean(0) - body.points[list(other)].mean(0)


def fit(video: tuple[int, int], picture: tuple[int, int]) -> Placement:
    """The video's frame in the middle of the picture's, whole: where nobody's size is known. Width and height each."""
    scale = min(picture[0] / video[0], picture[1] / video[1])
    return Placement(scale=scale, shift=(np.array(picture) - scale * np.array(video)) / 2)


class MovePreprocessor:
    """Makes the inputs of any frames of one video; holds no frame."""

    def __init__(
        self,
        footage: Footage,
        track: PersonTrack,
        character: WholeBody,
        size: tuple[int, int],
        area_max: int = AREA_MAX,
        area_min: int = AREA_MIN,
    ) -> None:
        """``character`` is the body in the picture, whose width and height are ``size``."""
        self._footage, self._track = footage, track
        self.canvas = choose_canvas(*size, area_max, area_min)
        self._frame = footage.width, footage.height
        self._face_boxes = face_boxes(track, *self._frame)
        self._placements = self._place_shots(character, size)

    def _place_shots(self, character: WholeBody, size: tuple[int, int]) -> dict[int, Placement]:
        """Of each shot, by its number: from the first frame whose driver can be measured."""
        placements: dict[int, Placement] = {}
        for i, shot in enumerate(self._track.shot.tolist()):
            if shot not in placements and self._track.present[i]:
                placement = place(whole_body(self._track, i, self._frame), character)
                if placement is not None:
                    placements[shot] = placement
        whole = fit(self._frame, size)
        return {shot: placements.get(shot, whole) for shot in set(self._track.shot.tolist())}

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

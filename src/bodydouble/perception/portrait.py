"""The reference picture: who is in it, and roughly which pixels are theirs."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.figure import Figure, figure_box, record_figure
from bodydouble.perception.matte import SelfieNet, capsules, pose_mask
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.parts import PartsTracker
from bodydouble.perception.people import TILES, PeopleFinder
from bodydouble.perception.track import PersonTrack, empty_track
from bodydouble.tasks.errors import NobodyFound


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """One person in one picture: a track of one frame, and a coarse mask (H, W) float32 0-1."""

    track: PersonTrack
    mask: NDArray[np.float32]


def analyse_portrait(pack: ModelPack, image: Image) -> Portrait:
    """The largest person in ``image`` (RGB uint8).

    Raises:
        NobodyFound: there is nobody.
    """
    finder = PeopleFinder(pack)
    *coarse, finest = TILES
    people = finder.find(image, tiles=tuple(coarse))
    # The finest tiles show nobody who is larger than they are.
    if not people or people[0].area < (finest * min(image.shape[:2])) ** 2:
        people = finder.find(image)
    if not people:
        raise NobodyFound(
            "image: nobody was found in the picture. Use one that shows the character's upper body or whole body, "
            "upright and not too small.",
            field="image",
        )
    body = people[0].body
    height, width = image.shape[:2]
    parts = PartsTracker(pack)
    face = parts.face(image, body)
    hands = parts.hands(image, body)
    track = empty_track(1)
    figure = Figure(body=body, face=face, hands=(hands[0], hands[1]))
    record_figure(track, 0, figure, width, height)
    mask = _coarse_mask(SelfieNet(pack), image, figure)
    return Portrait(track=track, mask=mask)


def _coarse_mask(selfie: SelfieNet, image: Image, figure: Figure) -> NDArray[np.float32]:
    """The selfie network zoomed on body, head and limbs, gated by the body's own thick lines and segmentation."""
    height, width = image.shape[:2]
    body = figure.body
    whole = selfie.run(image)
    mask = np.maximum(0.8 * whole, _zoomed(selfie, image, figure_box(figure, width, height, 0.15)))
    regions: list[tuple[float, float, float]] = []
    if figure.face is not None:
        mesh = figure.face.points
        tall = float(np.ptp(mesh[:, 1])) * 1.6
        regions.append((float(mesh[:, 0].mean()), float(mesh[:, 1].mean()) - 0.2 * tall, tall))
    for a, b in ((13, 15), (14, 16), (25, 27), (26, 28)):
        if min(body.visibility[a], body.visibility[b]) > 0.3:
            middle = body.points[[a, b]].mean(0)
            reach = max(float(np.hypot(*(body.points[a] - body.points[b]))) * 1.2, height * 0.12)
            regions.append((float(middle[0]), float(middle[1]), reach))
    for x, y, reach in regions:
        box = (
            int(max(0, x - reach)),
            int(max(0, y - reach)),
            int(min(width, x + reach)),
            int(min(height, y + reach)),
        )
        if box[2] - box[0] >= 20 and box[3] - box[1] >= 20:
            mask = np.maximum(mask, _zoomed(selfie, image, box))
    pose = pose_mask(body, (0.0, 0.0), 1.0, width, height).astype(np.float32) / 255
    wide = cv2.dilate(capsules(figure, width, height, 1.3, (0.0, 0.0), 1.0), np.ones((15, 15), np.uint8))
    near = cv2.GaussianBlur(wide.astype(np.float32) / 255, (0, 0), height / 90)
    sure = capsules(figure, width, height, 0.35, (0.0, 0.0), 1.0).astype(np.float32) / 255
    gate = np.clip(np.maximum(near, pose * 1.5), 0, 1)
    return np.asarray(np.maximum(np.maximum(mask, pose * 0.9) * gate, sure * 0.95), np.float32)


def _zoomed(selfie: SelfieNet, image: Image, box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    x0, y0, x1, y1 = box
    result = np.zeros(image.shape[:2], np.float32)
    result[y0:y1, x0:x1] = selfie.run(np.ascontiguousarray(image[y0:y1, x0:x1]))
    return result

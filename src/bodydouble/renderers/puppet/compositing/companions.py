"""People beside the removed person whom the search for people misses: they kneel, turn away or are half hidden.

They move, so the clean plate lacks them. Where a sampled frame differs from the plate beside the removed person, in
other colours than that person's, a network is asked whether it sees somebody.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.colours import coloured, counted_within
from bodydouble.renderers.puppet.compositing.left_over import OWN_SHARE_MIN, SEEN_LEVEL, shade, unlike
from bodydouble.renderers.puppet.compositing.reduction import reduced
from bodydouble.renderers.puppet.compositing.removal import person_zone, shoulder_width
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates

STEP = 4
"""Pixels of the frame for one of the picture in which frame and plate are compared."""
REACH = 3.0
"""Shoulder widths about the person in which somebody is a companion: farther away nothing of them is removed."""
AREA_MIN = 0.3
"""Squared shoulder widths of somebody beside the person, at least. A head has about as much."""
PEOPLE_LEVEL, PEOPLE_MIN, OWN_MAX = 110, 0.6, 0.9
"""Level (0-255) of the network's mask from which a pixel is somebody's; share of a piece that has to be, and that may
have colours of the removed person: with more it is a part of their clothes. Measured: 0.6 to 0.97 and 0.4 to 0.8 of a
child on a bed; up to 0.3 are taken for people of shadows, boards, grass and ice."""
MARGIN = 1.0
"""Shoulder widths about what is noticed in which the rest of somebody is, and moves."""
SIGHTINGS_MIN = 3
"""Samples in which somebody is noticed, at least. Measured: 4 and 7 with somebody, 1 with a shoe."""
SOLID = np.ones((3, 3), np.uint8)
"""Pixels of that picture: what is thinner is misplaced texture, and smaller gaps are nobody's."""


def find_companions(
    samples: list[SampleFrame], plates: Plates, track: PersonTrack, people: Callable[[Image], Matte]
) -> dict[int, list[NDArray[np.float32]]]:
    """Index of a sample → boxes (4,) px about those who are noticed beside the person; only where somebody is.

    ``people`` answers (h, w) 0-255 where anybody is seen in a picture (h, w, 3). Empty where it is in few samples: a
    foot that the matte misses is noticed too.
    """
    found: dict[int, list[NDArray[np.float32]]] = {}
    for sample in samples:
        body = track.body[sample.index, :, :2].astype(np.float64)
        if plates.shot_of(sample.index) is not None and np.isfinite(body).all():
            boxes = _beside(sample, plates, track, body, people)
            if boxes:
                found[sample.index] = boxes
    return found if len(found) >= SIGHTINGS_MIN else {}


def _beside(
    sample: SampleFrame,
    plates: Plates,
    track: PersonTrack,
    body: NDArray[np.float64],
    people: Callable[[Image], Matte],
) -> list[NDArray[np.float32]]:
    """Boxes of those who are noticed in one ``sample``."""
    unit, (height, width) = shoulder_width(body), sample.matte.shape
    zone = person_zone(sample.matte, body, track.visibility[sample.index])
    x, y, w, h = cv2.boundingRect(zone)
    reach = round(REACH * unit)
    x0, y0, x1, y1 = max(0, x - reach), max(0, y - reach), min(width, x + w + reach), min(height, y + h + reach)
    if min(x1 - x0, y1 - y0) < STEP * STEP:
        return []
    here = np.s_[y0:y1, x0:x1]
    with_seen = plates.with_seen(sample.index, (x0, y0, x1, y1))
    image, plate, own, mask = (
        np.ascontiguousarray(reduced(np.ascontiguousarray(picture), STEP))
        for picture in (sample.image[here], with_seen, zone[here], sample.matte[here])
    )
    behind = np.asarray(cv2.cvtColor(plate, cv2.COLOR_RGBA2RGB), np.uint8)
    differs = cv2.min(unlike(image, behind), cv2.threshold(plate[..., 3], SEEN_LEVEL, 255, cv2.THRESH_BINARY)[1])
    differs = cv2.subtract(differs, cv2.threshold(own, 0, 255, cv2.THRESH_BINARY)[1])
    differs = cv2.subtract(differs, shade(image, behind, differs))
    solid = cv2.morphologyEx(cv2.morphologyEx(differs, cv2.MORPH_OPEN, SOLID), cv2.MORPH_CLOSE, SOLID)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    least = AREA_MIN * (unit / STEP) ** 2
    person = np.asarray(cv2.threshold(mask, PEOPLE_LEVEL, 255, cv2.THRESH_BINARY)[1], np.uint8)
    usual = counted_within(image, person) > OWN_SHARE_MIN * cv2.countNonZero(person)
    theirs, label = coloured(image, usual) > 0, np.asarray(labels, np.int32)
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= least and theirs[label == k].mean() < OWN_MAX]
    seen = reduced(people(np.ascontiguousarray(sample.image[here])), STEP) > PEOPLE_LEVEL if large else theirs
    boxes, margin = list[NDArray[np.float32]](), MARGIN * unit
    for k in large:
        if seen[label == k].mean() > PEOPLE_MIN:
            left, top, wide, high = (STEP * int(side) for side in stats[k, : cv2.CC_STAT_AREA])
            corners = x0 + left - margin, y0 + top - margin, x0 + left + wide + margin, y0 + top + high + margin
            boxes.append(np.array(corners, np.float32))
    return boxes

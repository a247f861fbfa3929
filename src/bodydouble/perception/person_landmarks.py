"""All landmarks of one person in one frame.

Margins have no recorded source. They are kept because the regions that networks see depend on them.
"""

from dataclasses import dataclass

import numpy as np

from bodydouble.perception.arrays import PixelBox, Points
from bodydouble.perception.landmarks import (
    EYE_CORNERS,
    IRIS_LANDMARKS,
    MESH_LANDMARKS,
    BodyLandmarks,
    FaceLandmarks,
    HandLandmarks,
)
from bodydouble.perception.people import body_box
from bodydouble.perception.track import PersonTrack

SEEN_MIN = 0.4
"""Visibility from which a landmark counts for the box; chosen on the development clips."""
HEAD_MARGIN = np.array([[0.0, -1.2], [-1.0, 0.0], [1.0, 0.0]])
"""Points around the mesh's middle, in mesh heights, that hair and hats reach: above, left, right."""
BOX_PAD = 0.25
"""Margin around the landmarks, of the box's longer side: clothes, hair and hands reach beyond them."""
TOP_PAD_SHARE = 0.6
"""The margin above over that on the other sides: the head has its own."""
BOX_POINTS_MIN = 3
"""Number of visible landmarks below which the box is the whole frame."""
BOX_SIDE_MIN = 8
"""Pixels of the shorter side: the same for a smaller box."""


@dataclass(frozen=True, kw_only=True)
class PersonLandmarks:
    """Landmarks of one person in one frame; None where a part was not seen. Hands: the subject's left, then right."""

    body: BodyLandmarks
    face: FaceLandmarks | None = None
    hands: tuple[HandLandmarks | None, HandLandmarks | None] = (None, None)


def person_box(person: PersonLandmarks, width: int, height: int, pad: float = BOX_PAD) -> PixelBox:
    """The box around all that is seen of the person, widened by ``pad`` of its longer side, within the frame.

    The whole frame where too little is seen.
    """
    body = person.body
    points: list[Points] = [body.points[body.visibility > SEEN_MIN]]
    if person.face is not None:
        mesh = person.face.points
        points += [mesh, mesh.mean(0) + HEAD_MARGIN * float(np.ptp(mesh[:, 1]))]
    points += [hand.points for hand in person.hands if hand is not None]
    cloud = np.concatenate(points)
    if len(cloud) < BOX_POINTS_MIN:
        return 0, 0, width, height
    low, high = cloud.min(0), cloud.max(0)
    extra = float((high - low).max()) * pad
    x0, y0 = max(0, int(low[0] - extra)), max(0, int(low[1] - extra * TOP_PAD_SHARE))
    x1, y1 = min(width, int(high[0] + extra)), min(height, int(high[1] + extra))
    return (x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= BOX_SIDE_MIN else (0, 0, width, height)


def write_track_row(track: PersonTrack, i: int, person: PersonLandmarks, width: int, height: int) -> None:
    """Fill row ``i`` of ``track``."""
    body = person.body
    track.present[i], track.confidence[i] = True, body.score
    track.box[i] = body_box(body, width, height)
    track.body[i, :, :2], track.body[i, :, 2] = body.points, body.depth
    track.visibility[i] = body.visibility
    if body.whole_body is not None:
        track.whole_body[i] = body.whole_body
    if person.face is not None:
        face = person.face
        track.face_found[i] = True
        track.face[i, :MESH_LANDMARKS, :2], track.face[i, :MESH_LANDMARKS, 2] = face.points, face.depth
        for k, corners in enumerate(EYE_CORNERS):
            start = MESH_LANDMARKS + IRIS_LANDMARKS * k
            here = slice(start, start + IRIS_LANDMARKS)
            track.face[i, here, :2], track.face[i, here, 2] = face.irises[k], face.depth[list(corners)].mean()
        track.eyes[i] = face.eyes
    for k, hand in enumerate(person.hands):
        if hand is not None:
            track.hand_found[i, k] = True
            track.hands[i, k, :, :2], track.hands[i, k, :, 2] = hand.points, hand.depth

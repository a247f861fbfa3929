"""One person in one frame, as the networks see them."""

from dataclasses import dataclass

import numpy as np

from bodydouble.perception.arrays import Points
from bodydouble.perception.landmarks import BodyLandmarks, FaceLandmarks, HandLandmarks
from bodydouble.perception.people import body_box
from bodydouble.perception.track import PersonTrack

# Mesh points of the outer and inner corner of the eye at image left, then of the other.
EYE_CORNERS = ((33, 133), (263, 362))


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What the networks say about one person in one frame."""

    body: BodyLandmarks
    face: FaceLandmarks | None = None
    hands: tuple[HandLandmarks | None, HandLandmarks | None] = (None, None)


def figure_box(figure: Figure, width: int, height: int, pad: float = 0.25) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in whole pixels around everything seen of the person, widened by ``pad`` of its longer side."""
    body = figure.body
    points: list[Points] = [body.points[body.visibility > 0.4]]
    if figure.face is not None:
        mesh = figure.face.points
        tall = float(np.ptp(mesh[:, 1]))
        middle = mesh.mean(0)
        points += [mesh, middle + np.array([[0.0, -1.2], [-1.0, 0.0], [1.0, 0.0]]) * tall]
    points += [hand.points for hand in figure.hands if hand is not None]
    cloud = np.concatenate(points)
    if len(cloud) < 3:
        return 0, 0, width, height
    low, high = cloud.min(0), cloud.max(0)
    extra = float((high - low).max()) * pad
    x0, y0 = max(0, int(low[0] - extra)), max(0, int(low[1] - extra * 0.6))
    x1, y1 = min(width, int(high[0] + extra)), min(height, int(high[1] + extra))
    return (x0, y0, x1, y1) if x1 - x0 >= 8 and y1 - y0 >= 8 else (0, 0, width, height)


def record_figure(track: PersonTrack, i: int, figure: Figure, width: int, height: int) -> None:
    """Fill row ``i`` of ``track``."""
    body = figure.body
    track.present[i], track.confidence[i] = True, body.score
    track.box[i] = body_box(body, width, height)
    track.body[i, :, :2], track.body[i, :, 2] = body.points, body.depth
    track.visibility[i] = body.visibility
    if body.whole_body is not None:
        track.whole_body[i] = body.whole_body
    if figure.face is not None:
        face = figure.face
        track.face_found[i] = True
        track.face[i, :468, :2], track.face[i, :468, 2] = face.points, face.depth
        for k, corners in enumerate(EYE_CORNERS):
            here = slice(468 + 5 * k, 473 + 5 * k)
            track.face[i, here, :2], track.face[i, here, 2] = face.irises[k], face.depth[list(corners)].mean()
        track.eyes[i] = face.eyes
    for k, hand in enumerate(figure.hands):
        if hand is not None:
            track.hand_found[i, k] = True
            track.hands[i, k, :, :2], track.hands[i, k, :, 2] = hand.points, hand.depth

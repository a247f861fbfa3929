"""Finds hands of somebody else in front of the tracked person: the frame's edge cuts the rest of that body off.

The search for people finds nobody by a hand alone, and the mattes count the hand as the tracked person's. The palm
detector does find it. Such a hand is away from the person's wrists, and its forearm comes from the frame's edge.
"""

import numpy as np

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.detectors import Detector, PalmKeyPoint, palm_detector
from bodydouble.perception.face_and_hands import HAND_SCORE_MIN
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmark_indices import BodyPoint, HandPoint
from bodydouble.perception.landmarks import HandNet, palm_roi
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.track import PersonTrack

APART_MIN, EDGE_MAX = 1.0, 2.5
"""Hand lengths (wrist to middle knuckle) from the person's wrists at least, and along the forearm to the frame's edge
at most. Measured on a hand with a cup: 1.6 and more, and 0.7 to 1.7."""
WRIST_SEEN_MIN = 0.5
"""Visibility of the person's own wrists from which a further hand is another's. Measured: 0.56 and more beside a hand
with a cup, 0.12 to 0.5 where the person's own hand hides the face."""
LENGTH_MIN = 12.0
"""Pixels of a hand's length from which it is near enough to be in front."""
WRISTS = (BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST)


class OtherHandFinder:
    """Finds other people's hands in front of the person in ``track``. Safe to call from several threads."""

    def __init__(self, pack: ModelPack, track: PersonTrack) -> None:
        self._pack, self._track = pack, track
        self._networks: tuple[Detector, HandNet] | None = None

    def find(self, index: int, image: Image) -> list[Points]:
        """The landmarks (21, 2) of such hands in frame ``index``; only the frame's lowest square is searched."""
        height, width = image.shape[:2]
        if self._networks is None:  # two threads may make one each: all share the networks in memory
            self._networks = palm_detector(self._pack), HandNet(self._pack)
        palms, net = self._networks
        side = min(height, width)
        found: list[Points] = []
        for palm in palms.detect(image, Roi(x=width / 2, y=height - side / 2, size=side)):
            wrist, middle = (palm.points[k] for k in (PalmKeyPoint.WRIST, PalmKeyPoint.MIDDLE_FINGER))
            if not self.is_apart(index, wrist, middle, (height, width)):
                continue
            hand = net.run(image, palm_roi(palm))
            points = hand.points.astype(np.float64)
            wrist, middle = points[HandPoint.WRIST], points[HandPoint.MIDDLE_MCP]
            if hand.score > HAND_SCORE_MIN and self.is_apart(index, wrist, middle, (height, width)):
                found.append(points)
        return found

    def is_apart(self, index: int, wrist: Points, middle: Points, size: tuple[int, int]) -> bool:
        """Whether a hand is large, away from the person's wrists, and its forearm comes from the frame's edge.

        Where the person's wrists are not both in sight, it may be the person's own. ``wrist`` and ``middle`` (2,) are
        its wrist and middle knuckle; ``size`` is the frame's height and width.
        """
        length, frame = float(np.hypot(*(middle - wrist))), (size[1], size[0])
        own = self._track.body[index, WRISTS, :2].astype(np.float64)
        seen = self._track.visibility[index, WRISTS].min() > WRIST_SEEN_MIN and ((own >= 0) & (own < frame)).all()
        if length < LENGTH_MIN or not seen or (np.hypot(*(own - wrist).T) <= APART_MIN * length).any():
            return False
        elbow = wrist + EDGE_MAX * (wrist - middle)
        return not ((elbow >= 0) & (elbow < frame)).all()

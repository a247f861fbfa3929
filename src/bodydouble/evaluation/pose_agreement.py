"""Whether the character's joints are where the actor's were, judged by two networks.

The heavy BlazePose network drives the puppet. Its smaller sibling ``full``, which does not, measures source and output
here. Both were trained on the same data: the measure is independent of the driving network's noise, not of its
training. The small network is less accurate (it loses forearms in front of ornamented clothes), so the driving network
measures too, and both values are reported.
"""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception import ModelPack
from bodydouble.perception.arrays import Image
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import BodyLandmarks, BodyNet
from bodydouble.perception.tracking import torso_length

INDEPENDENT, DRIVING = "full", "heavy"
SCORE_MIN = 0.5
"""Score 0-1 of the network from which there is a body."""
VISIBILITY_MIN = 0.5
"""Visibility (0-1) of the actor's joint from which it is compared: hidden joints are guesses."""
REGION_SCALE, REGION_SIDE_MIN = 2.5, 16.0
"""Side of the searched region over the reach of the landmarks from the hips, and its minimum in pixels."""
JOINTS = {
    point.name.lower().replace("_", " "): point
    for point in (
        BodyPoint.NOSE,
        BodyPoint.LEFT_EYE,
        BodyPoint.RIGHT_EYE,
        BodyPoint.LEFT_EAR,
        BodyPoint.RIGHT_EAR,
        BodyPoint.LEFT_SHOULDER,
        BodyPoint.RIGHT_SHOULDER,
        BodyPoint.LEFT_ELBOW,
        BodyPoint.RIGHT_ELBOW,
        BodyPoint.LEFT_WRIST,
        BodyPoint.RIGHT_WRIST,
        BodyPoint.LEFT_HIP,
        BodyPoint.RIGHT_HIP,
        BodyPoint.LEFT_KNEE,
        BodyPoint.RIGHT_KNEE,
        BodyPoint.LEFT_ANKLE,
        BodyPoint.RIGHT_ANKLE,
    )
}
"""The joints of COCO that BlazePose has, by name."""


class JointHits:
    """Percentage of correct keypoints: joints that lie within a share of the torso's length."""

    def __init__(self) -> None:
        self._errors: dict[str, list[float]] = {name: [] for name in JOINTS}

    def add(self, source: NDArray[np.floating], seen: NDArray[np.bool_], output: NDArray[np.floating] | None) -> None:
        """(33, 2) points of both, (33,) which of the source's count; ``output`` None: nobody there, all missed."""
        torso = max(torso_length(source), 1.0)
        for name, k in JOINTS.items():
            if seen[k]:
                error = np.inf if output is None else float(np.hypot(*(source[k] - output[k]))) / torso
                self._errors[name].append(error)

    def share(self, reach: float) -> float | None:
        """Share of all joints within ``reach`` torso lengths."""
        errors = [e for joint in self._errors.values() for e in joint]
        return float(np.mean(np.array(errors) < reach)) if errors else None

    def by_joint(self, reach: float) -> dict[str, float]:
        """The same for each joint that was ever seen."""
        return {name: float(np.mean(np.array(e) < reach)) for name, e in self._errors.items() if e}


class PoseAgreement:
    """Measures pairs of frames. Not thread-safe."""

    def __init__(self, pack: ModelPack, network: str = INDEPENDENT) -> None:
        self._net = BodyNet(pack, network)
        self.hits = JointHits()

    def add(self, source: Image, output: Image, body: NDArray[np.floating]) -> None:
        """``body`` (33, 2 or 3), the source's landmarks, gives the region that is searched in both frames."""
        roi = region_around(body[:, :2])
        actor, character = self._settle(source, roi), self._settle(output, roi)
        if actor is None:
            return
        height, width = source.shape[:2]
        inside = ((actor.points >= 0) & (actor.points < (width, height))).all(1)
        seen = inside & (actor.visibility > VISIBILITY_MIN)
        self.hits.add(actor.points, seen, None if character is None else character.points)

    def _settle(self, image: Image, roi: Roi) -> BodyLandmarks | None:
        """The body near ``roi``, measured twice: the second time in the region that the first result proposes."""
        first = self._net.run(image, roi)
        if first.score < SCORE_MIN or not first.next_roi.inside(image.shape[1], image.shape[0]):
            return None
        second = self._net.run(image, first.next_roi)
        return second if second.score >= SCORE_MIN else None


def region_around(points: NDArray[np.floating]) -> Roi:
    """The square in which a body with landmarks ``points`` (33, 2) is searched."""
    hips = points[[BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP]].mean(0)
    reach = float(np.linalg.norm(points - hips, axis=1).max())
    return Roi(x=float(hips[0]), y=float(hips[1]), size=max(REGION_SCALE * reach, REGION_SIDE_MIN))

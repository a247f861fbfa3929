"""Whether the character stands as the actor stood, judged by two networks.

The heavy BlazePose network drives the puppet; its smaller sibling ``full``, which does not, looks at source and output
here. They were trained on the same data, so this is independent of one network's noise, not of a school's habits. The
small one is also the worse instrument: it loses forearms in front of ornamented clothes. So the driving network looks
too, and both figures are told.
"""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception import ModelPack
from bodydouble.perception.arrays import Image
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks, BodyNet

INDEPENDENT, DRIVING = "full", "heavy"
SCORE_MIN = 0.5
VISIBILITY_MIN = 0.5
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 11, 12, 23, 24
# The joints of COCO that BlazePose has, by the subject's own left and right.
JOINTS = {
    "nose": 0,
    "left eye": 2,
    "right eye": 5,
    "left ear": 7,
    "right ear": 8,
    "left shoulder": 11,
    "right shoulder": 12,
    "left elbow": 13,
    "right elbow": 14,
    "left wrist": 15,
    "right wrist": 16,
    "left hip": 23,
    "right hip": 24,
    "left knee": 25,
    "right knee": 26,
    "left ankle": 27,
    "right ankle": 28,
}


def torso_length(points: NDArray[np.floating]) -> float:
    """Middle of the shoulders to middle of the hips, in pixels; ``points`` is (33, 2)."""
    shoulders = points[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0)
    return float(np.hypot(*(shoulders - points[[LEFT_HIP, RIGHT_HIP]].mean(0))))


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
    """Looks at pairs of frames; not safe to call from two threads at once."""

    def __init__(self, pack: ModelPack, network: str = INDEPENDENT) -> None:
        self._net = BodyNet(pack, network)
        self.hits = JointHits()

    def add(self, source: Image, output: Image, body: NDArray[np.floating]) -> None:
        """``body`` (33, 2 or 3) says roughly where to look in both: the source's track."""
        roi = _region_around(body[:, :2])
        actor, character = self._settle(source, roi), self._settle(output, roi)
        if actor is None:
            return
        height, width = source.shape[:2]
        inside = ((actor.points >= 0) & (actor.points < (width, height))).all(1)
        seen = inside & (actor.visibility > VISIBILITY_MIN)
        self.hits.add(actor.points, seen, None if character is None else character.points)

    def _settle(self, image: Image, roi: Roi) -> BodyLandmarks | None:
        """The body near ``roi``, seen twice: the second time in the region that the first one asked for."""
        first = self._net.run(image, roi)
        if first.score < SCORE_MIN or not first.next_roi.inside(image.shape[1], image.shape[0]):
            return None
        second = self._net.run(image, first.next_roi)
        return second if second.score >= SCORE_MIN else None


def _region_around(points: NDArray[np.floating]) -> Roi:
    hips = points[[LEFT_HIP, RIGHT_HIP]].mean(0)
    reach = float(np.linalg.norm(points - hips, axis=1).max())
    return Roi(x=float(hips[0]), y=float(hips[1]), size=max(2.5 * reach, 16.0))

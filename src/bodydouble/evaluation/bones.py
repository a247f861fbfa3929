"""Whether limbs point as the actor's do and are as long as the character's own.

Joint positions cannot tell: a character stretched onto the actor's joints agrees with all of them. Directions must be
the actor's, lengths the character's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint, FacePoint
from bodydouble.perception.track import PersonTrack

DIRECTION_DEGREES_MAX = 20.0
"""A bone within this angle agrees: about twice what the pose network differs by between two renderings of one pose."""
OPPOSITE_DEGREES = 180.0
"""The angle of a limb that the character does not show: the largest there is."""
LENGTH_RANGE = (0.9, 1.1)
"""Of the character's own length: within it a limb looks right."""
SEEN_MIN = 0.5
"""Visibility of both ends from which a bone counts."""
FORESHORTENED_MIN = 0.5
"""Projected length over the bone's longest in the clip, below which its direction in the picture is noise."""
SLOPE_MAX = 0.48
"""Depth difference of the ends over the projected length, up to which a bone is seen frontally: it is foreshortened by
10 % then (26 degrees), as much as a length may be off."""
SLOPE_DIFFERENCE_MAX = 0.25
"""From the slope in the reference: within it both are foreshortened alike. The network's depths have a bias, a neck
always leans forward, that cancels in the difference."""
FORESHORTENING_MAX = 0.05
"""By which the foreshortening by those slopes differs at most: half of what a length may be off. A slope of 0.6 in the
picture and of 0.85 in the result make 11 % of the length."""
TURN_MAX = 1.0
"""Depth over width of shoulders and hips, up to which a body is seen frontally (45 degrees). From the side the network
puts hips up to 8 % of the trunk too low, and sees long trunks and short thighs in rigid drawings."""
SCALE_FRAMES = 24
"""Window of the scale: about a second."""
SCALE_MIN = 1e-6
"""Of the character's own lengths: keeps the ratios finite where all bones are points."""
NOISE_FRAMES = 9
"""Window of a length: the network's lengths of a rigid limb differ by 5 to 10 % from frame to frame. A limb that is
drawn too long is so for longer than a third of a second."""
LONGEST_PERCENTILE = 95
"""Of a bone's lengths in a clip: the longest without outliers."""
FRAMES_MIN = 4
"""Frontal frames from which a bone's length is judged."""


@dataclass(frozen=True, kw_only=True)
class Bone:
    """From the middle of ``start`` to the middle of ``end``, body landmarks."""

    start: tuple[BodyPoint, ...]
    end: tuple[BodyPoint, ...]


SHOULDERS = (BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER)
HIPS = (BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP)
EARS = (BodyPoint.LEFT_EAR, BodyPoint.RIGHT_EAR)
BONES = {
    "neck": Bone(start=SHOULDERS, end=EARS),
    "trunk": Bone(start=SHOULDERS, end=HIPS),
    "shoulders": Bone(start=SHOULDERS[:1], end=SHOULDERS[1:]),
    "left upper arm": Bone(start=(BodyPoint.LEFT_SHOULDER,), end=(BodyPoint.LEFT_ELBOW,)),
    "right upper arm": Bone(start=(BodyPoint.RIGHT_SHOULDER,), end=(BodyPoint.RIGHT_ELBOW,)),
    "left forearm": Bone(start=(BodyPoint.LEFT_ELBOW,), end=(BodyPoint.LEFT_WRIST,)),
    "right forearm": Bone(start=(BodyPoint.RIGHT_ELBOW,), end=(BodyPoint.RIGHT_WRIST,)),
    "left thigh": Bone(start=(BodyPoint.LEFT_HIP,), end=(BodyPoint.LEFT_KNEE,)),
    "right thigh": Bone(start=(BodyPoint.RIGHT_HIP,), end=(BodyPoint.RIGHT_KNEE,)),
    "left shin": Bone(start=(BodyPoint.LEFT_KNEE,), end=(BodyPoint.LEFT_ANKLE,)),
    "right shin": Bone(start=(BodyPoint.RIGHT_KNEE,), end=(BodyPoint.RIGHT_ANKLE,)),
}
LOOKS_SHARE_MIN = 0.5
"""Share of the looks at the reference image, above which a bone has to be seen in them."""
NECK = "neck"
LIMBS = tuple(name for name in BONES if name not in (NECK, "trunk", "shoulders"))
HEAD = "head"
"""Forehead to chin of the face mesh; judged like a bone."""


@dataclass(frozen=True, kw_only=True)
class _Bones:
    vectors: NDArray[np.float64]  # (F, 3) x, y, z of the bone, NaN where it is not seen

    @property
    def lengths(self) -> NDArray[np.float64]:
        """(F,) in the picture."""
        return np.hypot(self.vectors[:, 0], self.vectors[:, 1])

    @property
    def slopes(self) -> NDArray[np.float64]:
        """(F,) depth difference over the length in the picture."""
        return self.vectors[:, 2] / np.maximum(self.lengths, 1.0)


def _bones(track: PersonTrack, size: tuple[int, int]) -> dict[str, _Bones]:
    result: dict[str, _Bones] = {}
    points = track.body[..., :2]
    inside: NDArray[np.bool_] = np.asarray(np.all((points >= 0) & (points < size), axis=-1), np.bool_)
    seen: NDArray[np.bool_] = inside & (track.visibility > SEEN_MIN) & track.present[:, None]
    for name, bone in BONES.items():
        ends = [track.body[:, list(points)].astype(np.float64).mean(1) for points in (bone.start, bone.end)]
        both = np.all(seen[:, [*bone.start, *bone.end]], axis=1)
        result[name] = _Bones(vectors=np.where(both[:, None], ends[1] - ends[0], np.nan))
    face = track.face.astype(np.float64)
    head = face[:, FacePoint.CHIN] - face[:, FacePoint.FOREHEAD_TOP]
    result[HEAD] = _Bones(vectors=np.where(track.face_found[:, None], head, np.nan))
    return result


@dataclass(frozen=True, kw_only=True)
class BoneDirections:
    """Agreement of limb directions; None where no limb was seen in both videos."""

    share: float | None  # of all limbs in all frames within ``DIRECTION_DEGREES_MAX``
    degrees: float | None  # median angle


def bone_directions(actor: PersonTrack, character: PersonTrack, size: tuple[int, int]) -> BoneDirections:
    """How the character's limbs point in the picture, against the actor's. A missing limb disagrees.

    ``size`` is the frame's width and height. Limbs that point at the camera are not judged.
    """
    ours, theirs = _bones(character, size), _bones(actor, size)
    angles: list[NDArray[np.float64]] = []
    for name in LIMBS:
        a, b = theirs[name], ours[name]
        if not np.isfinite(a.lengths).any():
            continue
        longest = np.nanpercentile(a.lengths, LONGEST_PERCENTILE)
        judged = a.lengths >= FORESHORTENED_MIN * longest
        cross = a.vectors[:, 0] * b.vectors[:, 1] - a.vectors[:, 1] * b.vectors[:, 0]
        dot = a.vectors[:, 0] * b.vectors[:, 0] + a.vectors[:, 1] * b.vectors[:, 1]
        angle = np.degrees(np.abs(np.arctan2(cross, dot)))
        angles.append(np.where(np.isfinite(angle), angle, OPPOSITE_DEGREES)[judged])
    every = np.concatenate(angles) if angles else np.zeros(0)
    if not len(every):
        return BoneDirections(share=None, degrees=None)
    return BoneDirections(share=float((every <= DIRECTION_DEGREES_MAX).mean()), degrees=float(np.median(every)))


@dataclass(frozen=True, kw_only=True)
class BoneLengths:
    """Lengths against the character's own, at a scale that changes slowly."""

    share: float | None  # of all frontal bones in all frames within ``LENGTH_RANGE``
    limb_share: float | None  # the same of neck and limbs alone
    ratios: dict[str, float]  # median ratio of each bone, 1 is the character's own length


def bone_lengths(
    reference: PersonTrack, reference_size: tuple[int, int], character: PersonTrack, size: tuple[int, int]
) -> BoneLengths:
    """Lengths of bones and head that are seen as in the reference image, over their lengths there.

    Each frame of ``reference`` is one look at that image; the median of the looks counts. Bones that point at the
    camera in either are not judged, nor is a body that is seen from the side. A neck may lean. Sizes are width and
    height.
    The scale is the one at which most bones agree, in a window of frames: the actor may walk towards the camera.
    """
    made, frontal = _bones(character, size), _frontal(character)
    ratios: dict[str, NDArray[np.float64]] = {}
    for name, own in _bones(reference, reference_size).items():
        if np.isfinite(own.lengths).mean() <= LOOKS_SHARE_MIN:
            continue
        slope, length = float(np.nanmedian(own.slopes)), float(np.nanmedian(own.lengths))
        slopes = made[name].slopes
        alike = frontal & (np.abs(slopes - slope) <= SLOPE_DIFFERENCE_MAX)
        alike &= np.abs(np.hypot(1, slope) / np.hypot(1, slopes) - 1) <= FORESHORTENING_MAX
        if (name == NECK or abs(slope) <= SLOPE_MAX) and alike.sum() >= FRAMES_MIN:
            ratios[name] = np.where(alike, made[name].lengths / max(length, 1.0), np.nan)
    if len(ratios) < 2:
        return BoneLengths(share=None, limb_share=None, ratios={})
    table = _steady(np.stack(list(ratios.values())), character.shot)  # (bones, F)
    table = table / _scales(table, character.shot)
    return BoneLengths(
        share=_share_in_range(table),
        limb_share=_share_in_range(table[[name in (NECK, *LIMBS) for name in ratios]]),
        ratios={name: float(np.nanmedian(row)) for name, row in zip(ratios, table, strict=True)},
    )


def _frontal(track: PersonTrack) -> NDArray[np.bool_]:
    """(F,) where shoulders and hips are turned by ``TURN_MAX`` at most."""
    points = track.body.astype(np.float64)
    across = points[:, SHOULDERS[0]] - points[:, SHOULDERS[1]] + points[:, HIPS[0]] - points[:, HIPS[1]]
    width = np.maximum(np.hypot(across[:, 0], across[:, 1]), 1.0)
    return np.asarray(np.abs(across[:, 2]) <= TURN_MAX * width, np.bool_)


def _share_in_range(table: NDArray[np.float64]) -> float | None:
    """Of the ratios in ``table`` (bones, F) that are not NaN; None without any."""
    judged = table[np.isfinite(table)]
    if not len(judged):
        return None
    return float(((judged >= LENGTH_RANGE[0]) & (judged <= LENGTH_RANGE[1])).mean())


def _steady(table: NDArray[np.float64], shot: NDArray[np.int32]) -> NDArray[np.float64]:
    """(bones, F) each length as the median over ``NOISE_FRAMES`` around it in its shot; NaN where it is not judged."""
    result = table.copy()
    for i in range(table.shape[1]):
        near = np.arange(max(0, i - NOISE_FRAMES // 2), min(table.shape[1], i + NOISE_FRAMES // 2 + 1))
        window = table[:, near[shot[near] == shot[i]]]
        judged = np.isfinite(table[:, i])
        if judged.any():
            result[judged, i] = np.nanmedian(window[judged], axis=1)
    return result


def _scales(table: NDArray[np.float64], shot: NDArray[np.int32]) -> NDArray[np.float64]:
    """(F,) the scale at which most bones agree, by their median ratios within ``SCALE_FRAMES`` of the frame's shot."""
    result = np.ones(table.shape[1])
    for i in range(table.shape[1]):
        near = np.arange(max(0, i - SCALE_FRAMES // 2), min(table.shape[1], i + SCALE_FRAMES // 2 + 1))
        window = table[:, near[shot[near] == shot[i]]]
        medians = [float(np.nanmedian(row)) for row in window if np.isfinite(row).any()]
        if medians:
            result[i] = max(_common_scale(sorted(medians)), SCALE_MIN)
    return result


def _common_scale(ratios: list[float]) -> float:
    """The median of the largest group of the ascending ``ratios`` that one scale brings into ``LENGTH_RANGE``.

    Of several such groups the closest one counts. A median of all would be off where few bones are seen.
    """
    low, high = LENGTH_RANGE
    groups = [[ratio for ratio in ratios[i:] if ratio * low <= least * high] for i, least in enumerate(ratios)]
    return float(np.median(max(groups, key=lambda group: (len(group), group[0] / max(group[-1], SCALE_MIN)))))

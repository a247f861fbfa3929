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
SLOPE_DIFFERENCE_MAX, NECK_DIFFERENCE_MAX = 0.25, 0.5
"""From the slope in the reference, of trunk, shoulders and head, and of the neck: within it both are foreshortened
alike. The network's depths have a bias, a neck always leans forward, that cancels in the difference. A nod hides the
neck: the head has to be tilted as in the picture too."""
FRONTAL_MIN = 0.9
"""A limb's length in the driving video over its longest about that time, of both sides, from which it is frontal."""
LONGEST_FRAMES = 48
"""Frames before and after, among which a limb's longest length is looked for: the actor may walk away."""
BONES_MIN = 3
"""Bones seen about a frame from which there is a scale: one bone agrees with any, and two with one between them."""
JUDGED_MIN = 0.5
"""Share of the frames in which neck or limbs have to be judged for their lengths to be told: few prove nothing."""
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
THIGHS = ("left thigh", "right thigh")
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
    limb_share: float | None  # the same of neck and limbs alone; None where they are judged too seldom
    judged: float | None  # share of the character's frames in which neck or limbs are judged
    ratios: dict[str, float]  # median ratio of each bone, 1 is the character's own length


def bone_lengths(
    reference: PersonTrack,
    reference_size: tuple[int, int],
    actor: PersonTrack,
    character: PersonTrack,
    size: tuple[int, int],
) -> BoneLengths:
    """Lengths of the character's bones and head over those in the reference image.

    Each frame of ``reference`` is one look at that image; the median of the looks counts. Sizes are width and height.
    A limb is judged where the actor's is seen frontally: the driving video tells it better than the drawn result. Trunk
    and head are judged where they are tilted as in the picture, and thighs and trunk of bodies seen from the front.
    The scale is the one at which most bones agree, in a window of frames: the actor may walk towards the camera.
    """
    own, acted, made = _bones(reference, reference_size), _bones(actor, size), _bones(character, size)
    facing = _frontal(character)
    ratios: dict[str, NDArray[np.float64]] = {}
    for name in own:
        if name in LIMBS:
            ratio = _limb_ratio(name, own, acted, made)
            if name in THIGHS:
                ratio = np.where(facing & _frontal(actor), ratio, np.nan)
        else:
            ratio = np.where(facing, _trunk_ratio(name, own, made), np.nan)
        if np.isfinite(ratio).sum() >= FRAMES_MIN:
            ratios[name] = ratio
    limbs = [name in (NECK, *LIMBS) for name in ratios]
    frames = character.present
    if len(ratios) < BONES_MIN or not frames.any():
        return BoneLengths(share=None, limb_share=None, judged=0.0 if frames.any() else None, ratios={})
    table = _steady(np.stack(list(ratios.values())), character.shot)  # (bones, F)
    table = table / _scales(table, character.shot)
    judged = float(np.isfinite(table[limbs][:, frames]).any(axis=0).mean())
    return BoneLengths(
        share=_share_in_range(table),
        limb_share=_share_in_range(table[limbs]) if judged >= JUDGED_MIN else None,
        judged=judged,
        ratios={
            name: float(np.nanmedian(row)) for name, row in zip(ratios, table, strict=True) if np.isfinite(row).any()
        },
    )


def _limb_ratio(
    name: str, own: dict[str, _Bones], acted: dict[str, _Bones], made: dict[str, _Bones]
) -> NDArray[np.float64]:
    """(F,) length over the character's own, where the actor's limb is frontal; NaN elsewhere.

    Own is the longer one of both sides, if the picture shows it frontally. What little foreshortening the actor's limb
    has left is taken off.
    """
    pair = (name, other_side(name))
    seen = [own[side] for side in pair if np.isfinite(own[side].lengths).mean() > LOOKS_SHARE_MIN]
    looks = [(float(np.nanmedian(bone.lengths)), float(np.nanmedian(bone.slopes))) for bone in seen]
    length, slope = max(looks, default=(0.0, np.inf))
    if abs(slope) > SLOPE_MAX:
        return np.full(len(made[name].lengths), np.nan)
    share = acted[name].lengths / _longest(np.stack([acted[side].lengths for side in pair]))
    frontal = (np.abs(acted[name].slopes) <= SLOPE_MAX) & (share >= FRONTAL_MIN)
    return np.where(frontal, made[name].lengths / max(length, 1.0) / np.minimum(share, 1.0), np.nan)


def _trunk_ratio(name: str, own: dict[str, _Bones], made: dict[str, _Bones]) -> NDArray[np.float64]:
    """(F,) length of trunk, shoulders, neck or head over that in the picture where both are tilted alike, else NaN."""
    limits = {NECK: NECK_DIFFERENCE_MAX, HEAD: SLOPE_DIFFERENCE_MAX} if name == NECK else {name: SLOPE_DIFFERENCE_MAX}
    alike = np.isfinite(made[name].lengths)
    for bone, difference in limits.items():
        if np.isfinite(own[bone].lengths).mean() <= LOOKS_SHARE_MIN:
            return np.full(len(alike), np.nan)
        slope = float(np.nanmedian(own[bone].slopes))
        alike &= (np.abs(made[bone].slopes - slope) <= difference) & (name == NECK or abs(slope) <= SLOPE_MAX)
    return np.where(alike, made[name].lengths / max(float(np.nanmedian(own[name].lengths)), 1.0), np.nan)


def other_side(limb: str) -> str:
    """The name in ``BONES`` of the same limb on the other side."""
    side, bone = limb.split(" ", 1)
    return f"{'right' if side == 'left' else 'left'} {bone}"


def _longest(lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F,) the longest of both sides' ``lengths`` (2, F) within ``LONGEST_FRAMES``, outliers aside; NaN without any."""
    result = np.full(lengths.shape[1], np.nan)
    for i in range(lengths.shape[1]):
        near = lengths[:, max(0, i - LONGEST_FRAMES) : i + LONGEST_FRAMES + 1]
        if np.isfinite(near).any():
            result[i] = max(float(np.nanpercentile(near, LONGEST_PERCENTILE)), 1.0)
    return result


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
    """(F,) the scale at which most bones agree, by their median ratios within ``SCALE_FRAMES`` of the frame's shot.

    NaN where fewer than ``BONES_MIN`` are seen.
    """
    result = np.full(table.shape[1], np.nan)
    for i in range(table.shape[1]):
        near = np.arange(max(0, i - SCALE_FRAMES // 2), min(table.shape[1], i + SCALE_FRAMES // 2 + 1))
        window = table[:, near[shot[near] == shot[i]]]
        medians = [float(np.nanmedian(row)) for row in window if np.isfinite(row).any()]
        if len(medians) >= BONES_MIN:
            result[i] = max(_common_scale(sorted(medians)), SCALE_MIN)
    return result


def _common_scale(ratios: list[float]) -> float:
    """The median of the largest group of the ascending ``ratios`` that one scale brings into ``LENGTH_RANGE``.

    Of several such groups the closest one counts. A median of all would be off where few bones are seen.
    """
    low, high = LENGTH_RANGE
    groups = [[ratio for ratio in ratios[i:] if ratio * low <= least * high] for i, least in enumerate(ratios)]
    return float(np.median(max(groups, key=lambda group: (len(group), group[0] / max(group[-1], SCALE_MIN)))))

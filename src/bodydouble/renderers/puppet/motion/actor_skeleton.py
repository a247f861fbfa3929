"""The actor as a skeleton of constant bone lengths: which way each bone points in each frame."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.landmark_indices import KNEES, BodyPoint
from bodydouble.perception.smoothing import fill_gaps, gaussian_smoothed, spans
from bodydouble.perception.trunk import (
    HIPS,
    SHOULDERS,
    hip_centre,
    hip_vector,
    shoulder_centre,
    shoulder_vector,
    spine_vector,
)
from bodydouble.renderers.puppet.body.skeleton import ARMS, DEPTH_GAIN, LEGS, SIDES
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.size import KNEES_UNSEEN_MAX, SIZE_SIGMA, along_trend, trunk_lengths

Array = NDArray[np.float64]

POSITION_SIGMA, DEPTH_SIGMA = 1.0, 3.0
"""Frames of smoothing beyond the track's own: depth is noisier than position."""
SIZE_CHANGE_MIN = 1.2
"""Largest over smallest size up to which the actor is taken to stay at one distance."""
FAST = (0.03, 0.1)
"""Trunk lengths that this smoothing moves a joint that is seen, up to which it counts as noise, and from which the
joint really is elsewhere: arms swing fast. Chosen by eye on a dancer at four times the speed."""
HIDDEN = (0.2, 0.5)
"""Visibilities below and above which a joint is hidden, and seen."""
HIDDEN_SIGMAS, NEARER = (1.5, 3.0, 6.0), 0.1
"""Frames over which a hidden joint's place is averaged, and how much each wider average weighs beside the one before:
what is seen next to a short gap counts most, for limbs that move fast. Measured by hiding joints that are seen: off by
0.07, 0.10 and 0.12 spine lengths in gaps of 2, 6 and 9 frames; by 0.16 with the widest average alone."""
GUESS_SHARE, GUESS_SIGMA, GUESS_STEADY, GUESS_STEADY_SIGMA = 0.02, 3.0, 0.08, 3.0
"""Weight of the network's own guesses of a hidden arm in these averages, and the frames over which they are averaged.
Only steady guesses count: this many trunk lengths, as a standard deviation, beside their average over so many frames.
In gaps of up to 6 frames what is seen beside them weighs more; an arm that stays behind the head for 20 frames was
drawn where it had been before. Chosen by eye on a dancer."""
VISIBILITY_LEAST = 0.02
"""Smallest weight of a hidden joint there, as a visibility."""
SITS_SIGMA = 6.0
"""Frames, sigma of the Gaussian that steadies how much somebody sits."""
FOLDED, FOLDED_SIGMAS = (0.7, 0.95), (24.0,)
"""The same two for the legs of somebody who sits. Measured: 0.2 to 0.85 where they are folded, and guessed."""
SITTING, STANDING = 0.3, 0.5
"""Trunk lengths from the hips down to the knees up to which somebody sits or crouches, and from which he stands.
Measured on the development clips: -0.4 to 0.3 of who sits or crouches, 0.7 to 1 of who stands, 0.5 from high above."""
TRUNK = [*SHOULDERS, *HIPS]
"""Body landmarks of shoulders and hips."""
LIMBS = [*range(BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_HIP), *range(BodyPoint.LEFT_KNEE, BodyPoint.RIGHT_TOE + 1)]
"""Body landmarks of arms and legs."""
LENGTH_SHARE = 0.92
"""A bone's length over the median of its length in space, which depth noise makes longer."""
LENGTH_OVER_FLAT = 1.1
"""Largest length of a bone over its longest projection."""
FLAT_PERCENTILE = 90
"""A bone is at least as long as it looks in this percentile of the frames, and at most 1.1 times that."""
SHORTEST = 0.85
"""Smallest length of a limb over the template's, in proportion to the spine: it may be foreshortened in every frame."""
TRUNK_WIDTHS_MIN = MappingProxyType({"shoulders": 0.5, "pelvis": 0.28})
"""Widths between shoulders' and hips' joints over the spine's length, at least: somebody seen from the side in all
frames shows a few pixels of them, and trembling ones, which would count as a front. Measured in seven clips that show
fronts or backs: 0.52 to 0.75, and 0.30 to 0.38."""
NOISE_SINE = (0.15, 0.35)
"""Sines of a tilt: up to the first it is noise and counts as none; over a range as wide as the second it fades in."""
TILT_SURE = (0.6, 0.8)
"""Length on screen over its own at which an arm is surely tilted, and from which only depth tells. Measured on clips:
arms in the picture plane look down to 0.8 of their length, by the landmarks."""
TINY = 1e-6
"""Lengths in pixels below it count as zero."""


@dataclass(frozen=True, kw_only=True)
class ActorSkeleton:
    """Bones of one shot; names as the template's, "shoulders", "pelvis" and "spine" for the trunk's three lines."""

    points: Array  # (F, 33, 3) px, smoothed landmarks, z away from the camera
    size: Array  # (F,) how large the actor is seen over the usual: distance and zoom; 1 where both stay
    vectors: dict[str, Array]  # (F, 3) each, as at the usual size
    lengths: dict[str, float]  # px

    @property
    def shoulders(self) -> Array:
        """(F, 3) between the shoulders."""
        return shoulder_centre(self.points)

    @property
    def hips(self) -> Array:
        """(F, 3) between the hips."""
        return hip_centre(self.points)

    def direction(self, bone: str, index: int) -> Array:
        """(3,) unit vector of ``bone`` in frame ``index``, z away from the camera.

        x and y are as in the picture. The tilt towards or away from the camera follows from how much shorter than
        ``lengths`` the bone looks; the network's depth gives only its sign.
        """
        flat, length = self.vectors[bone][index], self.lengths[bone]
        share = float(np.hypot(*flat[:2])) / length
        if share >= 1:
            return np.array([flat[0], flat[1], 0.0]) / max(float(np.hypot(*flat[:2])), TINY)
        return np.array([flat[0] / length, flat[1] / length, np.sign(flat[2]) * np.sqrt(1 - share**2)])

    def arm_direction(self, bone: str, index: int) -> Array:
        """(3,) unit vector as ``direction`` gives it, but a small tilt has to agree with the network's depth.

        An arm that looks a little short is more often measured too short than tilted.
        """
        direction, length = self.direction(bone, index), self.lengths[bone]
        plane, sine = float(np.hypot(*direction[:2])), abs(float(direction[2]))
        agreed = min(sine, abs(float(self.vectors[bone][index, 2])) / (DEPTH_GAIN * length))
        doubt = float(faded(plane, *TILT_SURE))
        sine += doubt * (agreed - sine)
        return np.array([*(direction[:2] / max(plane, TINY) * np.sqrt(1 - sine**2)), np.copysign(sine, direction[2])])

    def cautious_direction(self, bone: str, index: int) -> Array:
        """(3,) unit vector as ``direction`` gives it, but with a smaller tilt.

        Its sine is the smaller of those by the bone's apparent length and by the network's depth, faded in by
        ``NOISE_SINE``.
        """
        flat, length = self.vectors[bone][index], self.lengths[bone]
        plane = float(np.hypot(*flat[:2]))
        share = min(plane / length, 1.0)
        sine = min(np.sqrt(1 - share**2), abs(float(flat[2])) / length, 1.0)
        sine *= min(max((sine - NOISE_SINE[0]) / NOISE_SINE[1], 0.0), 1.0)
        along = flat[:2] / max(plane, TINY)
        return np.array([*(along * np.sqrt(1 - sine**2)), np.sign(flat[2]) * sine])


def build_actor_skeleton(motion: Motion, template: BodyTemplate, size: Array) -> ActorSkeleton:
    """The skeleton of the smoothed ``motion`` of an actor of relative ``size`` (F,).

    Lengths are taken over all frames in which the actor is present.
    """
    points, here = _smoothed(motion), motion.present
    vectors: dict[str, Array] = {
        "shoulders": shoulder_vector(points),
        "pelvis": hip_vector(points),
        "spine": spine_vector(points),
    }
    vectors = {name: vector / size[:, None] for name, vector in vectors.items()}
    lengths = {name: _length([vector[here]]) for name, vector in vectors.items()}
    for name, least in TRUNK_WIDTHS_MIN.items():
        lengths[name] = max(lengths[name], least * lengths["spine"])
    for chains, bones in ((ARMS, ("upperarm", "lowerarm", "hand")), (LEGS, ("thigh", "calf", "foot"))):
        for k, bone in enumerate(bones):
            for side in SIDES:
                chain = chains[side]
                stop = points[:, chain.joints[k + 1]] if k < 2 else points[:, list(chain.tip)].mean(1)
                vectors[f"{bone}_{side}"] = (stop - points[:, chain.joints[k]]) / size[:, None]
            both = _length([vectors[f"{bone}_{side}"][here] for side in SIDES])
            lengths |= {f"{bone}_{side}": both for side in SIDES}
    _lengthen_limbs(lengths, template)
    return ActorSkeleton(points=points, size=size, vectors=vectors, lengths=lengths)


def relative_size(motion: Motion) -> Array:
    """(F,) the size of the actor's head over its median, smoothed; 1 throughout where it changes by little.

    A turned face looks smaller and a bent trunk shorter, but neither is farther away: where knees are in sight, size
    changes only as far as head and trunk agree. Small changes are the tracking's.
    """
    here = motion.present
    if not here.any():
        return np.ones(len(motion))
    head, trunk = _log_over_median(motion.head_size, here), _log_over_median(trunk_lengths(motion.body, here), here)
    both = np.sign(head) * np.clip(np.sign(head) * trunk, 0, np.abs(head))
    change = np.where(motion.visibility[:, KNEES].max(1) > KNEES_UNSEEN_MAX, both, head)
    return size_of(motion, change, SIZE_CHANGE_MIN)


def size_of(motion: Motion, change: Array, change_min: float) -> Array:
    """(F,) sizes with the logarithms ``change`` (F,), smoothed; 1 throughout where they change less.

    ``change_min``: largest over smallest size.
    """
    result = np.ones(len(motion))
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        seen = fill_gaps(change[start:stop], ~motion.cut_off[start:stop])
        result[start:stop] = np.exp(along_trend(seen, SIZE_SIGMA))
    seen = result[motion.present]
    return result if float(seen.max() / seen.min()) >= change_min else np.ones(len(motion))


def _log_over_median(sizes: Array, here: NDArray[np.bool_]) -> Array:
    """(F,) logarithms of ``sizes`` (F,) over their median of the frames that are ``here`` (F,)."""
    return np.log(np.maximum(sizes / max(float(np.median(sizes[here])), TINY), TINY))


def _smoothed(motion: Motion) -> Array:
    """(F, 33, 3) landmarks, bridged where the actor is absent, smoothed within each presence."""
    points = np.dstack([motion.body, motion.depth * DEPTH_GAIN])
    result = points.copy()
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        part = _steadied(points[start:stop], motion.visibility[start:stop])
        result[start:stop, :, :2] = _steady_at_rest(part[..., :2], motion.visibility[start:stop])
        result[start:stop, :, 2] = gaussian_smoothed(part[..., 2], DEPTH_SIGMA)
    return result


def _steady_at_rest(points: Array, visibility: Array) -> Array:
    """``points`` (F, 33, 2) smoothed, but for joints that are seen and fast; ``visibility`` (F, 33) is 0-1."""
    smooth = gaussian_smoothed(points, POSITION_SIGMA)
    unit = np.linalg.norm(shoulder_centre(points) - hip_centre(points), axis=1)
    away = np.linalg.norm(points - smooth, axis=2) / np.maximum(unit, 1.0)[:, None]
    fast = faded(away, *FAST) * faded(visibility, *HIDDEN)
    return smooth + fast[..., None] * (points - smooth)


def _steadied(points: Array, visibility: Array) -> Array:
    """``points`` (F, 33, 3) with limbs that are hidden near where they are seen before and after, beside the trunk.

    The network guesses a hidden joint anew in each frame, and folded legs of somebody who sits now one way, now the
    other: these are held still beside the hips. ``visibility`` (F, 33) is 0-1.
    """
    result = points.copy()
    limbs, legs = LIMBS, LIMBS[LIMBS.index(BodyPoint.LEFT_KNEE) :]
    spine = np.maximum(np.linalg.norm(spine_vector(points), axis=1), 1.0)
    guess = np.where(np.isin(limbs, legs)[:, None], 0.0, GUESS_SHARE * _steadiness(points[:, limbs], spine))
    result[:, limbs] = _bridged(
        points[:, limbs], points[:, TRUNK].mean(1), visibility[:, limbs], HIDDEN, HIDDEN_SIGMAS, guess
    )
    folded = _bridged(points[:, legs], points[:, HIPS].mean(1), visibility[:, legs], FOLDED, FOLDED_SIGMAS)
    below = (points[:, KNEES, 1].mean(1) - points[:, HIPS, 1].mean(1)) / spine
    sits = gaussian_smoothed(faded(below, STANDING, SITTING), SITS_SIGMA)
    result[:, legs] += sits[:, None, None] * (folded - result[:, legs])
    return result


def _steadiness(points: Array, spine: Array) -> Array:
    """(F, N, 1) 0-1: how steadily ``points`` (F, N, 3) move. ``spine`` (F,) px is the trunk's length, their unit."""
    flat = points[..., :2]
    away = np.linalg.norm(flat - gaussian_smoothed(flat, GUESS_STEADY_SIGMA), axis=2, keepdims=True)
    return np.exp(-0.5 * (away / (GUESS_STEADY * spine[:, None, None])) ** 2)


def _bridged(
    points: Array,
    centre: Array,
    visibility: Array,
    bounds: tuple[float, float],
    sigmas: tuple[float, ...],
    guess: Array | None = None,
) -> Array:
    """``points`` (F, N, 3) that are where they usually are beside ``centre`` (F, 3), as far as they are not seen.

    ``visibility`` (F, N); at the ``bounds`` a point counts as hidden, and as seen. ``sigmas``: frames for the usual.
    ``guess`` (F, N, 1): how much what the network says of hidden points counts in long gaps.
    """
    centre = centre[:, None]
    weight = np.clip(visibility[..., None], VISIBILITY_LEAST, 1) ** 2
    beside = points - centre
    sure = faded(visibility[..., None], *bounds) ** 2
    above, below = np.zeros_like(beside), np.zeros_like(weight)
    if guess is not None:
        above += gaussian_smoothed(beside * guess, GUESS_SIGMA)
        below += gaussian_smoothed(guess, GUESS_SIGMA)
    for k, sigma in enumerate(sigmas):
        counted = weight if k == len(sigmas) - 1 else sure  # what is hidden all the time is averaged over long
        above += NEARER**k * gaussian_smoothed(beside * counted, sigma)
        below += NEARER**k * gaussian_smoothed(counted, sigma)
    usual = above / below
    seen = gaussian_smoothed(faded(visibility[..., None], *bounds), POSITION_SIGMA)
    return centre + seen * beside + (1 - seen) * usual


def _length(vectors: list[Array]) -> float:
    """Pixels: one length for bones that are alike, from their vectors (F, 3) in all frames."""
    stacked = np.concatenate(vectors)
    if len(stacked) == 0:
        return 1.0
    flat = float(np.percentile(np.hypot(stacked[:, 0], stacked[:, 1]), FLAT_PERCENTILE))
    return max(
        float(np.clip(np.median(np.linalg.norm(stacked, axis=1)) * LENGTH_SHARE, flat, LENGTH_OVER_FLAT * flat)), 1.0
    )


def _lengthen_limbs(lengths: dict[str, float], template: BodyTemplate) -> None:
    """Bring limbs to at least ``SHORTEST`` of the template's proportions; in place."""
    joints = template.joints
    shoulders, hips = (
        (joints[f"joint-l-{name}"] + joints[f"joint-r-{name}"]) / 2 for name in ("shoulder", "upper-leg")
    )
    unit = lengths["spine"] / float(np.linalg.norm(shoulders - hips))
    for bone, first, second in (
        ("upperarm", "shoulder", "elbow"),
        ("lowerarm", "elbow", "hand"),
        ("thigh", "upper-leg", "knee"),
        ("calf", "knee", "ankle"),
    ):
        own = float(np.linalg.norm(joints[f"joint-l-{first}"] - joints[f"joint-l-{second}"]))
        for side in SIDES:
            lengths[f"{bone}_{side}"] = max(lengths[f"{bone}_{side}"], SHORTEST * own * unit)


def faded(values: Array | float, none: float, full: float) -> Array:
    """0 where ``values`` (...) are at ``none`` or beyond, 1 at ``full``; in between in proportion."""
    return np.clip((values - none) / (full - none), 0, 1)

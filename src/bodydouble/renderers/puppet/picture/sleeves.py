"""Cloth beside bare arms: a short sleeve is the arm's, a loose shirt that hangs before the arm is the trunk's."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS
from bodydouble.renderers.puppet.body.surface import continued
from bodydouble.renderers.puppet.compositing.light import exact_lab, lab_of
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.picture.colour_models import learn_models, log_likelihood_ratio
from bodydouble.renderers.puppet.picture.extension import skin_like
from bodydouble.renderers.puppet.picture.regions import opened, pieces, touching, widened

Array = NDArray[np.float64]

BARE_UP_TO = 1.5
"""The place along an arm up to which it is bare, the middle of the forearm: below it only hands and wrists are."""
NOWHERE = np.inf
"""The place from which on an arm in sleeves is bare."""
SLEEVE_BEGINS = 0.4
"""Share of the way from shoulder to elbow within which a sleeve begins."""
AT_THE_OUTLINE = 0.2
"""Share of its rim with which a sleeve reaches the outline at least. Chosen by eye on short sleeves and a flounce."""
OVEREXPOSED_HUE, OVEREXPOSED_MAX = 5.0, 90.0
"""Distance in CIELAB, of a and b together, and the L* up to which a pale colour is skin in a strong light. Measured:
arms before white walls within 4, white tops 7 and lighter."""
STEPS = 24
"""Pieces of an upper arm, and of a forearm, in which cloth is compared with what is bare."""

HANGING_STEEP = 2.0
"""Fall over sideways run of both bones from which on an arm hangs beside the trunk: it is on one side of the arm."""
INNER_WIDTH, WIDE = 1.25, 1.5
"""Width of a hanging sleeve from its bone towards the trunk over that to the outside, and what only cloth of the trunk
reaches. Measured: 0.8 to 1.3 of baggy sleeves, 1.5 to 2.6 where a jacket's front was taken for its sleeve."""
BESIDE_ARM, SLEEVE_ROWS = 1.0, 0.8
"""Decimetres beside a hanging arm within which its sleeve ends, and its height there at least: buttons, logos and folds
end shirts and coats too. Chosen by eye on a wide sleeve beside trousers, a printed shirt and a coat."""
RAISED, ARMPIT = 0.3, 0.1
"""Rise of an upper arm over its length from which on it is raised, and decimetres beyond its shoulder down to which it
then reaches. Chosen by eye on raised arms."""
STEPS_MEDIAN, WIDE_STEPS_MIN = 5, 6
"""Pieces of a bone of whose widths the median counts, and of a bone that are too wide at least: a quarter. Hands in
pockets make fewer."""


def bare_skin(image: Image, person: Mask, tones: Sequence[Array]) -> Mask:
    """(h, w) what of the ``person`` (h, w) has one of the ``tones`` of skin, (3,) 0-255 each, lit or in the shade."""
    bare = np.zeros(person.shape, np.bool_)
    for skin in tones:
        bare |= skin_like(image, skin, person) | _overexposed(image, skin, person)
    return bare


def bare_from(arm: Mask, bare: Mask, along: Floats) -> float:
    """The place ``along`` (h, w) from which on an ``arm`` (h, w) is ``bare`` (h, w); infinite if it is nowhere.

    A sleeve ends once: the place parts the arm so that most of it is covered above, and bare below.
    """
    steps = (np.clip(along, 0, 2) * STEPS).astype(np.intp)
    whole, naked = (np.bincount(steps[mask], minlength=2 * STEPS + 1)[: 2 * STEPS] for mask in (arm, arm & bare))
    below = np.cumsum((naked / np.maximum(whole, 1) - 0.5)[::-1] * (whole[::-1] > 0))[::-1]
    start = int(np.argmax(below))
    return start / STEPS if below[start] > 0 and start <= BARE_UP_TO * STEPS else NOWHERE


def own_seeds(image: Image, person: Mask, seeds: Mask, chest: Mask, bare: Mask, below: Mask) -> Mask:
    """``seeds`` (h, w) of an arm without the trunk's cloth before it: the bone's line may cross a loose shirt.

    ``person`` (h, w) is what is seen without face and hair, ``chest`` (h, w) surely no arm; ``bare`` (h, w) has the
    colour of skin. ``below`` (h, w): where the arm is bare. A bracelet does not touch the chest.
    """
    naked = seeds & bare
    if not naked.any() or not chest.any():
        return seeds
    other = person & ~bare & below
    if other.any():
        other[other] = log_likelihood_ratio(learn_models(image, naked, chest), image[other]) < 0
    return seeds & ~touching(other, chest)


def _overexposed(image: Image, skin: Array, where: Mask) -> Mask:
    """(h, w) what of ``where`` (h, w) is ``skin`` (3,) 0-255 in a light that takes its colour away towards white."""
    result = np.zeros(where.shape, np.bool_)
    own = exact_lab(skin)
    if where.any() and own[0] < OVEREXPOSED_MAX:
        lab = lab_of(image[where][None])[0]
        left = (100 - lab[:, 0]) / (100 - own[0])
        away = np.hypot(lab[:, 1] - left * own[1], lab[:, 2] - left * own[2])
        result[where] = (lab[:, 0] > own[0]) & (lab[:, 0] < OVEREXPOSED_MAX) & (away < OVEREXPOSED_HUE)
    return result


def sleeve(zone: Mask, bare: Mask, along: Floats, opaque: Mask) -> Mask:
    """(h, w) what of ``zone`` (h, w), on the body's arm, is a sleeve above a ``bare`` (h, w) forearm.

    It reaches the outline: cloth of the trunk that lies before an arm has the arm's own skin between itself and the
    outline. It begins at the shoulder, as the end of a lock of hair does not, and ends where more is bare than covered.
    ``along`` (h, w) is that of ``along_arm``.
    """
    cloth = opened(zone & (along < min(1.0, bare_from(zone | bare, bare, along))), 1)
    count, labels = pieces(cloth)
    rim = widened(cloth, 2) & ~cloth
    beside = continued(labels, cloth)
    around = np.bincount(beside[rim], minlength=count + 1)
    outside = np.bincount(beside[rim & ~opaque], minlength=count + 1)
    begins = np.bincount(labels[along < SLEEVE_BEGINS], minlength=count + 1)
    kept = np.flatnonzero((outside[1:] > AT_THE_OUTLINE * around[1:]) & (begins[1:] > 0)) + 1
    return cloth & np.isin(labels, kept)


def along_arm(fit: BodyFit, side: str, shape: tuple[int, ...]) -> Floats:
    """(h, w) as ``along_limb`` gives it for the arm of ``side``: 0 at the shoulder, 1 at the elbow, 2 at the wrist."""
    return along_limb(fit.joints.points[list(ARMS[side].joints), :2], shape)


def along_limb(joints: Array, shape: tuple[int, ...]) -> Floats:
    """(h, w) the place along the nearer of the two bones between ``joints`` (3, 2) px: 0, 1 and 2 at these."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    places: list[Floats] = []
    for start, end in (joints[:2], joints[1:]):
        bone = end - start
        places.append(((xs - start[0]) * bone[0] + (ys - start[1]) * bone[1]) / max(float(bone @ bone), 1.0))
    upper, lower = (distance_to(_line(joints[k : k + 2], shape)) for k in (0, 1))
    return np.where(upper <= lower, np.minimum(places[0], 1), 1 + np.maximum(places[1], 0)).astype(np.float32)


def under_shoulder(fit: BodyFit, side: str, along: Floats) -> Mask:
    """(h, w) the armpit and flank under a raised arm of ``side``: hanging, it would have them above its shoulder.

    ``along`` (h, w) is that of ``along_arm``.
    """
    upper = np.diff(fit.joints.points[list(ARMS[side].joints[:2]), :2], axis=0)[0]
    length = max(float(np.hypot(*upper)), 1.0)
    return (along < -ARMPIT * fit.scale / length) & (upper[1] < -RAISED * length)


def beyond_sleeve(fit: BodyFit, side: str, along: Floats, opaque: Mask, arm: Mask, found: Mask) -> Mask:
    """(h, w) what is farther inside of a hanging arm of ``side`` than its sleeve can reach: the trunk's own cloth.

    A sleeve is about as wide on both sides of its bone. Outside it ends where ``opaque`` (h, w) does. Nothing, unless
    what was ``found`` (h, w) of the arm is clearly wider inside. ``along`` (h, w) is that of ``along_arm``, ``arm``
    (h, w) the body's own.
    """
    result, is_wide = np.zeros(opaque.shape, np.bool_), False
    joints = fit.joints.points[list(ARMS[side].joints), :2]
    bones = np.diff(joints, axis=0)
    if not (bones[:, 1] > HANGING_STEEP * np.abs(bones[:, 0])).all():
        return result
    middle = float((fit.joints.shoulders[0] + fit.joints.hips[0]) / 2)
    ys, xs = np.mgrid[0 : opaque.shape[0], 0 : opaque.shape[1]].astype(np.float32)
    inwards = np.sign(middle - joints[:, 0].mean())
    for k, (start, bone) in enumerate(zip(joints[:2], bones, strict=True)):
        away = inwards * ((xs - start[0]) * bone[1] - (ys - start[1]) * bone[0]) / float(np.hypot(*bone))
        here = (along >= k) & (along < k + 1)
        step = np.clip((along - k) * STEPS, 0, STEPS - 1).astype(np.intp)
        outer = _median_of_steps(_least(-away, step, here & ~opaque & (away < 0)))
        own, inner = (_largest(away, step, here & part & (away > 0)) for part in (arm, found))
        is_wide |= np.count_nonzero(_median_of_steps(inner) > WIDE * np.maximum(outer, 1)) >= WIDE_STEPS_MIN
        result |= here & (away > np.maximum(INNER_WIDTH * outer, own)[step])
    return result if is_wide else np.zeros_like(result)


def inner_side(found: Mask, like: Mask, core: Mask, fit: BodyFit, side: str) -> Mask:
    """(h, w) what is beside a hanging arm that was ``found`` (h, w), towards the trunk, and ends before it: its sleeve.

    It is ``like`` (h, w) the arm in colour. In rows where such cloth reaches the trunk's ``core`` (h, w), or is wider
    than a sleeve hangs beside an arm, it may be the trunk's.
    """
    result = np.zeros_like(found)
    joints = fit.joints.points[list(ARMS[side].joints), :2]
    bones = np.diff(joints, axis=0)
    if not (bones[:, 1] > HANGING_STEEP * np.abs(bones[:, 0])).all():
        return result
    reach = round(BESIDE_ARM * fit.scale)
    towards = 1 if (fit.joints.shoulders[0] + fit.joints.hips[0]) / 2 > joints[:, 0].mean() else -1
    for y in range(*np.clip(np.round(joints[[0, 2], 1]).astype(int), 0, len(found))):
        own = np.flatnonzero(found[y])
        if not len(own):
            continue
        edge = int(own[-1] if towards > 0 else own[0])
        columns = edge + towards * np.arange(1, reach + 1)
        columns = columns[(columns >= 0) & (columns < found.shape[1])]
        other = np.flatnonzero(~like[y, columns])
        if len(other) and not core[y, columns[: other[0] + 1]].any():
            result[y, columns[: other[0]]] = True
    tall = np.ones((max(1, round(SLEEVE_ROWS * fit.scale)), 1), np.uint8)
    return opened(cv2.morphologyEx(result.astype(np.uint8), cv2.MORPH_OPEN, tall) > 0, 2)


def _median_of_steps(values: Floats) -> Floats:
    """(STEPS,) the medians of ``values`` (STEPS,) over some steps: folds stand out."""
    return np.asarray(cv2.medianBlur(values[None], STEPS_MEDIAN)[0], np.float32)


def _least(values: Floats, step: NDArray[np.intp], where: Mask) -> Floats:
    """(STEPS,) the least of ``values`` (h, w) in each ``step`` (h, w) of ``where`` (h, w); infinite without any."""
    least = np.full(STEPS, np.inf, np.float32)
    np.minimum.at(least, step[where], values[where])
    return least


def _largest(values: Floats, step: NDArray[np.intp], where: Mask) -> Floats:
    """(STEPS,) the largest of ``values`` (h, w) in each ``step`` (h, w) of ``where`` (h, w); 0 without any."""
    largest = np.zeros(STEPS, np.float32)
    np.maximum.at(largest, step[where], values[where])
    return largest


def _line(ends: Array, shape: tuple[int, ...]) -> Mask:
    """(h, w) the line between two ``ends`` (2, 2) px."""
    line = np.zeros(shape[:2], np.uint8)
    cv2.polylines(line, [np.round(ends).astype(np.int32)], False, 1)
    return line > 0

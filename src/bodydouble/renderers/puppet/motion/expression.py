"""Expressions as normalised offsets from a neutral face, and how they move onto another face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.renderers.puppet.motion.actor_lips import with_actor_lips
from bodydouble.renderers.puppet.motion.head import Head
from bodydouble.renderers.puppet.motion.smiles import smile_of, with_smile

Array = NDArray[np.float64]

INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
"""Face mesh points around the inner lips, from the corner at image left along the lower lip and back."""
LIP_PAIRS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (80, 88), (310, 318), (191, 95), (415, 324))
"""(upper, lower) points of the inner lips that meet when the mouth closes."""
UPPER_LIP, LOWER_LIP = FacePoint.UPPER_LIP_INNER, FacePoint.LOWER_LIP_INNER
MOUTH_CORNERS = (FacePoint.RIGHT_MOUTH_CORNER, FacePoint.LEFT_MOUTH_CORNER)
MESH_POINTS = 468
"""Points of the face mesh; the ten of the irises follow."""
TINY = 1e-6
"""Length, normalised or in pixels, below which it counts as zero."""
WEIGHT_MIN = 1e-9
"""Sums of weights below it count as zero."""
CONTOUR_CORNER = 8
"""Point of an eye's contour at its second corner; the first is at 0 (MediaPipe's iris model)."""
FALLOFF_POWER = 4
"""Exponent of how an influence fades: flat near the mouth, steep at its reach. Chosen by eye on the development
clips."""
NEUTRAL_SHARE, NEUTRAL_FRAMES_MIN, EYES_WEIGHT = 10, 3, 0.5
"""The neutral face is the median of the calmest 10th of all frames, three at least; how far open eyes count beside a
shut mouth. Chosen by eye on the development clips."""
NEUTRAL_GAP_MAX = 0.03
"""Face heights between the lips of a neutral face at most. Measured: closed mouths have 0.007 to 0.026, somebody who
smiles with teeth in every frame 0.17."""
UPPER_LIP_SHARE = 0.33
"""Share of a mouth's gap by which the upper lip comes down as it shuts; the lower lip moves with the jaw."""
LIP_REACH = (0.09, 0.10)
"""Face widths and heights over which skin follows a lip (one standard deviation of a Gaussian, times the root of 2)."""
LIP_RIGID = 0.8
"""Share of that reach within which skin follows wholly: lips of a wide open mouth move as they close. Chosen by eye."""
SMILE_REACH, MOUTH_REACH, MOUTH_REACH_DOWN = 0.75, 0.9, 0.45
"""Mouth widths to both sides, for narrowing a smile and for moving corners, and face heights up and down, within which
skin follows the mouth: to the cheeks and the chin."""
DEPTH_KEPT = 0.5
"""Share of an offset's depth that is kept: it is the noisiest axis of a mesh, and shows least."""
EYE_REACH, EYE_TALL_OPEN, EYE_TALL = 1.15, 0.9, 0.715
"""Half axes of the ellipse that moves with the lids: across in half eye widths, and down in openings, but not less than
this share of the half width, for eyes that the picture shows narrow."""
LIDS_MEET, IRIS_MEET = 0.2, 0.15
"""Share of the opening above the lower lid at which the lids meet, and to which the iris sinks."""
MOUTH_WIDTH_REST, MOUTH_LIFT_REST = 0.37, -0.015
"""Width of a resting mouth in face widths, and how far its corners are above the middle of its lips in face heights.
Medians of the development pairs' resting faces are .35 and -.02; smiles have .43 to .48 and .03 to .07."""
SMILE_WIDTH_KEPT = 0.25
"""Share of a smile's extra width that a resting mouth keeps: how wide a mouth is belongs to the face, too."""
SMILE_LIFT, SMILE_WIDER_MAX = (0.0, 0.04), 0.3
"""Height of a mouth's corners in face heights between which it comes to smile, and share by which it is then widened at
most. A mouth that opens wide without a smile is no reason to widen a small one."""
SMILE_SHUT = (0.04, 0.1)
"""Gap in face heights between which the lips of somebody who smiles part. Measured: landmarks of shut smiles are up to
.055 apart, and smiles that show teeth .11 and more."""
SMILE_SURE = (-0.015, 0.02)
"""Height of the corners in face heights between which somebody who never opens the mouth comes to smile. Measured: the
calmest faces of people who are serious have -.02 to -.01, those of people who smile all the time .02 to .03."""
SHUT_GAIN, BROW_GAIN = 1.5, 1.3
"""How much more a shut mouth and the brows move than the landmarks do: these follow lips that are pressed, pursed or
pulled aside, closed smiles and frowns by half. By eye, on six clips."""
PUCKER_GAIN, PUCKER_MAX = 2.5, 0.4
"""Share of its width that a resting mouth loses for each that the actor's loses, and at most: of rounded lips the
landmarks see less than half. Measured: .06 to .2 of the width where a viewer sees a third to a half."""
PUCKER_TALLER = 1.2
"""Growth in height of lips and gap for each share of the width that they lose. By eye."""
PUCKER_UP, PUCKER_NOSE = 0.5, 0.6
"""How much of that growth the upper lip has, and the share of the way up to the nose on which it fades: an upper lip
hardly rises when it is rounded. Chosen by eye on a clip in which a mouth was pinched up to the nostrils."""
PUCKER_REACH = (0.65, 0.2)
"""Mouth widths to both sides and face heights up and down within which lips grow."""
BROWS = (0.12, 0.22)
"""Face heights above the eyes' corners between which that of the brows sets in: there lids end."""
LIFT_MIN, LIFT_MAX = -0.08, 0.08
"""Bounds, in face heights, of the move of a mouth's corners in addition to the actor's own movement."""
MOUTH_AJAR, MOUTH_OPEN = 0.01, 0.07
"""Gaps in face heights between which a mouth goes from its own shape to the one that the actor's has."""
SHUT_LINE = 0.05
"""Gap in face heights up to which lips come to lie in one line. Chosen by eye."""
EYES = (
    (FacePoint.RIGHT_EYE_TOP, FacePoint.RIGHT_EYE_BOTTOM, FacePoint.RIGHT_EYE_OUTER, FacePoint.RIGHT_EYE_INNER,
     slice(468, 473)),
    (FacePoint.LEFT_EYE_TOP, FacePoint.LEFT_EYE_BOTTOM, FacePoint.LEFT_EYE_INNER, FacePoint.LEFT_EYE_OUTER,
     slice(473, 478)),
)  # fmt: skip
"""Upper lid, lower lid, the corners from image left to right and the iris, for the eye at image left, then right."""
LID_REACH = (0.9, 1.75)
"""Radii of the ellipse around an eye, between which the skin follows the lids less and less; brows begin at 1.8."""
OFFSET_MIN, OFFSET_MAX = -0.35, 0.45
"""Bounds of an offset in face widths and heights: past them a landmark network has slipped."""


def smoothstep(low: float, high: float, x: NDArray[np.floating] | float) -> Array:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.minimum(np.maximum((np.asarray(x, np.float64) - low) / (high - low), 0), 1)
    return t * t * (3 - 2 * t)


def normalised(points: Array, head: Head) -> Array:
    """Face points (N, 3) in the head's own frame, in face widths, heights, widths."""
    return (points - head.origin) @ head.rotation / head.scale


def mouth_gap(face: Array) -> float:
    """Opening of the inner lips of a normalised face, in face heights."""
    return float(np.linalg.norm(face[UPPER_LIP, :2] - face[LOWER_LIP, :2]))


def mouth_shape(face: Array) -> Array:
    """(2,) width of the mouth of a normalised face, and how far its corners are above the middle of its lips."""
    left, right = face[MOUTH_CORNERS[0]], face[MOUTH_CORNERS[1]]
    return np.array([abs(right[0] - left[0]), (face[UPPER_LIP, 1] + face[LOWER_LIP, 1]) / 2 - (left[1] + right[1]) / 2])


def eye_openings(contours: Array) -> Array:
    """(2,) height over width of each eye.

    ``contours`` (2, 16, 2) start at one corner and have the other at ``CONTOUR_CORNER``.
    """
    across = contours[:, CONTOUR_CORNER] - contours[:, 0]
    length = np.maximum(np.linalg.norm(across, axis=1), TINY)
    normal = np.stack([-across[:, 1], across[:, 0]], 1) / length[:, None]
    heights = np.ptp(np.einsum("eki,ei->ek", contours - contours[:, :1], normal), axis=1)
    return heights / length


def neutral_of(faces: Array) -> Array:
    """(478, 3) the resting face of many normalised ones (N, 478, 3): mouth closed, eyes open, brows as usual.

    Brows do not rest when the mouth does: who frowns with closed lips, and speaks with raised brows, has both. They
    rest as in most frames with open eyes: who looks down raises them, or seems to.
    """
    mouths = np.linalg.norm(faces[:, UPPER_LIP, :2] - faces[:, LOWER_LIP, :2], axis=1)
    eyes = sum(np.linalg.norm(faces[:, top, :2] - faces[:, bottom, :2], axis=1) for top, bottom, *_ in EYES)
    score = (mouths - mouths.min()) / (np.ptp(mouths) + TINY) - EYES_WEIGHT * (eyes - np.min(eyes)) / (
        np.ptp(eyes) + TINY
    )
    calmest = np.median(
        faces[np.argsort(score, kind="stable")[: max(NEUTRAL_FRAMES_MIN, len(faces) // NEUTRAL_SHARE)]], axis=0
    )
    usual = np.median(faces[eyes >= np.median(eyes)], axis=0)
    calmest += (usual - calmest) * _about_brows(usual)[:, None]
    # If the actor smiles or shows teeth in every frame, the calmest face is not neutral.
    shut = _lips_together(calmest, max(0.0, 1 - NEUTRAL_GAP_MAX / max(mouth_gap(calmest), TINY)))
    return _serious(shut, float(smoothstep(*SMILE_SURE, float(mouth_shape(shut)[1]))))


def resting_face(face: Array) -> Array:
    """``face`` (478, 3) normalised, with its mouth closed and without its smile.

    The lips meet two thirds of the way up the gap, because it is the jaw that opens a mouth; skin around follows
    less with distance.
    """
    return _serious(_lips_together(face, 1.0), 1.0)


def _serious(face: Array, share: float) -> Array:
    """``face`` (478, 3) normalised, without the ``share`` (0-1) of what its mouth is wider and more raised at rest."""
    moved = face.copy()
    middle = (face[UPPER_LIP, :2] + face[LOWER_LIP, :2]) / 2
    width, lift = mouth_shape(face)
    if width > MOUTH_WIDTH_REST:
        shrink = share * (1 - SMILE_WIDTH_KEPT) * (1 - MOUTH_WIDTH_REST / width)
        around = _around(middle, SMILE_REACH * float(width), face)
        moved[:MESH_POINTS, 0] += (middle[0] - face[:MESH_POINTS, 0]) * shrink * around
    return _corners_moved(moved, share * min(0.0, MOUTH_LIFT_REST - float(lift)))


def _lips_together(face: Array, share: float) -> Array:
    """``face`` (478, 3) normalised, with the ``share`` (0-1) of the gap between its lips closed.

    The upper lip and what is above it moves down, the lower one and what is below moves up.
    """
    moved = face.copy()
    upper, lower = np.array(LIP_PAIRS).T
    half = (face[lower, 1] - face[upper, 1]) / 2
    below = smoothstep(-1, 1, (face[:, None, 1] - face[upper, 1] - half) / np.maximum(half, TINY))
    shift = 2 * share * half * (UPPER_LIP_SHARE - below)  # (478, pairs), of the whole gap from one lip to the other
    away = np.abs(face[:, None, :2] - (face[upper, :2] + face[lower, :2]) / 2)
    away[..., 1] = np.maximum(away[..., 1] - half, 0)
    near = np.exp(-(np.maximum(np.linalg.norm(away / list(LIP_REACH), axis=-1) - LIP_RIGID, 0) ** 2))
    pull = (near * shift).sum(1) / np.maximum(near.sum(1), WEIGHT_MIN)
    # Chin and cheeks follow the lower lip, fading out below.
    moved[:MESH_POINTS, 1] += (pull * near.max(1))[:MESH_POINTS]
    moved[upper, 1], moved[lower, 1] = (face[lip, 1] + shift[lip].diagonal() for lip in (upper, lower))
    return moved


def _corners_moved(face: Array, up: float) -> Array:
    """``face`` with the corners of its mouth ``up`` by so many face heights, and the cheeks with them."""
    width = float(mouth_shape(face)[0])
    middle = (face[UPPER_LIP, :2] + face[LOWER_LIP, :2]) / 2
    share = _around(middle, MOUTH_REACH * width, face)
    share *= np.minimum(1, (2 * (face[:MESH_POINTS, 0] - middle[0]) / max(width, TINY)) ** 2)
    share /= max(float(share[list(MOUTH_CORNERS)].mean()), TINY)
    moved = face.copy()
    moved[:MESH_POINTS, 1] -= up * np.minimum(share, 1)
    return moved


def _around(mouth: Array, reach: float, face: Array) -> Array:
    """(468,) 0-1 how far each point of ``face`` moves along with a mouth whose middle is at ``mouth`` (2,)."""
    away = (face[:MESH_POINTS, :2] - mouth) / [reach, MOUTH_REACH_DOWN]
    return np.exp(-((away**2) ** (FALLOFF_POWER // 2)).sum(-1))  # squares: any other power takes ten times as long


@dataclass(frozen=True, kw_only=True)
class Expression:
    """One frame's expression of the actor."""

    offsets: Array  # (478, 3) normalised, from the actor's neutral
    gaze: Array  # (2,) see ``gaze_of``; the irises' texture follows it, not the mesh
    lids: Array  # (2,) opening relative to the wide-open eye, 0-1.2
    mouth: Array  # (3,) width of the mouth, how far its corners are above its middle, and its gap as seen; normalised
    smile: float  # 0-1, see ``smile_of``; steady
    lips: Array  # (11, 8, 2) normalised, see ``lips_of``
    lips_rest: Array  # (11, 8, 2) those of the actor's neutral


def apply_expression(rest: Array, own: Array, expression: Expression) -> Array:
    """(478, 3) the character's face with the actor's expression, normalised as by ``normalised``.

    ``own`` (478, 3) is the character's face as in its picture, ``rest`` the same face at rest (``resting_face``).
    Eyelids move by the ratio of the opening, so that eyes of any size close fully, and irises with them. A mouth that
    opens takes the actor's width.
    """
    offsets = _emphasised(expression.offsets, own)
    offsets[:, 2] *= DEPTH_KEPT
    for eye, (top, bottom, left, right, iris) in enumerate(EYES):
        ratio = float(expression.lids[eye])
        opening = own[bottom, 1] - own[top, 1]
        centre_x = (own[right, 0] + own[left, 0]) / 2
        half = abs(own[right, 0] - own[left, 0]) / 2 * EYE_REACH
        line = own[bottom, 1] - LIDS_MEET * opening
        tall = max(opening * EYE_TALL_OPEN, half * EYE_TALL)
        radius = np.hypot((own[:, 0] - centre_x) / max(half, TINY), (own[:, 1] - line) / max(tall, TINY))
        weight = 1 - smoothstep(*LID_REACH, radius)
        weight[MESH_POINTS:] = 0
        offsets[:, 1] = offsets[:, 1] * (1 - weight) + (own[:, 1] - line) * (ratio - 1) * weight
        offsets[:, 0] *= 1 - weight
        offsets[iris] = 0
        offsets[iris, 1] = (own[iris, 1] - own[bottom, 1] + IRIS_MEET * opening) * (min(ratio, 1.0) - 1)
    shaped = _mouth_shaped(rest + np.clip(offsets, OFFSET_MIN, OFFSET_MAX), rest, expression.mouth)
    pucker = _pucker(expression)
    rounded = _puckered(shaped, rest, pucker)
    parted = _parted(expression)
    # Lips that have passed each other are shut, see ``_uncrossed``.
    share = parted * float(smoothstep(MOUTH_AJAR, MOUTH_OPEN, rounded[LOWER_LIP, 1] - rounded[UPPER_LIP, 1]))
    opened = with_actor_lips(rounded, rest, expression.lips, expression.lips_rest, share, pucker)
    smile = expression.smile - smile_of(*mouth_shape(own).tolist())
    return with_smile(_uncrossed(opened, parted), smile)


def _about_brows(face: Array) -> Array:
    """(478,) 0-1 how far each point of ``face`` (478, 3) belongs to the brows and the forehead."""
    eyes = np.mean([face[[left, right], 1].mean() for _, _, left, right, _ in EYES])
    return smoothstep(*BROWS, eyes - face[:, 1])


def _emphasised(offsets: Array, own: Array) -> Array:
    """``offsets`` (478, 3) on the face ``own``, larger about the brows and about a mouth that is shut."""
    gain = 1 + (BROW_GAIN - 1) * _about_brows(own)
    middle = (own[UPPER_LIP, :2] + own[LOWER_LIP, :2]) / 2
    shut = 1 - smoothstep(MOUTH_AJAR, MOUTH_OPEN, float(offsets[LOWER_LIP, 1] - offsets[UPPER_LIP, 1]))
    gain[:MESH_POINTS] += (SHUT_GAIN - 1) * shut * _around(middle, MOUTH_REACH * float(mouth_shape(own)[0]), own)
    return offsets * gain[:, None]


def _mouth_shaped(face: Array, rest: Array, actors: Array) -> Array:
    """``face`` with its mouth's corners where the actor's are, as narrow as the actor's where it opens, and as smiling.

    The actor's offsets say how a mouth moves, not whether it smiles all the time: the corners' height is therefore
    taken from the actor's shape itself, above that of the resting face ``rest``, which never smiles; and so is how much
    wider a smile is than a resting mouth.
    """
    width, lift = mouth_shape(face)
    share = float(smoothstep(MOUTH_AJAR, MOUTH_OPEN, mouth_gap(face)))
    gain = SHUT_GAIN + (1 - SHUT_GAIN) * share
    shrink = share * max(0.0, 1 - float(actors[0]) / width)
    smiles = float(smoothstep(*SMILE_LIFT, float(actors[1])))
    smile = float(mouth_shape(rest)[0]) + gain * max(float(actors[0]) - MOUTH_WIDTH_REST, 0.0)
    shrink -= smiles * float(np.clip(smile / width - 1, 0, SMILE_WIDER_MAX))
    middle = (face[UPPER_LIP, :2] + face[LOWER_LIP, :2]) / 2
    shaped = face.copy()
    shaped[:MESH_POINTS, 0] += (middle[0] - face[:MESH_POINTS, 0]) * shrink * _around(middle, MOUTH_REACH * width, face)
    wanted = min(float(mouth_shape(rest)[1]), MOUTH_LIFT_REST) + gain * (float(actors[1]) - MOUTH_LIFT_REST)
    return _corners_moved(shaped, float(np.clip(wanted - float(lift), LIFT_MIN, LIFT_MAX)))


def _pucker(expression: Expression) -> float:
    """Share of its resting width that a mouth loses by rounded lips, as it is shown."""
    left, right = MOUTH_CORNERS
    width = float(expression.mouth[0])
    rest = width - float(expression.offsets[right, 0] - expression.offsets[left, 0])
    return PUCKER_MAX * float(np.tanh(PUCKER_GAIN / PUCKER_MAX * max(1 - width / max(rest, TINY), 0.0)))


def _puckered(face: Array, rest: Array, pucker: float) -> Array:
    """``face`` with its lips rounded: narrower than those of ``rest`` by the share ``pucker``, and fuller."""
    if pucker < TINY:
        return face
    width, wanted = float(mouth_shape(face)[0]), float(mouth_shape(rest)[0]) * (1 - pucker)
    middle = (face[UPPER_LIP, :2] + face[LOWER_LIP, :2]) / 2
    away = face[:MESH_POINTS, :2] - middle
    moved = face.copy()
    moved[:MESH_POINTS, 0] -= (
        away[:, 0] * max(1 - wanted / max(width, TINY), 0.0) * _around(middle, MOUTH_REACH * width, face)
    )
    # The nose stays: above the lips there is room for a part of the way to it.
    room = max(PUCKER_NOSE * float(middle[1] - face[FacePoint.UNDER_NOSE, 1]), TINY)
    up = away[:, 1] < 0
    reach = np.where(up, min(room, PUCKER_REACH[1]), PUCKER_REACH[1])
    shares = np.stack([away[:, 0] / (PUCKER_REACH[0] * width), away[:, 1] / reach])
    near = np.exp(-((shares**2) ** (FALLOFF_POWER // 2)).sum(0))
    moved[:MESH_POINTS, 1] += away[:, 1] * np.where(up, PUCKER_UP, 1.0) * PUCKER_TALLER * pucker * near
    return moved


def _parted(expression: Expression) -> float:
    """0-1: how far the gap between the lips is believed, see ``SMILE_SHUT``."""
    smiles = float(smoothstep(*SMILE_LIFT, float(expression.mouth[1])))
    return 1 - smiles * (1 - float(smoothstep(*SMILE_SHUT, float(expression.mouth[2]))))


def _uncrossed(face: Array, parted: float) -> Array:
    """``face`` with lips that meet in one line where they are shut; ``parted`` (0-1) of each gap is kept.

    Lips that have passed each other, as when an actor presses them together, or that lie at different depths, show the
    fold between them as a sawtooth as soon as the head nods.
    """
    upper, lower = np.array(LIP_PAIRS).T
    middle, half = (face[upper] + face[lower]) / 2, (face[lower] - face[upper]) / 2
    half[:, 1] = np.maximum(half[:, 1], 0) * parted
    half[:, ::2] *= smoothstep(0, SHUT_LINE, 2 * half[:, 1:2])
    result = face.copy()
    result[upper], result[lower] = middle - half, middle + half
    return result

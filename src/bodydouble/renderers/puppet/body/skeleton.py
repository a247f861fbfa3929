"""The body's joints in a picture: which landmarks they are, and how far each is from the camera."""

from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.landmark_indices import BodyPoint, FacePoint
from bodydouble.perception.trunk import HIPS, SHOULDERS, hip_centre, shoulder_centre
from bodydouble.renderers.puppet.body import quaternions
from bodydouble.renderers.puppet.picture.anatomy import Anatomy

Array = NDArray[np.float64]

SIDES = ("l", "r")
"""The subject's left and right."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Body landmarks of one limb, from the trunk outwards: shoulder, elbow, wrist or hip, knee, ankle; and its end."""

    joints: tuple[int, int, int]
    tip: tuple[int, ...]  # knuckles or toe; their mean is where the hand or foot points to
    extremity: tuple[int, ...]  # every landmark beyond the last joint


ARMS = MappingProxyType(
    {
        "l": Chain(
            joints=(BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST),
            tip=(BodyPoint.LEFT_PINKY, BodyPoint.LEFT_INDEX),
            extremity=(BodyPoint.LEFT_PINKY, BodyPoint.LEFT_INDEX, BodyPoint.LEFT_THUMB),
        ),
        "r": Chain(
            joints=(BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST),
            tip=(BodyPoint.RIGHT_PINKY, BodyPoint.RIGHT_INDEX),
            extremity=(BodyPoint.RIGHT_PINKY, BodyPoint.RIGHT_INDEX, BodyPoint.RIGHT_THUMB),
        ),
    }
)
LEGS = MappingProxyType(
    {
        "l": Chain(
            joints=(BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE),
            tip=(BodyPoint.LEFT_TOE,),
            extremity=(BodyPoint.LEFT_HEEL, BodyPoint.LEFT_TOE),
        ),
        "r": Chain(
            joints=(BodyPoint.RIGHT_HIP, BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE),
            tip=(BodyPoint.RIGHT_TOE,),
            extremity=(BodyPoint.RIGHT_HEEL, BodyPoint.RIGHT_TOE),
        ),
    }
)
SPINE_SHARES = (("pelvis", 0.0), ("spine_01", 0.33), ("spine_02", 0.67), ("spine_03", 1.0))
"""Bones of the template's trunk, and where each begins on the way from the hips to the shoulders: even thirds."""
DEPTH_GAIN = 0.7
"""Factor on the pose network's depth. Chosen on whole-body pictures: with 1 standing people lean."""
TWIN_LENGTH = 1.03
"""Length of a limb's bone over the longer one of the pair in the picture, which is rarely parallel to the picture."""
TWIN_MIN, UNSEEN_TILT_SHARE = 0.95, 0.5
"""Length of a limb's bone over its twin's in the picture, at least; and the share of the twin's length on screen from
which this holds. Shorter ones are tilted by more than 60 degrees, which the network sees, or the landmarks are wrong.
Measured on 30 pictures: twins differ by up to 11 % in 24, by 14 to 34 % in five, where an arm goes back or a shin comes
forwards, and by more than half where the landmarks of a bear's arm are wrong."""
EDGEWISE, SHOULDERS_OF_FACE = 0.6, 2.2
"""Face widths between the shoulders below which they are seen edgewise, and from the front. Measured: 0.38 of a woman
seen from the side, 1.1 and more of others; 1.8 to 2.6 of grown people from the front."""
SEEN_MIN = 0.5
"""Visibility from which on a knee or ankle is taken from the picture rather than from the template."""
ON_PERSON_MIN, BONE_SHARE = 0.1, 0.8
"""The same for a leg that lies on the person down to the ankle, and the share of its bones that has to. Measured: 0.13
to 0.46 for knees and ankles of drawn figures that are in their places, up to 0.05 for those beyond the picture."""
LEG_JOINTS = ("upper-leg", "knee", "ankle")
"""The template's names of a leg's joints."""
LEG_LEAN_MAX = 0.35
"""How far to the side a leg that the picture cuts off goes at most, over how far down."""
ARM_SEEN_MIN = 0.3
"""The same for an elbow: sleeves hide them."""
ELBOW_OUT = 0.3
"""Half widths of the shoulders by which an elbow is outside its shoulder from which on it is not before the trunk.
Measured: 0.59 of an arm with its hand in a pocket."""
RAISED_SEEN_MIN = 0.8
"""The same for an elbow above its shoulder, where the hand is not seen. In headshots the network guesses such arms,
raised into the hair. Measured: 0.62 for such a guess."""
# Limbs that are not seen hang and stand straight. All values chosen by eye on half-body pictures.
HANGING = np.array([0.25, 1.0, 0.0])
"""Direction of an upper arm: outwards and down."""
HANGING_FOREARM = 0.1
"""How far outwards a forearm hangs, over how far down."""
HAND_LENGTH = 0.35
"""Forearms from the wrist to knuckles and thumb."""
KNEE_OUTWARDS = 0.05
"""How far outside the hip a knee stands, over the hip's distance from the middle."""
HEEL_BELOW, TOE_BELOW, TOE_OUTWARDS = 0.12, 0.14, 0.1
"""Calves from the ankle down to heel and toe, and outwards to the toe."""
SIDE_MARGIN, LOWER_MARGIN = 0.02, 0.01
"""Shares of the picture's sides by which a landmark outside of it still counts as inside."""
SPINE_SEEN_MIN = 0.6
"""Smallest length of a foreshortened spine, as a share of the template's."""
HEAD_JOINT_BELOW = 0.45
"""Head heights from the eyes to the head's joint, where no face is seen."""
SHORTEST = 1e-9
"""Keeps the direction of a vanishing vector finite."""


@dataclass(frozen=True, kw_only=True)
class Joints:
    """Joints in picture pixels; z is away from the camera. ``made_up`` names the limbs that the picture lacks."""

    points: Array  # (33, 3) the body landmarks
    head: Array  # (3,) where the head turns on the neck
    made_up: frozenset[str]  # of "arm_l", "arm_r", "leg_l", "leg_r"

    @property
    def shoulders(self) -> Array:
        """(3,) between the shoulders."""
        return shoulder_centre(self.points)

    @property
    def hips(self) -> Array:
        """(3,) between the hips."""
        return hip_centre(self.points)


def trunk_frame(lateral: Array, up: Array) -> Array:
    """(3, 3) columns: towards the subject's left, down the spine, and out of the back."""
    down = -normalized(up)
    side = normalized(lateral - down * (lateral @ down))
    return np.stack([side, down, quaternions.cross(side, down)], 1)


def normalized(vector: Array) -> Array:
    """``vector`` (3,) with length 1."""
    return vector / max(float(np.linalg.norm(vector)), SHORTEST)


def joints_of(
    anatomy: Anatomy,
    template: BodyTemplate,
    shape: tuple[int, int],
    person: Mask | None = None,
    margins: tuple[int, int] = (0, 0),
) -> Joints:
    """The joints of the person in a picture of ``shape`` (h, w); limbs outside it or unseen hang as the template's.

    Of legs that lie on the ``person`` (h, w) the picture is believed sooner. The ``margins``, columns at the left and
    right, were added to the picture and show nothing.
    """
    body, made_up = completed_body(anatomy, template, shape, person, margins)
    points = lifted(body, made_up)
    return Joints(points=points, head=_head_joint(anatomy, points, template), made_up=made_up)


def completed_body(
    anatomy: Anatomy,
    template: BodyTemplate,
    shape: tuple[int, int],
    person: Mask | None = None,
    margins: tuple[int, int] = (0, 0),
) -> tuple[Array, frozenset[str]]:
    """(33, 3) landmarks with unseen hips, knees, ankles, elbows put where a standing person has them.

    Legs that the picture cuts off keep the network's direction, which reaches beyond the picture.
    """
    height, width = shape[0], shape[1] - sum(margins)
    body, seen = anatomy.body.astype(np.float64).copy(), anatomy.visibility
    made_up: set[str] = set()
    shoulder_width = _width_from_the_front(anatomy)

    def inside(index: int) -> bool:
        x, y = body[index, 0] - margins[0], body[index, 1]
        return bool(-SIDE_MARGIN * width < x < (1 + SIDE_MARGIN) * width and y < (1 + LOWER_MARGIN) * height)

    def length(*names: str) -> float:
        a, b = (template.joints[name] for name in names)
        return float(np.linalg.norm(a - b))

    def middle(name: str) -> Array:
        return (template.joints[f"joint-l-{name}"] + template.joints[f"joint-r-{name}"]) / 2

    spine = float(np.linalg.norm(middle("shoulder") - middle("upper-leg")))
    unit = shoulder_width / length("joint-l-shoulder", "joint-r-shoulder")
    top = shoulder_centre(body)[:2]
    if seen[HIPS].max() < SEEN_MIN or not any(inside(hip) for hip in HIPS):
        across = length("joint-l-upper-leg", "joint-r-upper-leg") * unit
        sign = 1.0 if body[BodyPoint.LEFT_SHOULDER, 0] >= body[BodyPoint.RIGHT_SHOULDER, 0] else -1.0
        for index, side in zip(HIPS, (sign, -sign), strict=True):
            body[index] = [top[0] + side * across / 2, top[1] + spine * unit, body[index, 2]]
        body[HIPS, 2] = 0
    downwards = (body[HIPS].sum(0) - body[BodyPoint.LEFT_SHOULDER] - body[BodyPoint.RIGHT_SHOULDER]) / 2
    long = max(float(np.hypot(*downwards[:2])), spine * unit * SPINE_SEEN_MIN)
    for side, chain in LEGS.items():
        shares = [length(f"joint-{side}-{k}", f"joint-{side}-{m}") / spine for k, m in pairwise(LEG_JOINTS)]
        seen_inside = np.array([inside(index) for index in chain.joints])
        if _complete_leg(body, seen, chain, long * np.array(shares), seen_inside, top[0], person):
            made_up.add(f"leg_{side}")
    for side, chain in ARMS.items():
        shoulder, elbow, wrist = chain.joints
        hand_found = bool(np.isfinite(anatomy.hands["lr".index(side)]).all())
        hand_seen = seen[wrist] >= ARM_SEEN_MIN or hand_found
        raised = body[elbow, 1] < body[shoulder, 1]
        seen_min = RAISED_SEEN_MIN if raised and not hand_seen else ARM_SEEN_MIN
        beside = not raised and _elbow_out(body, chain)  # a raised one may be hair
        if (hand_found or beside) and _lies_on(body[list(chain.joints), :2], person):
            seen_min = ON_PERSON_MIN
        if seen[elbow] >= seen_min and inside(elbow):
            continue
        made_up.add(f"arm_{side}")
        hang_arm(body, side, template, unit)
    return body, frozenset(made_up)


def _width_from_the_front(anatomy: Anatomy) -> float:
    """Pixels between the shoulders as seen from the front; of somebody seen from the side the head tells it."""
    if anatomy.shoulder_width < EDGEWISE * anatomy.head.width:
        return SHOULDERS_OF_FACE * anatomy.head.width
    return anatomy.shoulder_width


def _bone_lengths(template: BodyTemplate, side: str, names: tuple[str, ...]) -> list[float]:
    """Decimetres between the template's joints ``names`` of ``side``, one after the other."""
    places = [template.joints[f"joint-{side}-{name}"] for name in names]
    return [float(np.linalg.norm(b - a)) for a, b in pairwise(places)]


def hang_arm(body: Array, side: str, template: BodyTemplate, unit: float) -> None:
    """Let the arm of ``side`` in ``body`` (33, 3) px hang as the template's, in place; ``unit``: px of a decimetre."""
    shoulder, elbow, wrist = ARMS[side].joints
    upper, lower = (unit * length for length in _bone_lengths(template, side, ("shoulder", "elbow", "hand")))
    outwards = 1.0 if body[shoulder, 0] >= shoulder_centre(body)[0] else -1.0
    along = normalized(HANGING * [outwards, 1, 1])
    body[elbow] = body[shoulder] + along * upper
    body[wrist] = body[elbow] + normalized(np.array([HANGING_FOREARM * outwards, 1.0, 0.0])) * lower
    for index in ARMS[side].extremity:
        body[index] = body[wrist] + [0, HAND_LENGTH * lower, 0]


def stand_leg(body: Array, side: str, template: BodyTemplate, unit: float) -> None:
    """Let the leg of ``side`` in ``body`` (33, 3) px stand as the template's, in place; ``unit`` as in ``hang_arm``."""
    hip, knee, ankle = LEGS[side].joints
    upper, lower = (unit * length for length in _bone_lengths(template, side, LEG_JOINTS))
    away = float(body[hip, 0] - hip_centre(body)[0])
    body[knee] = body[hip] + normalized(np.array([KNEE_OUTWARDS * away, upper, 0.0])) * upper
    body[ankle] = body[knee] + [0, lower, 0]
    _place_foot(body, LEGS[side], lower, float(np.sign(away)))


def _place_foot(body: Array, chain: Chain, calf: float, outwards: float) -> None:
    """Put heel and toe of the leg ``chain`` in ``body`` (33, 3) where a standing person has them, in place."""
    _, _, ankle = chain.joints
    body[chain.extremity[0]] = body[ankle] + [0, HEEL_BELOW * calf, 0]
    body[chain.extremity[1]] = body[ankle] + calf * np.array([TOE_OUTWARDS * outwards, TOE_BELOW, -1.0])


def _complete_leg(
    body: Array,
    seen: Array,
    chain: Chain,
    lengths: Array,
    inside: NDArray[np.bool_],
    middle: float,
    person: Mask | None,
) -> bool:
    """Put what is not seen of the leg ``chain`` in ``body`` (33, 3) where a standing person has it; whether any is not.

    ``seen`` (33,) is visibility, ``lengths`` (2,) are those of thigh and calf in px, ``inside`` (3,) says which of hip,
    knee and ankle are in the picture, ``middle`` is the column of the trunk's.
    """
    hip, knee, ankle = chain.joints
    whole = bool(inside.all()) and _lies_on(body[list(chain.joints), :2], person)
    seen_min = ON_PERSON_MIN if whole else SEEN_MIN
    if inside[0]:
        thigh, calf = lengths[0] * _downwards(body[hip], body[knee]), lengths[1] * _downwards(body[knee], body[ankle])
    else:
        thigh = np.array([KNEE_OUTWARDS * (body[hip, 0] - middle), lengths[0], 0.0])
        calf = np.array([0.0, lengths[1], 0.0])
    knee_seen = bool(seen[knee] >= seen_min and inside[1])
    if knee_seen and seen[ankle] >= seen_min and inside[2]:
        return False
    if not knee_seen:
        body[knee] = body[hip] + thigh
    body[ankle] = body[knee] + calf
    _place_foot(body, chain, float(lengths[1]), float(np.sign(body[hip, 0] - middle)))
    return True


def _lies_on(chain: Array, person: Mask | None) -> bool:
    """Whether the bones between the points ``chain`` (N, 2) px lie on the ``person`` (h, w)."""
    if person is None:
        return False
    steps = np.linspace(0, 1, 16)[:, None]
    points = np.concatenate([(1 - steps) * a + steps * b for a, b in pairwise(chain)])
    columns, rows = np.clip(np.round(points).astype(int), 0, [person.shape[1] - 1, person.shape[0] - 1]).T
    return float(person[rows, columns].mean()) >= BONE_SHARE


def _elbow_out(body: Array, chain: Chain) -> bool:
    """Whether the elbow of the arm ``chain`` in ``body`` (33, 3) is farther out than its shoulder: beside the trunk."""
    shoulder, elbow, _ = chain.joints
    half = body[shoulder, :2] - shoulder_centre(body)[:2]
    return float((body[elbow, :2] - body[shoulder, :2]) @ half) > ELBOW_OUT * float(half @ half)


def _downwards(start: Array, end: Array) -> Array:
    """(3,) the direction from ``start`` to ``end``, both (3,), parallel to the picture and not far from down."""
    across, down = end[:2] - start[:2]
    lean = float(np.clip(across / down, -LEG_LEAN_MAX, LEG_LEAN_MAX)) if down > SHORTEST else 0.0
    return normalized(np.array([lean, 1.0, 0.0]))


def lifted(body: Array, made_up: frozenset[str] = frozenset()) -> Array:
    """(33, 3) landmarks with depths that agree with the lengths of the bones.

    A bone is tilted as far as both say: its shortness against its twin, and the network's depth. Where the network
    sees hardly a tilt, twins are alike nevertheless, unless the picture lacks one of them: ``made_up`` of ``Joints``.
    """
    points = body.astype(np.float64).copy()
    points[:, 2] *= DEPTH_GAIN
    points[: BodyPoint.LEFT_HIP, 2] -= DEPTH_GAIN * (points[SHOULDERS, 2].mean() - points[HIPS, 2].mean())
    depth = points[:, 2].copy()
    for first, second in ((0, 1), (1, 2)):
        for limb, chains in (("arm", ARMS), ("leg", LEGS)):
            alike = not made_up & {f"{limb}_{side}" for side in SIDES}
            pairs = [(chain.joints[first], chain.joints[second]) for chain in chains.values()]
            flat = [float(np.hypot(*(points[j] - points[i])[:2])) for i, j in pairs]
            longest = max(flat)
            for (i, j), length in zip(pairs, flat, strict=True):
                shortest = TWIN_MIN * longest if alike and length > UNSEEN_TILT_SHARE * longest else 0.0
                least, most = (np.sqrt(max(full**2 - length**2, 0.0)) for full in (shortest, TWIN_LENGTH * longest))
                tilt = min(most, max(abs(depth[j] - depth[i]), least))
                points[j, 2] = points[i, 2] + (tilt if depth[j] >= depth[i] else -tilt)
    for chains in (ARMS, LEGS):
        for chain in chains.values():
            last = chain.joints[2]
            for index in chain.extremity:
                points[index, 2] = points[last, 2] + 0.5 * (depth[index] - depth[last])
    return points


def moved(joints: Joints, offsets: Array, indices: tuple[int, ...]) -> Joints:
    """``joints`` with the landmarks ``indices`` moved by ``offsets`` (N, 2) px; hands and feet go with their joint."""
    points = joints.points.copy()
    for offset, index in zip(offsets, indices, strict=True):
        points[index, :2] += offset
        for chains in (ARMS, LEGS):
            for chain in chains.values():
                if chain.joints[2] == index:
                    points[list(chain.extremity), :2] += offset
    return replace(joints, points=points)


def _head_joint(anatomy: Anatomy, points: Array, template: BodyTemplate) -> Array:
    """(3,) where the head turns: half way from the eyes to the chin, as deep as the template's."""
    if anatomy.face is not None:
        eyes = (anatomy.face[FacePoint.LEFT_IRIS, :2] + anatomy.face[FacePoint.RIGHT_IRIS, :2]) / 2
        below = 0.5 * (anatomy.face[FacePoint.CHIN, :2] - eyes)
    else:
        eyes = (anatomy.body[BodyPoint.LEFT_EYE, :2] + anatomy.body[BodyPoint.RIGHT_EYE, :2]) / 2
        below = anatomy.head.rotation[:2, 1] * HEAD_JOINT_BELOW * anatomy.head.height
    joints = template.joints
    shoulders = (joints["joint-l-shoulder"] + joints["joint-r-shoulder"]) / 2
    width = np.linalg.norm(joints["joint-l-shoulder"] - joints["joint-r-shoulder"])
    scale = anatomy.shoulder_width / float(width)
    depth = shoulder_centre(points)[2] + (joints["joint-head"] - shoulders)[2] * scale
    return np.r_[eyes + below, depth]

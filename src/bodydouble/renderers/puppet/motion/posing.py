"""The character's pose in each frame: the actor's directions, the character's lengths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BONES
from bodydouble.perception.smoothing import gaussian_smoothed, spans
from bodydouble.renderers.puppet.body import quaternions
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SIDES, SPINE_SHARES, trunk_frame
from bodydouble.renderers.puppet.body.skinning import BonePose
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import ActorSkeleton
from bodydouble.renderers.puppet.motion.contacts import Touch, bend_arm, contact_weights, drawn_wrist, touching_wrist
from bodydouble.renderers.puppet.motion.feet import ground_contact
from bodydouble.renderers.puppet.motion.head import as_seen, limited_turn
from bodydouble.renderers.puppet.motion.legs import limb_rotation, place_leg
from bodydouble.renderers.puppet.motion.rest_skeleton import RestSkeleton, angles, unit_vector, wrapped
from bodydouble.renderers.puppet.motion.sitting import Lean
from bodydouble.renderers.puppet.motion.turning import limited_across

Array = NDArray[np.float64]

NECK_MIN, NECK_MAX = 0.96, 1.05
"""Bounds of the neck's length on screen over its own: a bowed head turns and leans, its neck stays as long."""
NECK_SIGMA = 1.5
"""Frames, sigma of the Gaussian that steadies the neck. Chosen by eye on the development clips, like its share."""
NECK_SHARE = 0.3
"""How much of the head's turn the neck follows."""
SHORTEST = 1e-6
"""Actor sizes: keeps a neck that is divided by from 0."""
NECK_LEAN_MAX = 0.45
"""Radians that the neck leans away from the trunk, approached but never reached: 30° become 22°. A head in profile is
before the shoulders; the picture's, which turns less far, would hang beside its collar. Chosen by eye on a player."""
RAISED_LEFT = -np.pi * 1.35
"""Lower end of the turns (one full circle) of a left arm: a raised arm turns outwards. The right arm's mirrors it."""
WRIST_BEND_MAX = 1.0
"""Radians between forearm and hand on screen, at most: the landmarks of a blurred hand fold it onto the forearm."""
ARM_BONES = ("upperarm", "lowerarm", "hand")


@dataclass(frozen=True, kw_only=True)
class Pose:
    """All bones of one frame, in picture pixels with the hips at 0."""

    bones: dict[str, BonePose]
    joints: dict[str, Array]  # (3,) "elbow_l", "wrist_l", "knee_l", "ankle_l", …, "shoulders", "head"

    def ordered(self) -> list[BonePose]:
        """The bones in the template's order."""
        return [self.bones[bone] for bone in BONES]


class Posing:
    """Poses the character as ``actor`` moves, frame by frame."""

    def __init__(
        self, rest: RestSkeleton, motion: Motion, actor: ActorSkeleton, back: NDArray[np.bool_], *, trunk_ratio: float
    ) -> None:
        """``back``: (F,) where the actor's back shows. ``trunk_ratio``: the character's trunk over the actor's."""
        self.rest, self.motion, self.actor, self.back = rest, motion, actor, back
        self._trunk_ratio = trunk_ratio
        self._pivots = self._neck_vectors()
        self._neck_length = self._usual_neck()
        self._contacts = contact_weights(motion, actor)

    def poses(self, lean: Lean | None = None) -> list[Pose | None]:
        """The pose of every frame, None where the actor is absent. ``lean``: how somebody sits."""
        return [self.pose(i, lean) if present else None for i, present in enumerate(self.motion.present)]

    def top(self, pose: Pose, crown: float) -> float:
        """Picture pixels from the hips to ``crown`` head sizes above the face's middle; negative is up."""
        head = self.rest.head
        return float(pose.bones["head"].apply(self.rest.face - head.rotation[:, 1] * crown * head.size)[1])

    def contact(self, pose: Pose, side: str) -> Array:
        """(2,) picture pixels from the hips to where the character's foot of ``side`` stands."""
        foot = pose.bones[f"foot_{side}"]
        ends = np.stack([foot.apply(self.rest.joints.points[index]) for index in LEGS[side].extremity])
        return ground_contact(pose.joints[f"ankle_{side}"], ends) + [0, self.rest.sole_below]

    def _neck_vectors(self) -> Array:
        """(F, 2) from between the actor's shoulders to where the head turns, smoothed; NaN where absent."""
        motion, head = self.motion, self.rest.head
        # Where the head's joint is in the head's own axes, in head sizes; the same place on the actor's head.
        local = head.rotation.T @ (self.rest.face - self.rest.joints.head) / head.size
        result = np.full((len(motion), 2), np.nan)
        for start, stop in spans(motion.present, motion.shot, gap_max=0):
            here = slice(start, stop)
            turns = np.stack([as_seen(turn) for turn in motion.head_rotation[here]])
            shift = np.einsum("fij,j->fi", turns, local)[:, :2] * motion.head_size[here, None]
            vectors = motion.head_centre[here] - shift - self.actor.shoulders[here, :2]
            vectors /= self.actor.size[here, None]
            result[here] = gaussian_smoothed(vectors, NECK_SIGMA)
        return result

    def _usual_neck(self) -> float:
        lengths = np.linalg.norm(self._pivots[self.motion.present], axis=1)
        return max(float(np.median(lengths)), SHORTEST) if len(lengths) else 1.0

    def pose(self, index: int, lean: Lean | None = None) -> Pose:
        """Bones and joints of one frame."""
        actor, rest = self.actor, self.rest
        up, length = actor.cautious_direction("spine", index), 1.0
        across = limited_across(actor.cautious_direction("shoulders", index), rest.chest[:, 0])
        if lean is not None:
            up, length = lean.tilted(up, across, index)
        across_hips = limited_across(actor.cautious_direction("pelvis", index), rest.pelvis[:, 0])
        chest = quaternions.from_matrix(trunk_frame(across, up) @ rest.chest.T)
        pelvis = quaternions.from_matrix(trunk_frame(0.5 * across + 0.5 * across_hips, up) @ rest.pelvis.T)
        bottom, top = rest.joints.hips, rest.joints.shoulders
        shoulders = quaternions.to_matrix(quaternions.between(pelvis, chest, 0.5)) @ (top - bottom) * length
        bones: dict[str, BonePose] = {}
        for bone, share in SPINE_SHARES:
            bones[bone] = BonePose(
                rotation=quaternions.between(pelvis, chest, share),
                origin=bottom + share * (top - bottom),
                target=share * shoulders,
            )
        joints: dict[str, Array] = {"hips": np.zeros(3), "shoulders": shoulders}
        for side in SIDES:
            bones[f"clavicle_{side}"] = bones["spine_03"]
        self._place_head(index, bones, joints)
        for side in SIDES:
            hip = bones["pelvis"].apply(rest.joints.points[LEGS[side].joints[0]])
            legs = actor.direction(f"thigh_{side}", index), actor.direction(f"calf_{side}", index)
            if lean is not None:
                legs = lean.leg(actor, rest, index, side, hip, legs)
            self.place_leg(index, side, legs, hip, bones, joints)
        for side, directions in self._arm_directions(index, bones, joints).items():
            self._place_arm(index, side, directions, bones, joints)
        return Pose(bones=bones, joints=joints)

    def _place_head(self, index: int, bones: dict[str, BonePose], joints: dict[str, Array]) -> None:
        """Head on its own neck, which leans as the actor's does."""
        rest, head = self.rest, self.rest.head
        turn = limited_turn(head.rotation, self.motion.head_rotation[index], head.turn_max)
        rotation = quaternions.from_matrix(turn @ head.rotation.T)
        vector = self._pivots[index]
        ratio = min(max(float(np.hypot(*vector)) / self._neck_length, NECK_MIN), NECK_MAX)
        trunk = _angle_between(rest.joints.shoulders - rest.joints.hips, joints["shoulders"])
        away = wrapped(_angle_between(rest.neck, vector) - trunk, -np.pi)
        lean = trunk + NECK_LEAN_MAX * float(np.tanh(away / NECK_LEAN_MAX))
        if self.back[index]:  # the guessed turn of a head that shows no face would make it narrow
            rotation = quaternions.about_z(lean)
        c, s = np.cos(lean), np.sin(lean)
        neck = np.array([*(np.array([[c, -s], [s, c]]) @ rest.neck[:2] * ratio), rest.neck[2]])
        joint = joints["shoulders"] + neck
        chest = bones["spine_03"].rotation
        middle = quaternions.between(quaternions.between(quaternions.about_z(lean), chest, 0.5), rotation, NECK_SHARE)
        bones["head"] = BonePose(rotation=rotation, origin=rest.joints.head, target=joint)
        bones["neck_01"] = BonePose(
            rotation=middle,
            origin=(rest.joints.shoulders + rest.joints.head) / 2,
            target=(joints["shoulders"] + joint) / 2,
        )
        joints["head"] = joint

    def _arm_directions(
        self, index: int, bones: dict[str, BonePose], joints: dict[str, Array]
    ) -> dict[str, tuple[Array, Array]]:
        """By side the directions (3,) of upper arm and forearm: the actor's, bent where a hand touches something."""
        actor, rest = self.actor, self.rest
        own: dict[str, tuple[Array, Array]] = {}
        wrists: dict[str, Array] = {}
        for side in SIDES:
            own[side] = actor.arm_direction(f"upperarm_{side}", index), actor.arm_direction(f"lowerarm_{side}", index)
            shoulder = bones["spine_03"].apply(rest.joints.points[ARMS[side].joints[0]])
            joints[f"shoulder_{side}"] = shoulder
            lengths = rest.bones[f"upperarm_{side}"].length, rest.bones[f"lowerarm_{side}"].length
            joints[f"elbow_{side}"] = shoulder + own[side][0] * lengths[0]
            wrists[side] = joints[f"elbow_{side}"] + own[side][1] * lengths[1]
        for side in SIDES:
            lengths = rest.bones[f"upperarm_{side}"].length, rest.bones[f"lowerarm_{side}"].length
            if not self._contacts[side][index].any():
                continue
            touches = self._touches(index, side, wrists, bones, joints)
            shoulder = joints[f"shoulder_{side}"]
            place = drawn_wrist(wrists[side][:2], touches, sum(lengths))
            target = touching_wrist(place, wrists[side], shoulder, sum(lengths))
            elbow, wrist = bend_arm(shoulder, joints[f"elbow_{side}"], target, lengths)
            own[side] = (elbow - shoulder) / lengths[0], (wrist - elbow) / lengths[1]
        return own

    def _touches(
        self, index: int, side: str, wrists: dict[str, Array], bones: dict[str, BonePose], joints: dict[str, Array]
    ) -> list[Touch]:
        """Where head, other hand, hip and knee draw the hand of ``side``; distances are the actor's."""
        actor, motion, rest = self.actor, self.motion, self.rest
        points = actor.points[index, :, :2]
        wrist, other = points[ARMS[side].joints[2]], "r" if side == "l" else "l"
        ratio = self._trunk_ratio / float(actor.size[index])
        centre, own_centre = motion.head_centre[index], bones["head"].apply(self.rest.face)[:2]
        middle, apart = (wrists[side][:2] + wrists[other][:2]) / 2, wrist - points[ARMS[other].joints[2]]
        targets = [
            own_centre + (wrist - centre) * rest.head.size / motion.head_size[index],
            middle + 0.5 * apart * ratio,
        ]
        for name, leg, joint in (("hip", side, 0), ("knee", side, 1), ("knee", other, 1)):
            targets.append(joints[f"{name}_{leg}"][:2] + (wrist - points[LEGS[leg].joints[joint]]) * ratio)
        weights = self._contacts[side][index]
        return [Touch(target=target, weight=float(w)) for target, w in zip(targets, weights, strict=True)]

    def _place_arm(
        self,
        index: int,
        side: str,
        directions: tuple[Array, Array],
        bones: dict[str, BonePose],
        joints: dict[str, Array],
    ) -> None:
        """Upper arm, forearm, hand: turned in the picture plane and tilted; the side that is seen stays seen."""
        place = joints[f"shoulder_{side}"]
        turn: float | None = None
        before = before_own = 0.0  # azimuths of the bone that the next one hangs on: as posed, and in the picture
        wanted = (*directions, self.actor.direction(f"hand_{side}", index))
        for name, joint, direction in zip(ARM_BONES, ("elbow", "wrist", "tip"), wanted, strict=True):
            bone = self.rest.bones[f"{name}_{side}"]
            azimuth, elevation = angles(direction)
            own = bone.elevation
            if name == "hand":
                own = elevation = 0.0
            if turn is None:
                low = RAISED_LEFT if side == "l" else -2 * np.pi - RAISED_LEFT
                turn = wrapped(azimuth - bone.azimuth, low)
            elif name == "hand":
                bend = wrapped(azimuth - bone.azimuth - turn, -np.pi)
                turn += min(max(bend, -WRIST_BEND_MAX), WRIST_BEND_MAX)
            else:  # from one side to the other an elbow is straightened, and is never folded through the upper arm
                turn += wrapped(azimuth - before, -np.pi) - wrapped(bone.azimuth - before_own, -np.pi)
            before, before_own = azimuth, bone.azimuth
            bones[f"{name}_{side}"] = BonePose(
                rotation=limb_rotation(bone.azimuth, turn, own - elevation), origin=bone.origin, target=place
            )
            place = place + unit_vector(bone.azimuth + turn, elevation) * bone.length
            joints[f"{joint}_{side}"] = place

    def place_leg(
        self,
        index: int,
        side: str,
        directions: tuple[Array, Array],
        hip: Array,
        bones: dict[str, BonePose],
        joints: dict[str, Array],
    ) -> None:
        """Thigh and shin in ``directions`` from ``hip``, and the foot."""
        foot = self.actor.vectors[f"foot_{side}"][index]
        seen = min(max(float(np.hypot(*foot[:2])) / self.actor.lengths[f"foot_{side}"], 0.0), 1.0)
        roll = _angle_between(self.rest.joints.shoulders - self.rest.joints.hips, joints["shoulders"])
        own_bones, own_joints = place_leg(self.rest, side, directions, foot, seen, hip, roll)
        bones |= own_bones
        joints |= own_joints


def _angle_between(first: Array, second: Array) -> float:
    """Radians on screen from ``first`` to ``second`` (2 or 3,), -pi to pi."""
    return wrapped(float(np.arctan2(second[1], second[0]) - np.arctan2(first[1], first[0])), -np.pi)

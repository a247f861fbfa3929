"""The character's bones in each frame: the actor's directions, the character's lengths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BONES, BodyTemplate
from bodydouble.perception.smoothing import gaussian_smoothed, spans
from bodydouble.renderers.puppet.body import quaternions
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SIDES, SPINE_SHARES, trunk_frame
from bodydouble.renderers.puppet.body.skinning import BonePose
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import build_actor_skeleton
from bodydouble.renderers.puppet.motion.contacts import HEAD, HIP, KNEE, OTHER_HAND, Touch, bend_arm, drawn_wrist
from bodydouble.renderers.puppet.motion.feet import actor_contacts, ground_contact
from bodydouble.renderers.puppet.motion.head import limited_turn
from bodydouble.renderers.puppet.motion.legs import SHIFT_MAX, directions_to, limb_rotation, place_leg, planted, resting
from bodydouble.renderers.puppet.motion.rest_skeleton import CROWN, RestSkeleton, angles, unit_vector, wrapped
from bodydouble.renderers.puppet.motion.sitting import Lean, lean_of
from bodydouble.renderers.puppet.motion.turning import as_facing, back_frames, limited_across
from bodydouble.renderers.puppet.motion.visibility import hips_seen, legs_seen

Array = NDArray[np.float64]

NECK_MIN, NECK_MAX = 0.96, 1.05
"""Bounds of the neck's length on screen over its own: a bowed head turns and leans, its neck stays as long."""
NECK_SIGMA = 1.5
"""Frames, sigma of the Gaussian that steadies the neck. Chosen by eye on the development clips, like its share."""
NECK_SHARE = 0.3
"""How much of the head's turn the neck follows."""
SHORTEST = 1e-6
"""Actor sizes: keeps a neck that is divided by from 0."""
NECK_TURN_MAX = 0.9
"""Radians that the neck leans away from the picture's at most."""
RAISED_LEFT = -np.pi * 1.35
"""Lower end of the turns (one full circle) of a left arm: a raised arm turns outwards. The right arm's mirrors it."""
ROOT_SIGMA = 3.0
"""Frames over which the body's offset from the actor's hips is smoothed."""
HEAD_SHARE, HEAD_SHARE_CLOSE = 0.5, 0.85
"""Of the head in size and place of a body without feet, with and without hips in sight; the shoulders have the rest.

In a close-up the viewer compares faces, and wide clothes hide the shoulders. Chosen by eye on talking heads.
"""
CONTACT_SEEN_MIN = 0.3
"""Visibility from which on a hip or knee may draw a hand."""
WRIST_BEND_MAX = 1.0
"""Radians between forearm and hand on screen, at most: the landmarks of a blurred hand fold it onto the forearm."""
ARM_BONES = ("upperarm", "lowerarm", "hand")
SUPPORT = 0.12
"""Spine lengths of height difference at which the higher foot no longer carries the body."""
UPRIGHT_PERCENTILE, UPRIGHT_MIN = 90, 0.8
"""Percentile of the actor's height on screen, and the share of it from which a frame tells how tall the actor is."""
INSIDE_SCALE_MIN = 0.8
"""Factor on the character's size that brings its head into the frame, at least. Chosen by eye on half bodies."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """All bones of one frame, in picture pixels with the hips at 0."""

    bones: dict[str, BonePose]
    joints: dict[str, Array]  # (3,) "elbow_l", "wrist_l", "knee_l", "ankle_l", …, "shoulders", "head"

    def ordered(self) -> list[BonePose]:
        """The bones in the template's order."""
        return [self.bones[bone] for bone in BONES]


class Retargeting:
    """Poses of the character for every frame. Made once; keeps nothing that drawing a frame changes."""

    def __init__(self, rest: RestSkeleton, motion: Motion, template: BodyTemplate, *, own_size: bool = False) -> None:
        """``own_size``: keep the character's proportion to the actor's head instead of the actor's height."""
        self.back = back_frames(motion)
        self.rest = rest
        self.motion = as_facing(motion, self.back)
        self.actor = build_actor_skeleton(self.motion, template)
        self.legs_seen = legs_seen(motion)
        self._hips_seen = hips_seen(motion)
        self._head_share = HEAD_SHARE if self._hips_seen else HEAD_SHARE_CLOSE
        self._contacts = actor_contacts(self.motion, self.actor)
        self._pivots = self._neck_vectors()
        self._neck_length = self._usual_neck()
        self._lean: Lean | None = None
        if not self.legs_seen:
            self._lean = lean_of(self.motion, self.actor, self._shot_scale(own_size) * rest.spine)
        self.poses = [self._pose(i) if motion.present[i] else None for i in range(len(motion))]
        self.scale = self._shot_scale(own_size)
        self.scales = self.scale * self.actor.size
        self.roots = self._roots()
        if not own_size:
            self._keep_heads_inside()
        if self.legs_seen:
            self._plant_feet()

    def _shot_scale(self, own_size: bool) -> float:
        """Frame pixels for a picture pixel at the actor's usual distance from the camera."""
        sizes = (self.motion.head_size / self.actor.size)[self.motion.present]
        if own_size and len(sizes):
            return float(np.median(sizes)) / self.rest.head.size
        if self.legs_seen:
            return self._height_scale()
        body = self._trunk_length(own=False) / self._trunk_length(own=True)
        head = float(np.median(sizes)) / self.rest.head.size if len(sizes) else body
        return float(body ** (1 - self._head_share) * head**self._head_share)

    def _height_scale(self) -> float:
        """The actor's height on screen over the poses', in the frames in which the actor is upright."""
        motion = self.motion
        tops = motion.head_centre[:, 1] - motion.head_rotation[:, 1, 1] * CROWN * motion.head_size
        heights = (self._contacts[..., 1].max(1) - tops) / self.actor.size
        upright = motion.present & (heights > UPRIGHT_MIN * np.percentile(heights[motion.present], UPRIGHT_PERCENTILE))
        own = [
            max(self._own_contact(pose, side)[1] for side in SIDES) - self._top(pose, self.rest.crown)
            for pose, use in zip(self.poses, upright, strict=True)
            if pose is not None and use
        ]
        return float(np.median(heights[upright] / own))

    def _top(self, pose: Pose, crown: float) -> float:
        """Picture pixels from the hips to ``crown`` head sizes above the face's middle; negative is up."""
        head = self.rest.head
        return float(pose.bones["head"].apply(self._head_centre() - head.rotation[:, 1] * crown * head.size)[1])

    def _keep_heads_inside(self) -> None:
        """Bring the character's head into the frame where the actor's is: smaller where feet are seen, else lower."""
        outside = self._heads_outside()
        if not outside.any():
            return
        if not self.legs_seen:
            for start, stop in spans(self.motion.present, self.motion.shot):
                self.roots[start:stop, 1] += outside[start:stop].max()
            return
        feet = self._contacts[..., 1].max(1)
        self.scale *= max(float((feet / (feet + outside))[outside > 0].min()), INSIDE_SCALE_MIN)
        self.scales = self.scale * self.actor.size
        self.roots = self._roots()

    def _heads_outside(self) -> Array:
        """(F,) px of the character's head above the frame; 0 where the actor's head too is cut off there."""
        motion = self.motion
        # Without feet the viewer compares faces: only skulls have to be inside, not what is worn on them.
        crown = self.rest.crown if self.legs_seen else min(self.rest.crown, CROWN)
        result = np.zeros(len(motion))
        for i, pose in enumerate(self.poses):
            if pose is None or motion.head_centre[i, 1] < motion.head_rotation[i, 1, 1] * CROWN * motion.head_size[i]:
                continue
            result[i] = max(-(self._top(pose, crown) * float(self.scales[i]) + float(self.roots[i, 1])), 0.0)
        return result

    def _trunk_length(self, *, own: bool) -> float:
        """Shoulder width, with the spine where the video shows the hips: the character's ``own`` or the actor's, px."""
        wide = self.rest.shoulder_width if own else self.actor.lengths["shoulders"]
        if not self._hips_seen:
            return wide
        return wide + (self.rest.spine if own else self.actor.lengths["spine"])

    @property
    def body_ratio(self) -> float:
        """Size of the character's body in the frame over the actor's."""
        return self.scale * self._trunk_length(own=True) / self._trunk_length(own=False)

    def _neck_vectors(self) -> Array:
        """(F, 2) from between the actor's shoulders to where the head turns, smoothed; NaN where absent."""
        motion, head = self.motion, self.rest.head
        # Where the head's joint is in the head's own axes, in head sizes; the same place on the actor's head.
        local = head.rotation.T @ (self._head_centre() - self.rest.joints.head) / head.size
        result = np.full((len(motion), 2), np.nan)
        for start, stop in spans(motion.present, motion.shot, gap_max=0):
            here = slice(start, stop)
            shift = np.einsum("fij,j->fi", motion.head_rotation[here], local)[:, :2] * motion.head_size[here, None]
            vectors = motion.head_centre[here] - shift - self.actor.shoulders[here, :2]
            vectors /= self.actor.size[here, None]
            result[here] = gaussian_smoothed(vectors, NECK_SIGMA)
        return result

    def _usual_neck(self) -> float:
        lengths = np.linalg.norm(self._pivots[self.motion.present], axis=1)
        return max(float(np.median(lengths)), SHORTEST) if len(lengths) else 1.0

    def _pose(self, index: int) -> Pose:
        """Bones and joints of one frame."""
        actor, rest = self.actor, self.rest
        up = actor.cautious_direction("spine", index)
        if self._lean is not None:
            up = self._lean.tilted(up, index)
        across = limited_across(actor.cautious_direction("shoulders", index))
        across_hips = limited_across(actor.cautious_direction("pelvis", index))
        chest = quaternions.from_matrix(trunk_frame(across, up) @ rest.chest.T)
        pelvis = quaternions.from_matrix(trunk_frame(0.5 * across + 0.5 * across_hips, up) @ rest.pelvis.T)
        bottom, top = rest.joints.hips, rest.joints.shoulders
        shoulders = quaternions.to_matrix(quaternions.between(pelvis, chest, 0.5)) @ (top - bottom)
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
            self._place_leg(index, side, legs, hip, bones, joints)
        for side, directions in self._arm_directions(index, bones, joints).items():
            self._place_arm(index, side, directions, bones, joints)
        return Pose(bones=bones, joints=joints)

    def _place_head(self, index: int, bones: dict[str, BonePose], joints: dict[str, Array]) -> None:
        """Head on its own neck, which leans as the actor's does."""
        rest, head = self.rest, self.rest.head
        turn = limited_turn(head.rotation, self.motion.head_rotation[index])
        rotation = quaternions.from_matrix(turn @ head.rotation.T)
        vector = self._pivots[index]
        ratio = float(np.clip(np.hypot(*vector) / self._neck_length, NECK_MIN, NECK_MAX))
        lean = np.arctan2(vector[1], vector[0]) - np.arctan2(rest.neck[1], rest.neck[0])
        lean = float(np.clip(wrapped(lean, -np.pi), -NECK_TURN_MAX, NECK_TURN_MAX))
        if self.back[index]:  # the guessed turn of a head that shows no face would make it narrow
            rotation = quaternions.about_z(lean)
        c, s = np.cos(lean), np.sin(lean)
        neck = np.r_[np.array([[c, -s], [s, c]]) @ rest.neck[:2] * ratio, rest.neck[2]]
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
            touches = self._touches(index, side, wrists, bones, joints)
            if not any(touch.weight > 0 for touch in touches):
                continue
            target = np.r_[drawn_wrist(wrists[side][:2], touches, sum(lengths)), wrists[side][2]]
            shoulder = joints[f"shoulder_{side}"]
            elbow, wrist = bend_arm(shoulder, joints[f"elbow_{side}"], target, lengths)
            own[side] = (elbow - shoulder) / lengths[0], (wrist - elbow) / lengths[1]
        return own

    def _touches(
        self, index: int, side: str, wrists: dict[str, Array], bones: dict[str, BonePose], joints: dict[str, Array]
    ) -> list[Touch]:
        """Where head, other hand, hip and knee draw the hand of ``side``; distances are the actor's."""
        actor, motion, rest = self.actor, self.motion, self.rest
        points = actor.points[index, :, :2]
        wrist, fingers = points[ARMS[side].joints[2]], points[list(ARMS[side].tip)].mean(0)
        other = "r" if side == "l" else "l"
        body_ratio = self._trunk_length(own=True) / self._trunk_length(own=False) / float(actor.size[index])
        centre, size = motion.head_centre[index], motion.head_size[index]
        own_centre = bones["head"].apply(self._head_centre())[:2]
        away = min(float(np.hypot(*(wrist - centre))), float(np.hypot(*(fingers - centre)))) / size
        apart = wrist - points[ARMS[other].joints[2]]
        middle = (wrists[side][:2] + wrists[other][:2]) / 2
        touches = [
            Touch(target=own_centre + (wrist - centre) * rest.head.size / size, weight=HEAD.weight(away)),
            Touch(
                target=middle + 0.5 * apart * body_ratio,
                weight=OTHER_HAND.weight(float(np.hypot(*apart)) / (actor.lengths["shoulders"] * actor.size[index])),
            ),
        ]
        for name, chain_side, joint, reach in (
            ("hip", side, 0, HIP),
            ("knee", side, 1, KNEE),
            ("knee", other, 1, KNEE),
        ):
            place = points[LEGS[chain_side].joints[joint]]
            if motion.visibility[index, LEGS[chain_side].joints[joint]] < CONTACT_SEEN_MIN:
                continue
            away = float(np.hypot(*(wrist - place))) / (actor.lengths["spine"] * actor.size[index])
            target = joints[f"{name}_{chain_side}"][:2] + (wrist - place) * body_ratio
            touches.append(Touch(target=target, weight=reach.weight(away)))
        return touches

    def _head_centre(self) -> Array:
        """(3,) the middle of the face in the picture, as deep as the template's eyes."""
        head = self.rest.head
        return np.r_[head.centre, self.rest.joints.head[2] - 0.5 * head.width]

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
            else:
                bend = wrapped(azimuth - bone.azimuth - turn, -np.pi)
                turn += float(np.clip(bend, -WRIST_BEND_MAX, WRIST_BEND_MAX)) if name == "hand" else bend
            bones[f"{name}_{side}"] = BonePose(
                rotation=limb_rotation(bone.azimuth, turn, own - elevation), origin=bone.origin, target=place
            )
            place = place + unit_vector(bone.azimuth + turn, elevation) * bone.length
            joints[f"{joint}_{side}"] = place

    def _place_leg(
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
        seen = float(np.clip(np.hypot(*foot[:2]) / self.actor.lengths[f"foot_{side}"], 0, 1))
        own_bones, own_joints = place_leg(self.rest, side, directions, foot, seen, hip)
        bones |= own_bones
        joints |= own_joints

    def _plant_feet(self) -> None:
        """Keep the feet where they are while the actor's rest: legs of other proportions would let them slide."""
        actor, motion = self.actor, self.motion
        spine = actor.lengths["spine"] * actor.size
        for side in SIDES:
            own = np.full((len(motion), 2), np.nan)
            for i, pose in enumerate(self.poses):
                if pose is not None:
                    own[i] = pose.joints[f"ankle_{side}"][:2] * self.scales[i] + self.roots[i]
            foot = actor.points[:, [LEGS[side].joints[2], *LEGS[side].extremity], :2].mean(1)
            rests = resting(foot, spine, motion.frame_rate, motion.shot, motion.present)
            wanted = planted(own, foot, rests, SHIFT_MAX * spine, motion.shot)
            lengths = self.rest.bones[f"thigh_{side}"].length, self.rest.bones[f"calf_{side}"].length
            for i, pose in enumerate(self.poses):
                if pose is None or np.array_equal(wanted[i], own[i]):
                    continue
                ankle = (wanted[i] - self.roots[i]) / self.scales[i]
                hip, knee, before = (pose.joints[f"{name}_{side}"] for name in ("hip", "knee", "ankle"))
                directions = directions_to(ankle, (hip, knee, before), lengths)
                self._place_leg(i, side, directions, hip, pose.bones, pose.joints)

    def _own_contact(self, pose: Pose, side: str) -> Array:
        """(2,) picture pixels from the hips to where the character's foot of ``side`` stands."""
        foot = pose.bones[f"foot_{side}"]
        ends = np.stack([foot.apply(self.rest.joints.points[index]) for index in LEGS[side].extremity])
        return ground_contact(pose.joints[f"ankle_{side}"], ends) + [0, self.rest.sole_below]

    def _roots(self) -> Array:
        """(F, 2) where the character's hips are in the frame: the carrying foot stays where the actor's is.

        Where the actor is not seen down to the feet, shoulders and hips agree with the actor's on average.
        """
        actor, motion = self.actor, self.motion
        hips = actor.hips[:, :2]
        offsets = np.full((len(motion), 2), np.nan)
        for i, pose in enumerate(self.poses):
            if pose is None:
                continue
            scale = float(self.scales[i])
            if self.legs_seen:
                feet = self._contacts[i]
                own = np.array([self._own_contact(pose, side) for side in SIDES]) * scale
                weight = np.exp((feet[:, 1] - feet[:, 1].max()) / (SUPPORT * actor.lengths["spine"] * actor.size[i]))
                offsets[i] = (weight[:, None] * (feet - own)).sum(0) / weight.sum()
            else:
                shoulders = actor.shoulders[i, :2] - pose.joints["shoulders"][:2] * scale
                face = motion.head_centre[i] - pose.bones["head"].apply(self._head_centre())[:2] * scale
                offsets[i] = self._head_share * face + (1 - self._head_share) * shoulders
        result = np.full_like(offsets, np.nan)
        for start, stop in spans(motion.present, motion.shot, gap_max=0):
            here = slice(start, stop)
            away = gaussian_smoothed(offsets[here] - hips[here], ROOT_SIGMA)
            result[here] = hips[here] + away
        return result

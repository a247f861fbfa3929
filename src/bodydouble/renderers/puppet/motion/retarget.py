"""The character's bones in each frame: the actor's directions, the character's lengths."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.smoothing import fill_gaps, gaussian_smoothed, spans
from bodydouble.renderers.puppet.body.skeleton import LEGS, SIDES
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import (
    ActorSkeleton,
    build_actor_skeleton,
    relative_size,
)
from bodydouble.renderers.puppet.motion.distance import changing_size
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.motion.feet import actor_contacts
from bodydouble.renderers.puppet.motion.hidden_hands import hands_behind_head
from bodydouble.renderers.puppet.motion.legs import SHIFT_MAX, directions_to, planted, resting
from bodydouble.renderers.puppet.motion.posing import Posing
from bodydouble.renderers.puppet.motion.rest_skeleton import CROWN, RestSkeleton
from bodydouble.renderers.puppet.motion.sitting import lean_of
from bodydouble.renderers.puppet.motion.turning import as_facing, back_frames, exchanged_frames
from bodydouble.renderers.puppet.motion.visibility import hips_seen, legs_seen

Array = NDArray[np.float64]

ROOT_SIGMA = 3.0
"""Frames over which the body's offset from the actor's hips, or shoulders, is smoothed."""
HEAD_SHARE, HEAD_SHARE_CLOSE = 0.5, 0.85
"""Of the head in size and place of a body without feet, with and without hips in sight; the shoulders have the rest.

In a close-up the viewer compares faces, and wide clothes hide the shoulders: its place is the face's alone. Chosen by
eye on talking heads.
"""
SUPPORT = 0.12
"""Spine lengths of height difference at which the higher foot no longer carries the body."""
UPRIGHT_PERCENTILE, UPRIGHT_MIN = 90, 0.8
"""Percentile of the actor's height on screen, and the share of it from which a frame tells how tall the actor is."""
HEIGHT_STEP = 4
"""Distance in frames of the heights that are compared: a pose costs a millisecond."""
INSIDE_REACH = 24
"""Frames before and after one whose head is brought into the frame in which the body comes down, and returns."""
LIFTED = (0.6, 0.9)
"""Spine lengths of an ankle above the other one between which a resting foot stands on no ground: somebody crosses the
legs, or has a foot on a chair. A step of 0.7 m towards a camera at eye height three metres away gives 0.6."""
REST_SIGMA = 1.5
"""Frames over which the shade of a foot comes when it is set down, and goes."""
INSIDE_SCALE_MIN = 0.8
"""Factor on the character's size that brings its head into the frame, at least. Chosen by eye on half bodies."""


class Retargeting:
    """Poses of the character for every frame. Made once; keeps nothing that drawing a frame changes."""

    def __init__(self, rest: RestSkeleton, motion: Motion, template: BodyTemplate, *, own_size: bool = False) -> None:
        """``own_size``: keep the character's proportion to the actor's head instead of the actor's height."""
        self.back = back_frames(motion)
        self.exchanged = exchanged_frames(motion, self.back)
        self.rest = rest
        self.motion = as_facing(motion, self.back)
        self.behind_head = hands_behind_head(self.motion)
        self.legs_seen = legs_seen(motion)
        self._hips_seen = hips_seen(motion)
        self._head_share = HEAD_SHARE if self._hips_seen else HEAD_SHARE_CLOSE
        size = changing_size(self.motion) if self.legs_seen else relative_size(self.motion)
        self.actor = build_actor_skeleton(self.motion, template, size)
        ratio = self._trunk_length(None) / self._trunk_length(self.actor)
        self._posing = Posing(rest, self.motion, self.actor, self.back, trunk_ratio=ratio)
        self._contacts = actor_contacts(self.motion, self.actor)
        self.scale = self._shot_scale(own_size)
        lean = None if self.legs_seen else lean_of(self.motion, self.actor, rest, self.scale)
        self.sits = np.zeros(len(motion)) if lean is None else lean.sits
        self.poses = self._posing.poses(lean)
        self.scales = self.scale * self.actor.size
        self.roots = self._roots()
        if not own_size:
            self._keep_heads_inside()
        self.feet_rest = np.zeros((len(motion), len(SIDES)))  # 0-1 how surely each foot stands on the ground
        if self.legs_seen:
            self._plant_feet()

    def _shot_scale(self, own_size: bool) -> float:
        """Frame pixels for a picture pixel at the actor's usual distance from the camera."""
        heights = self._heights() if self.legs_seen and not own_size else np.zeros(0)
        if len(heights):
            return float(np.median(heights))
        sizes = (self.motion.head_size / self.actor.size)[self.motion.present]
        body = self._trunk_length(self.actor) / self._trunk_length(None)
        head = float(np.median(sizes)) / self.rest.head.size if len(sizes) else body
        return head if own_size else float(body ** (1 - self._head_share) * head**self._head_share)

    def _heights(self) -> Array:
        """(N,) the actor's height at the usual distance over the pose's, in every few frames with an upright actor.

        None of somebody who lies or stands on the head.
        """
        motion, posing, size = self.motion, self._posing, self.actor.size
        tops = motion.head_centre[:, 1] - motion.head_rotation[:, 1, 1] * CROWN * motion.head_size
        weights = _support(self._contacts, self.actor)
        heights = ((self._contacts[..., 1] * weights).sum(1) - tops) / size
        upright = heights > UPRIGHT_MIN * max(float(np.percentile(heights[motion.present], UPRIGHT_PERCENTILE)), 0.0)
        sampled = np.flatnonzero(motion.present & upright)[::HEIGHT_STEP]
        poses = [posing.pose(int(i)) for i in sampled]
        both = np.array([[posing.contact(pose, side)[1] for side in SIDES] for pose in poses]).reshape(-1, 2)
        soles = (both * weights[sampled]).sum(1)
        return heights[sampled] / np.subtract(soles, [posing.top(pose, self.rest.crown) for pose in poses])

    def _keep_heads_inside(self) -> None:
        """Bring the character's head into the frame where the actor's is: smaller where feet are seen, else lower."""
        outside = self._heads_outside()
        if not outside.any():
            return
        if not self.legs_seen:
            for start, stop in spans(self.motion.present, self.motion.shot):
                self.roots[start:stop, 1] += _envelope(outside[start:stop])
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
            result[i] = max(-(self._posing.top(pose, crown) * float(self.scales[i]) + float(self.roots[i, 1])), 0.0)
        return result

    def _trunk_length(self, actor: ActorSkeleton | None) -> float:
        """Shoulder width, with the spine where the video shows the hips: the ``actor``'s, or the character's, px."""
        wide = self.rest.shoulder_width if actor is None else actor.lengths["shoulders"]
        if not self._hips_seen:
            return wide
        return wide + (self.rest.spine if actor is None else actor.lengths["spine"])

    @property
    def body_ratio(self) -> float:
        """Size of the character's body in the frame over the actor's."""
        return self.scale * self._trunk_length(None) / self._trunk_length(self.actor)

    def _plant_feet(self) -> None:
        """Keep the feet where they are while the actor's rest: legs of other proportions would let them slide."""
        actor, motion = self.actor, self.motion
        spine = actor.lengths["spine"] * actor.size
        for k, side in enumerate(SIDES):
            own = np.full((len(motion), 2), np.nan)
            for i, pose in enumerate(self.poses):
                if pose is not None:
                    own[i] = pose.joints[f"ankle_{side}"][:2] * self.scales[i] + self.roots[i]
            foot = actor.points[:, [LEGS[side].joints[2], *LEGS[side].extremity], :2].mean(1)
            rests = resting(foot, spine, motion.frame_rate, motion.shot, motion.present)
            for start, stop in rests:
                self.feet_rest[start:stop, k] = 1
            for start, stop in spans(motion.present, motion.shot, gap_max=0):
                self.feet_rest[start:stop, k] = gaussian_smoothed(self.feet_rest[start:stop, k], REST_SIGMA)
            ankles = actor.points[:, [LEGS[other].joints[2] for other in SIDES], 1]
            lifted = (ankles.max(1) - ankles[:, k]) / spine
            self.feet_rest[:, k] *= 1 - smoothstep(*LIFTED, lifted)  # crossed legs, a foot on a seat
            wanted = planted(own, foot, rests, SHIFT_MAX * spine, motion.shot)
            lengths = self.rest.bones[f"thigh_{side}"].length, self.rest.bones[f"calf_{side}"].length
            for i, pose in enumerate(self.poses):
                if pose is None or np.array_equal(wanted[i], own[i]):
                    continue
                ankle = (wanted[i] - self.roots[i]) / self.scales[i]
                hip, knee, before = (pose.joints[f"{name}_{side}"] for name in ("hip", "knee", "ankle"))
                directions = directions_to(ankle, (hip, knee, before), lengths)
                self._posing.place_leg(i, side, directions, hip, pose.bones, pose.joints)

    def _roots(self) -> Array:
        """(F, 2) where the character's hips are in the frame: the carrying foot stays where the actor's is.

        Where the actor is not seen down to the feet, face and shoulders are where the actor's are, on average. The
        shoulders follow the actor's at once. Hips may be outside the frame, where the network's guess of them trembles.
        Where the frame's upper edge cuts the shoulders off, the body goes on with the hips.
        """
        actor, motion = self.actor, self.motion
        held = actor.hips[:, :2].copy()
        offsets = np.full((len(motion), 2), np.nan)
        weights = _support(self._contacts, actor)
        face_share = HEAD_SHARE if self._hips_seen else 1.0
        for i, pose in enumerate(self.poses):
            if pose is None:
                continue
            scale = float(self.scales[i])
            if self.legs_seen:
                own = np.array([self._posing.contact(pose, side) for side in SIDES]) * scale
                offsets[i] = (weights[i, :, None] * (self._contacts[i] - own)).sum(0)
            else:
                held[i] = actor.shoulders[i, :2] - pose.joints["shoulders"][:2] * scale
                face = motion.head_centre[i] - pose.bones["head"].apply(self.rest.face)[:2] * scale
                offsets[i] = face_share * face + (1 - face_share) * held[i]
        result = np.full_like(offsets, np.nan)
        for start, stop in spans(motion.present, motion.shot, gap_max=0):
            here = slice(start, stop)
            away = gaussian_smoothed(offsets[here] - held[here], ROOT_SIGMA)
            hips = actor.hips[here, :2]
            result[here] = hips + fill_gaps(held[here] + away - hips, ~motion.cut_off[here])
        return result


def _envelope(values: Array) -> Array:
    """(F,) at least ``values`` (F,) of 0 or more, and smooth."""
    padded = np.pad(values, INSIDE_REACH, mode="edge")
    return gaussian_smoothed(sliding_window_view(padded, 2 * INSIDE_REACH + 1).max(1), INSIDE_REACH / 4)


def _support(contacts: Array, actor: ActorSkeleton) -> Array:
    """(F, 2) how much of the body each foot carries, of 1, by its height at ``contacts`` (F, 2, 2): the lower more."""
    above = (contacts[..., 1] - contacts[..., 1].max(1, keepdims=True)) / (actor.lengths["spine"] * actor.size[:, None])
    weights = np.exp(above / SUPPORT)
    return weights / weights.sum(1, keepdims=True)

"""Where the puppet's parts go in each frame: the character's proportions on the actor's joints."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.smoothing import one_euro, spans
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.anatomy import Anatomy

Array = NDArray[np.float64]

WIDTH_MIN, WIDTH_MAX = 0.70, 1.25
"""Bounds of the shoulders' width on screen in that of the body facing the camera: a cut-out seen edge-on is nothing."""
SPINE_MIN, SPINE_MAX = 0.62, 1.3
PROPORTION_MIN, PROPORTION_MAX = 0.85, 1.15
"""Bounds of the trunk's height over its width, relative to the reference's."""
TURN_SEEN = (0.3, 0.9)
"""Sines of the trunk's turn between which its front moves aside: shoulders look narrow for smaller ones too."""
FRONT_REACH = 1.25
"""Half widths of the shoulders within which the front moves: sleeves hang outside."""
FRONT_SHIFT = 0.5
"""How far the front of a trunk in profile moves, in that reach: beyond 0.65 the far side would fold."""
LEAN_END = 0.7
"""Share of the spine, from the shoulders down, that leans with the head."""


@dataclass(frozen=True, kw_only=True)
class BodyScales:
    """Picture pixels for a texture pixel, per frame; NaN where the actor is absent."""

    head: Array  # (F,)
    body: Array  # (F,) limbs' thickness, and the trunk facing the camera
    spine: float  # trunk's height over ``body`` where the hips are not to be seen
    mirrored: NDArray[np.bool_]  # (F,) the actor's left is at image left: seen from behind
    turn: Array  # (F,) how far the trunk's front is turned to image right: -1 and 1 in profile


def body_scales(anatomy: Anatomy, motion: Motion) -> BodyScales:
    """Scales from the head, which is seen best, times the actor's own ratio of body to head."""
    head = motion.head_size / anatomy.head.size
    body = motion.body
    shoulders = np.linalg.norm(body[:, 11] - body[:, 12], axis=1) / anatomy.shoulder_width
    middle, hips = (body[:, 11] + body[:, 12]) / 2, (body[:, 23] + body[:, 24]) / 2
    spine = np.linalg.norm(middle - hips, axis=1) / anatomy.spine
    here = motion.present
    if not here.any():
        nowhere = np.zeros(len(motion))
        return BodyScales(head=head, body=head, spine=1.0, mirrored=nowhere > 0, turn=nowhere)
    # Turned shoulders look narrow, never wide: a high percentile is the width that faces the camera.
    ratio = float(np.percentile((shoulders / head)[here], 75))
    tall = float(np.median((spine / head)[here]))
    ratio = float(np.clip(ratio, 0.5 * tall, 2.0 * tall))
    mirrored_frames = mirrored(motion)
    return BodyScales(
        head=head,
        body=head * ratio,
        spine=float(np.clip(tall / ratio, PROPORTION_MIN, PROPORTION_MAX)),
        mirrored=mirrored_frames,
        turn=np.where(mirrored_frames, 0.0, _turn(motion, head * ratio * anatomy.shoulder_width)),
    )


def _turn(motion: Motion, facing: Array) -> Array:
    """(F,) see ``BodyScales.turn``; ``facing`` (F,) px is the shoulders' width towards the camera.

    How much narrower the shoulders look than that says how far they are turned, their depth to which side. Depth is
    too rough to say more, but where it is small the narrowness is a shrug.
    """
    result = np.zeros(len(motion))
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        body, depth, width = motion.body[start:stop], motion.depth[start:stop], facing[start:stop]
        seen = np.linalg.norm(body[:, 11] - body[:, 12], axis=1) / width
        deep = (depth[:, 11] - depth[:, 12]) / width
        sine = np.minimum(np.sqrt(np.clip(1 - seen**2, 0, 1)), np.abs(deep))
        turned = np.sign(deep) * smoothstep(*TURN_SEEN, sine)
        result[start:stop] = one_euro(turned[:, None], motion.frame_rate, cutoff=1.0, beta=0.0, scale=1.0)[:, 0]
    return result


def mirrored(motion: Motion) -> NDArray[np.bool_]:
    """Where shoulders and hips, smoothed over a third of a second, are in the order of somebody seen from behind."""
    result = np.zeros(len(motion), np.bool_)
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        body = motion.body[start:stop]
        order = (body[:, 11, 0] - body[:, 12, 0]) + (body[:, 23, 0] - body[:, 24, 0])
        scale = max(float(np.abs(order).max()), 1.0)
        smooth = one_euro(order[:, None], motion.frame_rate, cutoff=1.0, beta=0.0, scale=scale)[:, 0]
        behind = False
        for k, value in enumerate(smooth / scale):
            behind = value < (0.0 if behind else -0.15)
            result[start + k] = behind
    return result


@dataclass(frozen=True, kw_only=True)
class TrunkPlacement:
    """Two affine maps (2, 3), at the shoulders and at the hips, blended along the spine; then turned and leaned."""

    upper: Array
    lower: Array
    origin: Array  # (2,) shoulders in the texture
    axis: Array  # (2,) dot with (point - origin): 0 at the shoulders, 1 at the hips
    side: Array  # (2,) dot with (point - origin): 0 on the front's midline, -1 and 1 where the trunk's sides are
    front: Array  # (2,) px in the picture that the midline has moved by, because the trunk is turned
    lean: Array  # (2,) px in the picture that the shoulders have moved by

    def apply(self, points: Array) -> Array:
        """Texture points (N, 2) to the picture."""
        down, aside = (points - self.origin) @ self.axis, (points - self.origin) @ self.side
        t = smoothstep(0.0, 1.0, down)[:, None]
        upper = points @ self.upper[:, :2].T + self.upper[:, 2]
        lower = points @ self.lower[:, :2].T + self.lower[:, 2]
        bulge = np.clip(1 - aside**2, 0, None)[:, None] ** 2
        high = 1 - smoothstep(0.0, LEAN_END, down)[:, None]
        return upper * (1 - t) + lower * t + bulge * self.front + high * self.lean


def _direction(vector: Array, fallback: Array) -> Array:
    length = float(np.hypot(*vector))
    return vector / length if length > 1e-6 else fallback


def _across(line: Array, spine: Array, typical: float) -> Array:
    """Unit direction from the image-left to the image-right end of ``line``; square to the spine where it is short."""
    square = np.array([spine[1], -spine[0]])
    line = line if line @ square > 0 else -line
    lack = max(0.0, 0.6 - float(np.hypot(*line)) / max(typical, 1e-6))
    return _direction(line / max(typical, 1e-6) + square * 2 * lack, square)


def place_trunk(
    anatomy: Anatomy, body: Array, visibility: Array, scales: BodyScales, index: int, height: int
) -> TrunkPlacement:
    """The trunk on the actor's ``body`` (33, 2); hips outside the picture or hidden are guessed from the shoulders."""
    scale = float(scales.body[index])
    shoulders, hips = (body[11] + body[12]) / 2, (body[23] + body[24]) / 2
    typical = scale * anatomy.shoulder_width
    seen = float(smoothstep(0.3, 0.7, visibility[[23, 24]].mean()))
    seen *= 1 - float(smoothstep(-0.02, 0.08, (hips[1] - height) / height))
    down = _direction(hips - shoulders, np.array([0.0, 1.0]))
    across = _across(body[11] - body[12], down, typical)
    square = np.array([-across[1], across[0]])
    guess = _direction(0.5 * down + 0.5 * square, square)
    long = float(np.clip(np.hypot(*(hips - shoulders)) / anatomy.spine, SPINE_MIN * scale, SPINE_MAX * scale))
    tall = scales.spine * scale * (1 - seen) + long * seen
    down = _direction(guess * (1 - seen) + down * seen, square)
    hips = shoulders + down * tall * anatomy.spine
    wide = float(np.hypot(*(body[11] - body[12]))) / anatomy.shoulder_width
    wide = float(np.clip(wide, WIDTH_MIN * scale, WIDTH_MAX * scale))
    line = _across(body[23] - body[24], down, 0.6 * typical)
    lower_across = _direction(across * (1 - 0.7 * seen) + line * 0.7 * seen, across)
    own_across = _direction((anatomy.body[11] - anatomy.body[12])[:2], np.array([1.0, 0.0]))
    own_down = _direction(anatomy.hips - anatomy.shoulders, np.array([0.0, 1.0]))
    if own_across[0] < 0:
        own_across = -own_across
    basis = np.linalg.inv(np.stack([own_across, own_down], 1))
    upper = np.stack([across * wide, down * tall], 1) @ basis
    lower = np.stack([lower_across * wide, down * tall], 1) @ basis
    return TrunkPlacement(
        upper=np.concatenate([upper, (shoulders - upper @ anatomy.shoulders)[:, None]], 1),
        lower=np.concatenate([lower, (hips - lower @ anatomy.hips)[:, None]], 1),
        origin=anatomy.shoulders,
        axis=basis[1] / anatomy.spine,
        side=basis[0] / (0.5 * FRONT_REACH * anatomy.shoulder_width),
        front=across * (0.5 * FRONT_REACH * FRONT_SHIFT * wide * anatomy.shoulder_width * float(scales.turn[index])),
        lean=np.zeros(2),
    )

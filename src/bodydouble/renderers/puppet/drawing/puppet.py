"""Drawing the character as the actor moves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.track import FACE_POINTS
from bodydouble.renderers.puppet.drawing.drawing import Drawing, HandPlace, draw_shadow, hand_fade, lay_over
from bodydouble.renderers.puppet.drawing.mesh import Box, bounds_of, draw_mesh
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.expression import apply_expression, smoothstep
from bodydouble.renderers.puppet.motion.head import OVAL, PIVOT_DEPTH, limited_turn, roll_between
from bodydouble.renderers.puppet.motion.placement import TrunkPlacement, body_scales, place_trunk
from bodydouble.renderers.puppet.picture.character import Character
from bodydouble.renderers.puppet.picture.limb_cutting import FINGERS, TOES
from bodydouble.renderers.puppet.picture.limbs import Piece, bone_map, draw_piece, mapped, turn_map

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]

NECK_GIVE = 0.3
"""Neck lengths that a chin moves with the skin of the neck: at half of one, the weights' slope, the mesh folds."""
LEAN_MAX = 0.08
"""Spine lengths that the shoulders lean after a head at most."""
FOOT_TURN_MAX = np.deg2rad(65)
SHADOW_REACH = 0.07
"""Softness, in anatomy units, of the shadow that an arm casts on the trunk behind it."""
LIMB_SEEN = (0.1, 0.2)
"""Visibilities between which a leg fades in: the network gives a leg behind a desk nearly none."""
ARM_SEEN = 0.5
"""Visibility below which both elbow and wrist of the far arm are taken to be behind the body."""
FOOT_SCALE_MIN, FOOT_SCALE_MAX = 0.75, 1.15

HAND_SWAP_FROM, HAND_SWAP_TO = 0.25, 0.75
"""Weights of a seen hand between which it takes the puppet's place: longer, two hands are seen through each other."""


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """One piece of a limb to draw: where, how strongly, and whether the trunk covers it."""

    piece: Piece
    matrix: Array
    weight: float
    behind: bool
    fade: HandPlace | None = None  # the hand whose kept share is taken off this piece


class Puppet:
    """The character driven by a motion. Keeps nothing between frames: any thread may draw any frame."""

    def __init__(self, character: Character, motion: Motion, hands: str = "keep") -> None:
        """``hands``: "keep" lets the actor's own hands replace the puppet's where they are seen, "puppet" never."""
        self.character = character
        self.motion = motion
        self._keep_hands = hands == "keep"
        self._scales = body_scales(character.anatomy, motion)

    def draw(self, index: int, height: int, width: int) -> Drawing | None:
        """The puppet in frame ``index`` of ``height`` x ``width`` pixels; None where the actor is absent or outside."""
        if not self.motion.present[index]:
            return None
        trunk, points, lower, depth = self._trunk(index, height)
        layers, hands = self._layers(index, trunk, height)
        bounds = _bounds(points, layers, height, width)
        if bounds is None:
            return None
        x0, y0, x1, y1 = bounds
        canvas = np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
        behind = [layer for layer in layers if layer.behind]
        for box, rgba in _drawn([*behind, self._neck(index, trunk)], bounds):
            lay_over(canvas, box, rgba)
        figure, shift = self.character.figure, np.array([x0, y0])
        for mesh, target in ((figure.trunk, lower), (figure.head, points)):
            drawn = draw_mesh(mesh, target - shift, depth, y1 - y0, x1 - x0)
            if drawn is not None:
                lay_over(canvas, *drawn)
        front = list(_drawn([layer for layer in layers if not layer.behind], bounds))
        cover = np.zeros(canvas.shape[:2], np.uint8)
        for (u0, v0, u1, v1), rgba in front:
            cv2.max(cover[v0:v1, u0:u1], cv2.extractChannel(rgba, 3), dst=cover[v0:v1, u0:u1])
        draw_shadow(canvas, cover, SHADOW_REACH * float(self._scales.body[index]) * self.character.anatomy.unit)
        for box, rgba in front:
            lay_over(canvas, box, rgba)
        return Drawing(
            bounds=bounds,
            rgba=canvas,
            hands=hands,
            face=points[:FACE_POINTS] if self.character.has_face else None,
            face_cover=cover if self.character.has_face and front else None,
        )

    def _trunk(self, index: int, height: int) -> tuple[TrunkPlacement, Array, Array, Array]:
        """The trunk's placement, the vertices (N, 2) of the head's and of the trunk's layer, their depth (N,)."""
        character, motion = self.character, self.motion
        trunk = place_trunk(
            character.anatomy, motion.body[index], motion.visibility[index], self._scales, index, height
        )
        figure, head = character.figure, character.anatomy.head
        scale = float(self._scales.head[index])
        turn = limited_turn(head.rotation, motion.head_rotation[index])
        centre = motion.head_centre[index]
        solid = figure.solid
        if figure.own_face is not None and figure.rest_face is not None:
            face = apply_expression(figure.rest_face, figure.own_face, motion.expression(index))
            solid = solid.copy()
            solid[:478] = face * head.scale
            moved = (face - figure.own_face) * head.scale
            outline = moved[list(OVAL)]
            solid[478:] += (figure.skirt_weight[..., None] * outline[figure.skirt]).sum(1)
        placed = (solid @ turn.T) * scale
        middle = placed[:478].mean(0) if figure.own_face is not None else np.zeros(3)
        pivot = PIVOT_DEPTH * head.width
        turned = placed - middle
        turned[:, :2] += centre
        roll = roll_between(head.rotation, turn) * scale
        shift = centre + turn[:2, 2] * pivot * scale - roll @ (head.centre + head.rotation[:2, 2] * pivot)
        flat = figure.vertices @ roll.T + shift
        weight = figure.flat_weight[:, None]
        at_head = turned[:, :2] * (1 - weight) + flat * weight
        down = trunk.upper[:, :2] @ (character.anatomy.hips - character.anatomy.shoulders)
        spine = max(float(np.hypot(*down)), 1e-6)
        down = down / spine
        give = NECK_GIVE * figure.neck_length * scale
        chin = figure.chin @ roll.T + shift
        slide = beyond_skin(chin - trunk.apply(figure.chin[None])[0], down, give)
        trunk = replace(trunk, lean=shared_lean(slide, down, LEAN_MAX * spine))
        slide = beyond_skin(chin - trunk.apply(figure.chin[None])[0], down, give)
        rigid = trunk.apply(figure.vertices)
        away = at_head - rigid - slide
        points = rigid + away * figure.head_weight[:, None] + slide * figure.slide_weight[:, None]
        # The trunk's layer goes along with the head, but is never pressed down by it, nor wrung under one that slides.
        apart = min(1.0, float(np.hypot(*slide)) / give)
        away += apart * (chin - trunk.apply(figure.chin[None])[0] - slide - away)
        pressed = np.maximum(away @ down, 0) * figure.neck_weight
        lower = rigid + (away - pressed[:, None] * down) * figure.collar_weight[:, None]
        return trunk, points, lower, turned[:, 2]

    def _neck(self, index: int, trunk: TrunkPlacement) -> _Layer:
        """The plain neck between the trunk's shoulders and the head."""
        start = trunk.apply(self.character.anatomy.shoulders[None])[0]
        neck = self.character.figure.neck
        matrix = bone_map(neck, start, self.motion.head_centre[index], float(self._scales.head[index]))
        return _Layer(piece=neck, matrix=matrix, weight=1.0, behind=True)

    def _layers(self, index: int, trunk: TrunkPlacement, height: int) -> tuple[list[_Layer], tuple[HandPlace, ...]]:
        """All pieces from back to front (arms that the body covers, legs, other arms), and the hands."""
        motion, anatomy = self.motion, self.character.anatomy
        depth = motion.depth[index]
        mirrored = bool(self._scales.mirrored[index])
        scale = float(self._scales.body[index])
        layers: list[_Layer] = []
        legs = [(depth[limb.joints[1]], k) for k, limb in enumerate(self.character.legs)]
        for _, k in sorted(legs, reverse=True):
            layers += self._leg(index, k, 1 - k if mirrored else k, trunk, scale, height)
        hands: list[HandPlace] = []
        covered: list[_Layer] = []
        arms = [(depth[15 + (1 - k if mirrored else k)], k) for k in range(2)]
        for _, k in sorted(arms, reverse=True):
            side = 1 - k if mirrored else k
            shoulder, other = 11 + side, 12 - side
            # Far shoulder well behind the near one, elbow and wrist not before the chest or not seen: the body covers
            # the arm.
            turned = depth[shoulder] - depth[other] > 0.7 * scale * anatomy.shoulder_width
            joints = [13 + side, 15 + side]
            behind = bool(
                turned and (depth[joints].min() > depth[other] or motion.visibility[index, joints].max() < ARM_SEEN)
            )
            pieces, hand = self._arm(index, k, side, trunk, scale, behind)
            (covered if behind else layers).extend(pieces)
            hands.append(hand)
        return [*covered, *layers], tuple(hands)

    def _arm(
        self, index: int, k: int, side: int, trunk: TrunkPlacement, scale: float, behind: bool
    ) -> tuple[list[_Layer], HandPlace]:
        """The character's arm ``k`` on the actor's arm ``side``."""
        motion, limb = self.motion, self.character.arms[k]
        body = motion.body[index]
        shoulder = trunk.apply(self.character.anatomy.body[limb.joints[0], :2][None])[0]
        elbow, wrist = body[13 + side], body[15 + side]
        points = motion.hands[index, side]
        seen = float(motion.hand_weight[index, side])
        fingers = body[list(FINGERS[side])].mean(0) - wrist
        if seen > 0 and np.isfinite(points).all():
            fingers = seen * (points[9] - points[0]) + (1 - seen) * fingers
        kept = float(np.clip((seen - HAND_SWAP_FROM) / (HAND_SWAP_TO - HAND_SWAP_FROM), 0, 1))
        hand = HandPlace(
            side=side, wrist=wrist, direction=fingers, kept=kept if self._keep_hands else 0.0, behind=behind
        )
        upper, lower, palm = limb.pieces
        layers: list[_Layer] = []
        if palm is not None:
            matrix = turn_map(palm, wrist, fingers, scale)
            layers.append(_Layer(piece=palm, matrix=matrix, weight=1.0, behind=behind, fade=hand))
        if upper is not None:
            layers.append(
                _Layer(piece=upper, matrix=bone_map(upper, shoulder, elbow, scale), weight=1.0, behind=behind)
            )
        if lower is not None:
            matrix = bone_map(lower, elbow, wrist, scale)
            layers.append(_Layer(piece=lower, matrix=matrix, weight=1.0, behind=behind, fade=hand))
        return layers, hand

    def _leg(self, index: int, k: int, side: int, trunk: TrunkPlacement, scale: float, height: int) -> list[_Layer]:
        """The character's leg ``k`` on the actor's leg ``side``: foot, shin, thigh from back to front."""
        motion, limb = self.motion, self.character.legs[k]
        body, seen = motion.body[index], motion.visibility[index]
        hip = trunk.apply(self.character.anatomy.body[limb.joints[0], :2][None])[0]
        knee, ankle, toe = body[25 + side], body[27 + side], body[TOES[side]]
        # A knee inside the picture that is not seen is behind something (a desk): nothing is drawn there.
        weight = 1.0 if knee[1] > height else float(smoothstep(*LIMB_SEEN, seen[25 + side]))
        if weight <= 0:
            return []
        thigh, shin, foot = limb.pieces
        layers: list[_Layer] = []
        low = weight if ankle[1] > height else weight * float(smoothstep(*LIMB_SEEN, seen[27 + side]))
        if foot is not None:
            layers.append(_Layer(piece=foot, matrix=_foot_map(foot, knee, ankle, toe, scale), weight=low, behind=True))
        if shin is not None:
            layers.append(_Layer(piece=shin, matrix=bone_map(shin, knee, ankle, scale), weight=low, behind=True))
        if thigh is not None:
            layers.append(_Layer(piece=thigh, matrix=bone_map(thigh, hip, knee, scale), weight=weight, behind=True))
        return layers


def beyond_skin(lean: Array, down: Array, give: float) -> Array:
    """(2,) px of ``lean`` beyond the ``give`` px that a neck's skin can take up: the head slides over it by as much.

    ``lean`` is how far the chin is from where the trunk alone would have it; away from the shoulders, against the unit
    vector ``down``, the neck is only drawn out.
    """
    pressed = lean - min(float(lean @ down), 0.0) * down
    return pressed * max(0.0, 1 - give / max(float(np.hypot(*pressed)), 1e-6))


def shared_lean(slide: Array, down: Array, most: float) -> Array:
    """(2,) px that the shoulders go along with a head that would slide by ``slide``: across the spine, half the way.

    At most ``most`` px: the actor's own shoulders are seen where they are.
    """
    across = slide - (slide @ down) * down
    length = float(np.hypot(*across))
    return across * (min(0.5 * length, most) / max(length, 1e-6))


def _foot_map(foot: Piece, knee: Array, ankle: Array, toe: Array, scale: float) -> Array:
    """(2, 3): the foot turned towards the actor's toes, never so far that its sole looks up."""
    own = foot.b - foot.a
    wanted = toe - ankle
    turn = np.arctan2(wanted[1], wanted[0]) - np.arctan2(own[1], own[0])
    turn = float(np.clip((turn + np.pi) % (2 * np.pi) - np.pi, -FOOT_TURN_MAX, FOOT_TURN_MAX))
    c, s = np.cos(turn), np.sin(turn)
    direction = np.array([[c, -s], [s, c]]) @ own
    length = float(
        np.clip(np.hypot(*wanted) / max(float(np.hypot(*own)), 1e-6), FOOT_SCALE_MIN * scale, FOOT_SCALE_MAX * scale)
    )
    return turn_map(foot, ankle, direction, length)


def _bounds(points: Array, layers: list[_Layer], height: int, width: int) -> Box | None:
    corners = [points, *[mapped(layer.matrix, layer.piece.corners) for layer in layers]]
    return bounds_of(np.concatenate(corners), height, width)


def _drawn(layers: list[_Layer], bounds: Box) -> Iterator[tuple[Box, Bytes]]:
    """Each piece as premultiplied RGBA and its box within ``bounds``; none of those that are outside."""
    x0, y0, x1, y1 = bounds
    for layer in layers:
        matrix = layer.matrix.copy()
        matrix[:, 2] -= [x0, y0]
        drawn = draw_piece(layer.piece, matrix, y1 - y0, x1 - x0)
        if drawn is None:
            continue
        box, rgba = drawn
        if layer.weight < 1 or (layer.fade is not None and layer.fade.kept > 0):
            strength = np.full(rgba.shape[:2], layer.weight * 255 + 0.5, np.float32)
            if layer.fade is not None:
                strength *= hand_fade(layer.fade, (x0 + box[0], y0 + box[1]), rgba.shape[:2])
            rgba = np.asarray(cv2.multiply(rgba, cv2.merge([strength.astype(np.uint8)] * 4), scale=1 / 255), np.uint8)
        yield box, rgba

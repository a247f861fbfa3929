"""Drawing the layered body as the actor moves."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, PixelBox
from bodydouble.perception.landmark_indices import KNEES, BodyPoint, HandPoint
from bodydouble.perception.track import FACE_POINTS
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.body.skinning import dual_quaternions, skin_points
from bodydouble.renderers.puppet.drawing.drawing import Drawing, DrawnFoot, DrawnHand, cropped, draw_shadow, lay_over
from bodydouble.renderers.puppet.drawing.face_mesh import OPAQUE
from bodydouble.renderers.puppet.drawing.mesh import bounds_of, draw_mesh
from bodydouble.renderers.puppet.drawing.placed_layer import PlacedLayer, place_layer
from bodydouble.renderers.puppet.drawing.raised_thighs import undersides_of
from bodydouble.renderers.puppet.drawing.wrist import wrist_of
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.expression import apply_expression
from bodydouble.renderers.puppet.motion.head import MESH_POINTS, OVAL, limited_turn
from bodydouble.renderers.puppet.motion.posing import Pose
from bodydouble.renderers.puppet.motion.rest_skeleton import unit_vector
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.picture.character import Character
from bodydouble.renderers.puppet.picture.layer import retextured

Array = NDArray[np.float64]

SHADOW_REACH = 0.07
"""Softness of the shadow that an arm casts on the trunk, in shoulder widths."""
TURNED = 0.7
"""Shoulder widths of depth between the shoulders from which on the far arm may be behind the body."""
BEFORE_CHEST = 0.15
"""Shoulder widths beyond the chest's depth from which on a wrist of somebody seen from behind is before the chest."""
LEG_SEEN = 0.12
"""Visibility of the better seen knee below which something hides the legs: the network gives them nearly none."""
LEGS_SEEN_MIN, LEGS_SEEN_FRAMES = 0.5, 12
"""Visibility of a knee from which the legs are seen, and the frames before and after in which the lower edge rather
than a thing hides them. Chosen by eye on an actor who walks into the picture."""
KNEES_BELOW = 0.5
"""Spine lengths from the hips down to which a matte reaches at least that shows the knees, however high they seem."""
LEGS_HIDDEN_FRAMES = 4
"""Frames before and after that say together whether legs are hidden: in single ones the network errs."""
ARM_SEEN = 0.5
"""Visibility below which both elbow and wrist of the far arm are taken to be behind the body."""
ARM_MOVED = 0.82
"""Cosine of the angle between a bone of the arm and itself in the picture from which the arm has left its place there,
beside or behind the trunk. Chosen by eye on the development clips."""
SITS_MIN = 0.5
"""How much somebody sits (0-1) from which the lower side of raised thighs is seen."""
HAND_SWAP = (0.25, 0.75)
"""Weights of a seen hand between which it takes the puppet's place: longer, two hands are seen through each other."""
HAND_SCALE_MIN, HAND_SCALE_MAX = 0.75, 1.1
"""Bounds of the size of a kept hand over the actor's: larger changes show its pixels."""
FACE = "face"
"""Name of the face mesh's vertices among those of the layers."""
FOOT_LENGTH = 0.6
"""Length of a foot over its calf's: 0.15 and 0.25 of a body's height."""
LEG_END, ARM_END = BodyPoint.LEFT_ANKLE, BodyPoint.LEFT_WRIST
"""Last joints of the left limbs; those of the right ones follow them."""


class LayeredPuppet:
    """The character's layers driven by a motion. Keeps nothing between frames: any thread may draw any frame.

    One at a time draws. Each of two thousand small calls to OpenCV lets another thread have the interpreter: two
    threads that draw wait for each other, one that draws and one that composes hardly do.
    """

    def __init__(self, character: Character, retargeting: Retargeting, motion: Motion, hands: str = "keep") -> None:
        """``hands``: "keep" lets the actor's own hands replace the puppet's where they are seen, "puppet" never."""
        self.character, self.motion = character, motion
        self._body, self._retargeting = character.body.layers, retargeting
        self._keep_hands = hands == "keep"
        headless = None if character.face is None else character.face.headless
        trunk = self._body.layers["trunk"]
        self._headless = trunk if headless is None else retextured(trunk, headless)
        self._from_behind = trunk if trunk.back is None else retextured(trunk, trunk.back)
        self._vertices = _Vertices.of(character)
        self._turn = Lock()
        self._undersides = undersides_of(
            {name: layer.rgba for name, layer in self._body.layers.items()}, retargeting.rest.joints.points
        )

    def draw(self, index: int, height: int, width: int) -> Drawing | None:
        """The puppet in frame ``index`` of ``height`` x ``width`` pixels; None where the actor is absent or outside."""
        with self._turn:
            return self._drawn(index, height, width)

    def _drawn(self, index: int, height: int, width: int) -> Drawing | None:
        pose = self._retargeting.poses[index]
        if pose is None:
            return None
        duals = dual_quaternions(pose.ordered())
        root = np.array([*self._retargeting.roots[index], 0.0])
        scale = float(self._retargeting.scales[index])
        skinned = self._vertices.skinned(duals)
        placed = {name: skinned[name] * scale + root for name in self._body.layers}
        bounds = bounds_of(np.concatenate([points[:, :2] for points in placed.values()]), height, width)
        if bounds is None:
            return None
        x0, y0, x1, y1 = bounds
        canvas = np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
        joints = {
            name: (skinned[_joint_of(name)] * scale + root)[:, :2] - [x0, y0]
            for name, layer in self._body.layers.items()
            if layer.joint is not None
        }
        back = bool(self._retargeting.back[index])
        maps = self._maps(placed, joints, scale, bounds, back=back)
        for name in self._legs_hidden(index, height):
            maps.pop(name, None)
        behind = self._arms_behind(index)
        legs, arms = self._far_to_near(index, "leg", LEG_END), self._far_to_near(index, "arm", ARM_END)
        hands = self._hands(index, pose, arms, behind)
        strength = {
            name: maps[name].hand_strength(hand.kept) for name, hand in zip(arms, hands, strict=True) if name in maps
        }
        for name in (*arms, *legs, "trunk"):
            if name in maps:
                for box, rgba in maps[name].drawn(maps[name].layer.rgba, strength.get(name)):
                    lay_over(canvas, box, rgba)
        undersides = (
            {} if self._retargeting.sits[index] < SITS_MIN else self._raised(pose, scale, root - [x0, y0, 0.0], bounds)
        )
        self._lay_fronts(canvas, maps, legs, undersides)
        face = None if back else self._lay_face(index, skinned.get(FACE), canvas, bounds)
        cover = np.zeros(canvas.shape[:2], np.uint8)
        over: list[tuple[PixelBox, Bytes]] = []
        for name in (name for name in arms if name not in behind):
            texture = self._arm_texture(pose, maps[name], name[-1]) if name in maps else None
            if texture is not None:
                wrist = self._wrist(index, pose, hands[arms.index(name)], bounds)
                hidden = self._retargeting.behind_head[index, "lr".index(name[-1])]
                shown = maps[name].only(beyond=False) if hidden else maps[name]
                pieces = shown.drawn(texture, strength[name])
                for (u0, v0, u1, v1), rgba in pieces if wrist is None else [wrist, *pieces]:
                    cv2.max(cover[v0:v1, u0:u1], cv2.extractChannel(rgba, 3), dst=cover[v0:v1, u0:u1])
                    over.append(((u0, v0, u1, v1), rgba))
        draw_shadow(canvas, cover, SHADOW_REACH * scale * self._retargeting.rest.shoulder_width)
        for box, rgba in over:
            lay_over(canvas, box, rgba)
        face_cover = cover if face is not None and over else None
        alpha = np.asarray(cv2.extractChannel(canvas, 3), np.uint8)
        parts = Drawing(bounds=bounds, rgba=canvas, alpha=alpha, hands=hands, face=face, face_cover=face_cover)
        return cropped(replace(parts, feet=self._feet(index, pose, maps)))

    def _maps(
        self, placed: dict[str, Array], joints: dict[str, Array], scale: float, bounds: PixelBox, *, back: bool
    ) -> dict[str, PlacedLayer]:
        """The layers that are seen within ``bounds``, with their vertices ``placed`` in the frame.

        From the ``back`` the trunk's layer has the head; else the face's mesh and the dome behind it show that.
        """
        x0, y0, x1, y1 = bounds
        corner = np.array([x0, y0, 0.0])
        result: dict[str, PlacedLayer] = {}
        for name, own in self._body.layers.items():
            layer = own if name != "trunk" else self._from_behind if back else self._headless
            mapped = place_layer(layer, placed[name] - corner, y1 - y0, x1 - x0, joint=joints.get(name), scale=scale)
            if mapped is not None:
                result[name] = mapped
        return result

    def _arm_texture(self, pose: Pose, arm: PlacedLayer, side: str) -> Bytes | None:
        """What is drawn of an ``arm`` before the trunk: all below the shoulder if it left its place in the picture."""
        ends = [pose.joints[f"{joint}_{side}"] for joint in ("shoulder", "elbow", "wrist")]
        for name, start, stop in zip(("upperarm", "lowerarm"), ends[:2], ends[1:], strict=True):
            bone = self._retargeting.rest.bones[f"{name}_{side}"]
            if unit_vector(bone.azimuth, bone.elevation) @ (stop - start) < ARM_MOVED * bone.length:
                return arm.layer.moved
        return arm.layer.front

    def _lay_fronts(
        self,
        canvas: Bytes,
        maps: dict[str, PlacedLayer],
        names: list[str],
        undersides: dict[str, tuple[PixelBox, Bytes]],
    ) -> None:
        """What is before the trunk of the legs ``names``; ``undersides`` hide the thighs but not the shins."""
        for name in names:
            texture = maps[name].layer.front if name in maps else None
            if texture is None:
                continue
            if name in undersides:
                for box, rgba in maps[name].only(beyond=False).drawn(texture):
                    lay_over(canvas, box, rgba)
                lay_over(canvas, *undersides[name])
            for box, rgba in (maps[name].only(beyond=True) if name in undersides else maps[name]).drawn(texture):
                lay_over(canvas, box, rgba)

    def _raised(self, pose: Pose, scale: float, root: Array, bounds: PixelBox) -> dict[str, tuple[PixelBox, Bytes]]:
        """By name of a leg, the lower side of its raised thigh; ``root`` (3,) px is from the corner of ``bounds``."""
        x0, y0, x1, y1 = bounds
        result: dict[str, tuple[PixelBox, Bytes]] = {}
        for name, under in self._undersides.items():
            hip, knee = (pose.joints[f"{joint}_{name[-1]}"] * scale + root for joint in ("hip", "knee"))
            drawn = under.drawn(hip, knee, scale, (y1 - y0, x1 - x0))
            if drawn is not None:
                result[name] = drawn
        return result

    def _far_to_near(self, index: int, limb: str, end: int) -> list[str]:
        """Names of both limbs' layers; ``end`` is the left one's last joint."""
        depth = self._retargeting.actor.points[index, :, 2]  # steady: an order that changes is seen
        order = sorted((0, 1), key=lambda k: -depth[end + k])
        return [f"{limb}_{'lr'[k]}" for k in order]

    def _legs_hidden(self, index: int, height: int) -> list[str]:
        """The legs with a knee inside the picture if something hides them, such as a desk: both or none, for a while.

        Legs down to whose knees the matte reaches are shown, however little the network sees of them. Cut off by the
        lower edge, legs that are seen soon before or after are not behind anything.
        """
        motion, actor = self._retargeting.motion, self._retargeting.actor
        length = (actor.lengths["thigh_l"] + actor.lengths["calf_l"]) * actor.size[index]
        cut_off = actor.hips[index, 1] + length > height
        if cut_off and motion.visibility[self._near(index, LEGS_SEEN_FRAMES)][:, KNEES].max() > LEGS_SEEN_MIN:
            return []
        near = self._near(index, LEGS_HIDDEN_FRAMES)
        if np.median(motion.visibility[near][:, KNEES].max(1)) >= LEG_SEEN:
            return []
        knees = np.maximum(
            motion.body[near][:, KNEES, 1].max(1),
            actor.hips[near, 1] + KNEES_BELOW * actor.lengths["spine"] * actor.size[near],
        )
        if np.mean(motion.lowest[near] >= knees) > 0.5:
            return []
        return [f"leg_{side}" for knee, side in zip(KNEES, "lr", strict=True) if motion.body[index, knee, 1] <= height]

    def _near(self, index: int, reach: int) -> NDArray[np.intp]:
        """The frames of the shot that show the actor, up to ``reach`` frames before and after ``index``."""
        motion = self._retargeting.motion
        frames = np.arange(max(index - reach, 0), min(index + reach + 1, len(motion)))
        return frames[(motion.shot[frames] == motion.shot[index]) & motion.present[frames]]

    def _arms_behind(self, index: int) -> set[str]:
        """The arms that the trunk covers: on the far side of a turned body, not before the near shoulder, or unseen."""
        depth, seen = self._retargeting.motion.depth[index], self._retargeting.motion.visibility[index]
        width = self._retargeting.actor.lengths["shoulders"]
        if self._retargeting.back[index]:
            chest = depth[SHOULDERS].mean() + BEFORE_CHEST * width
            return {f"arm_{side}" for k, side in enumerate("lr") if depth[BodyPoint.LEFT_WRIST + k] > chest}
        covered: set[str] = set()
        for k, side in enumerate("lr"):
            shoulder, other = BodyPoint.LEFT_SHOULDER + k, BodyPoint.RIGHT_SHOULDER - k
            joints = [BodyPoint.LEFT_ELBOW + k, BodyPoint.LEFT_WRIST + k]
            turned = depth[shoulder] - depth[other] > TURNED * width
            if turned and (depth[joints].min() > depth[other] or seen[joints].max() < ARM_SEEN):
                covered.add(f"arm_{side}")
        return covered

    def _lay_face(self, index: int, skinned: Array | None, canvas: Bytes, bounds: PixelBox) -> Array | None:
        """The face with its expression, onto the ``skinned`` head; answers the face mesh (478, 2) in the frame."""
        figure, head = self.character.face, self.character.anatomy.head
        if skinned is None or figure is None:
            return None
        turn = limited_turn(head.rotation, self.motion.head_rotation[index])
        expression = self.motion.expression(index)
        shown = apply_expression(figure.rest_face, figure.own_face, expression)
        solid = figure.solid.copy()
        solid[:FACE_POINTS] = shown * head.scale
        moved = ((shown - figure.own_face) * head.scale)[list(OVAL)]
        solid[FACE_POINTS:] += (figure.skirt_weight[..., None] * moved[figure.skirt]).sum(1)
        turned = solid @ turn.T
        face_middle = turned[:FACE_POINTS].mean(0)
        turned -= face_middle
        middle = skinned[:MESH_POINTS, :2].mean(0)
        share = figure.head_share[:, None]
        place = skinned[:, :2] * (1 - share) + (turned[:, :2] + middle) * share
        scale, root = float(self._retargeting.scales[index]), self._retargeting.roots[index]
        place = place * scale + root
        x0, y0, x1, y1 = bounds
        gazes = [iris.towards(expression.gaze, figure.own_gaze) for iris in figure.irises]
        texture = figure.retouching.texture(figure.head.rgba, turn, float(expression.mouth[1]), expression.smile)
        mesh = replace(figure.head, rgba=texture)
        drawn = draw_mesh(mesh, place - [x0, y0], turned[:, 2], y1 - y0, x1 - x0, gazes)
        if figure.skull is not None:
            hidden = np.zeros((y1 - y0, x1 - x0), np.bool_)
            if drawn is not None:
                (u0, v0, u1, v1), rgba = drawn
                hidden[v0:v1, u0:u1] = cv2.extractChannel(rgba, 3) >= OPAQUE
            origin = (middle - face_middle[:2]) * scale + root - [x0, y0]
            for box, rgba in figure.skull.drawn(turn, origin, scale, y1 - y0, x1 - x0, hidden):
                lay_over(canvas, box, rgba)
        if drawn is not None:
            lay_over(canvas, *drawn)
        return place[:FACE_POINTS]

    def _hands(self, index: int, pose: Pose, arms: list[str], behind: set[str]) -> tuple[DrawnHand, ...]:
        """Where the character's hands are, from back to front, and how the actor's own get there."""
        retargeting = self._retargeting
        motion, scale = retargeting.motion, float(retargeting.scales[index])
        result: list[DrawnHand] = []
        for name in arms:
            side = "lr".index(name[-1])
            wrist = pose.joints[f"wrist_{name[-1]}"][:2] * scale + retargeting.roots[index]
            tip = pose.joints[f"tip_{name[-1]}"][:2] * scale + retargeting.roots[index]
            seen = float(motion.hand_weight[index, side])
            kept = min(max((seen - HAND_SWAP[0]) / (HAND_SWAP[1] - HAND_SWAP[0]), 0.0), 1.0)
            if not self._keep_hands or retargeting.behind_head[index, side]:
                kept = 0.0
            size = min(max(retargeting.body_ratio, HAND_SCALE_MIN), HAND_SCALE_MAX)
            start = motion.hands[index, side, HandPoint.WRIST]
            if not kept or not np.isfinite(start).all():
                start = motion.body[index, BodyPoint.LEFT_WRIST + side]
            result.append(
                DrawnHand(
                    side=1 - side if retargeting.exchanged[index] else side,
                    wrist=wrist,
                    direction=tip - wrist,
                    kept=kept,
                    behind=name in behind,
                    moved=np.column_stack([size * np.eye(2), wrist - size * start]),
                )
            )
        return tuple(result)

    def _feet(self, index: int, pose: Pose, drawn: Collection[str]) -> tuple[DrawnFoot, ...]:
        """The feet that may stand on the ground, of the legs ("leg_l", "leg_r") that are ``drawn``."""
        retargeting, scale = self._retargeting, float(self._retargeting.scales[index])
        return tuple(
            DrawnFoot(
                ankle=pose.joints[f"ankle_{side}"][:2] * scale + retargeting.roots[index],
                length=FOOT_LENGTH * retargeting.rest.bones[f"calf_{side}"].length * scale,
                rests=float(retargeting.feet_rest[index, k]),
            )
            for k, side in enumerate("lr")
            if f"leg_{side}" in drawn and retargeting.feet_rest[index, k] > 0
        )

    def _wrist(self, index: int, pose: Pose, hand: DrawnHand, bounds: PixelBox) -> tuple[PixelBox, Bytes] | None:
        """A made-up wrist that goes under an arm, in ``bounds``."""
        motion = self._retargeting.motion
        side = 1 - hand.side if self._retargeting.exchanged[index] else hand.side
        elbow = pose.joints[f"elbow_{'lr'[side]}"][:2] * float(self._retargeting.scales[index])
        wrist = wrist_of(
            motion.hands[index, side],
            float(hand.moved[0, 0]),
            hand.wrist,
            elbow + self._retargeting.roots[index],
            self.character.body.hand_colours[hand.side],
            hand.kept,
        )
        return None if wrist is None else wrist.drawn(bounds)


def _joint_of(name: str) -> str:
    """Name of the points of the patch under the joint of the layer ``name``."""
    return f"joint of {name}"


@dataclass(frozen=True, kw_only=True)
class _Vertices:
    """Everything that hangs on the body's bones, in one array: NumPy moves it at once in half the time."""

    points: Array  # (N, 3) px in the picture
    weights: Array  # (N, bones)
    slices: dict[str, slice]

    @classmethod
    def of(cls, character: Character) -> "_Vertices":
        body, figure = character.body.layers, character.face
        hung: dict[str, tuple[Array, Array]] = {}
        for name, layer in body.layers.items():
            hung[name] = layer.vertices, layer.weights
            if layer.joint is not None:
                hung[_joint_of(name)] = layer.joint.points, layer.joint.weights
        if figure is not None:
            weights, depth = body.surface.at(figure.vertices)
            hung[FACE] = np.c_[figure.vertices, depth], weights
        ends = np.cumsum([len(points) for points, _ in hung.values()]).tolist()
        return cls(
            points=np.concatenate([points for points, _ in hung.values()]),
            weights=np.concatenate([weights for _, weights in hung.values()]),
            slices={name: slice(*edges) for name, edges in zip(hung, pairwise([0, *ends]), strict=True)},
        )

    def skinned(self, duals: Array) -> dict[str, Array]:
        """(n, 3) px of each mesh, moved by ``duals`` (bones, 8)."""
        moved = skin_points(self.points, self.weights, duals)
        return {name: moved[part] for name, part in self.slices.items()}

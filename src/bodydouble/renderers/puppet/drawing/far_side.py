"""The side of a head that its picture turns away: made up from the side that it shows."""

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats
from bodydouble.perception.smoothing import gaussian_smoothed
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.drawing.mesh import Mesh, build_mesh, doubled_area, draw_mesh
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.motion.head import MESH_POINTS, OVAL, Head
from bodydouble.renderers.puppet.painting import hull_mask, paint_labels
from bodydouble.renderers.puppet.picture.regions import closed, filled, softened

Array = NDArray[np.float64]

TURN_MIN = np.deg2rad(9)
"""Yaw of a picture's head from which on its far side is made up. Chosen by eye on the development pictures."""
ENLARGED = 1.2
"""Pixels of the frontal view for one of the picture: the near side is foreshortened there."""
CONFIDENT = (0.2, 0.55)
"""Area of a triangle in the picture over that in the frontal view, between which the picture's own texture sets in."""
CONTOUR = 0.02
"""Face widths inside a head's outline in which its colours are not drawn out: they are mixed with the backdrop's, or a
drawn line."""
CONFIDENCE_BLUR = 0.035
"""Face widths over which the picture's own texture and the mirrored one go over into each other."""
MIDDLE = (0.13, 0.24)
"""Face widths beyond the middle of the face between which the mirrored texture sets in: not on the nose."""
MIDDLE_HAIR = (-0.05, 0.05)
"""The same for hair, which has no nose."""
TONE_BLUR = 0.22
"""Face widths over which the light of both sides is compared."""
TONE_SAMPLES = 3
"""Samples of the light for each standard deviation of its blur."""
TONE_BOUNDS = (0.55, 1.7)
"""Bounds of the light of the far side over that of the near side."""
TONE_UNKNOWN = 0.02
"""Weight (0-1) of equal light, where nothing is compared."""
FADE_DOWN = (-0.05, 0.2)
"""Face widths below the chin between which the mirrored hair fades out: farther down hair lies on shoulders."""
FADE_BESIDE = (-0.35, -0.1)
"""The same beside the jaw: there a collar or the neck would be a wing without a neck that carries it."""
HAIR_WIDTH, HAIR_RIM = (0.45, 0.12), 0.02
"""Face widths beside the face up to which it reaches, above the middle of the face and at the chin, and its soft rim:
hair that the wind blows to one side is not on both."""
NOTCH, CROWN = 0.2, 0.4
"""Face widths up to which a notch between the crowns of both sides is closed, and beside the middle in which it is."""
SOLID = 0.95
"""Alpha (0-1) from which a colour goes on into such a notch."""
APART = 0.06
"""Face widths between two vertices at least, of which one is mirrored."""
SEEN = 128
"""Alpha (0-255) from which a pixel is the head's."""
SILHOUETTE_STEP = 0.03
"""Face widths of height over which a head's silhouette is measured at once."""
DEEPER_MAX = 0.8
"""Face widths by which hair of the far side may lie deeper than that of the near one, in profile; else in proportion to
the square root of the sine of the picture's turn. Hair beside a head that is hardly turned shows little, but would need
much depth to be hidden, and the actor's turn to that side would draw it out: ears to twice their width, in a picture
turned by 9°. In proportion to the sine itself a veil beside a face has steps."""
SMOOTH = 0.12
"""Standard deviation in face widths of height by which a silhouette is smoothed that bounds what is made up."""
FOLLOWS = 0.05
"""Share of the head's turn that a vertex follows at least, to be mirrored."""
MARGIN = 0.25
"""Face widths around the frontal view: more than a notch is closed by."""
TINY = 1e-6
"""Weights below it count as zero."""


@dataclass(frozen=True, kw_only=True)
class HeadVertices:
    """The vertices of a face's mesh, and what moves them; names and shapes as in ``FaceMesh``."""

    vertices: Array
    solid: Array
    head_weight: Array
    head_share: Array
    fine: NDArray[np.bool_]
    skirt: NDArray[np.int64]
    skirt_weight: Array

    def followed_by(self, more: "HeadVertices") -> "HeadVertices":
        """These vertices and then ``more``."""
        return HeadVertices(
            **{f.name: np.concatenate([getattr(v, f.name) for v in (self, more)]) for f in fields(self)}
        )


def needs_far_side(head: Head) -> bool:
    """Whether the picture hides much of one side of ``head``."""
    return abs(_yaw(head)) > TURN_MIN


def _yaw(head: Head) -> float:
    """Radians by which the right axis points away from the camera."""
    return float(np.arcsin(np.clip(head.rotation[2, 0], -1, 1)))


def without_yaw(head: Head) -> Array:
    """(3, 3) the rotation of ``head`` with its right axis in the picture plane; pitch and roll stay."""
    right = np.r_[head.rotation[:2, 0], 0.0]
    right /= np.linalg.norm(right)
    down = head.rotation[:, 1] - right * (right @ head.rotation[:, 1])
    down /= np.linalg.norm(down)
    return np.stack([right, down, np.cross(right, down)], 1)


def downwards(across: Array) -> Array:
    """(2,) the unit vector at right angles to ``across`` (2,) that points down in the picture."""
    down = np.array([-across[1], across[0]])
    return down if down[1] >= 0 else -down


def with_far_side(points: HeadVertices, mesh: Mesh, head: Head, one_sided: float) -> tuple[HeadVertices, Mesh]:
    """``points`` and ``mesh`` with a texture seen from the front, whose far side is completed by the near one.

    ``one_sided`` is the head weight below which a fold is not drawn.
    """
    faces = len(points.vertices) - len(points.skirt)
    turn = without_yaw(head)
    middle = points.vertices[:MESH_POINTS].mean(0)

    def placed(solid: Array, flat: Array, weight: Array) -> tuple[Array, Array]:
        turned = solid @ turn.T
        turned = turned - (points.solid[:faces] @ turn.T).mean(0)
        return flat * (1 - weight[:, None]) + (turned[:, :2] + middle) * weight[:, None], turned[:, 2]

    front, depth = placed(points.solid, points.vertices, points.head_share)
    centre = placed(np.zeros((1, 3)), np.zeros((1, 2)), np.ones(1))[0][0]
    far = -1.0 if _yaw(head) < 0 else 1.0
    view = _View.around(front[np.unique(mesh.triangles)], centre, turn, far, head.width)
    own, confidence = _own_view(mesh, view.at(front), depth, view)
    silhouette = _Silhouette.of(mesh.rgba, points.vertices[list(OVAL)], head, far)
    shown = middle - (points.solid[:faces] @ head.rotation.T).mean(0)[:2]  # where the picture has the view's centre
    possible = silhouette.may_hide(view, shown, _yaw(head))
    texture = _completed(own, confidence, view, view.at(front[list(OVAL)]), possible)
    added = _mirrored(points, faces, front, view, head.rotation)
    both = points.followed_by(added)
    extra, _ = placed(added.solid, added.vertices, added.head_share)
    front = np.concatenate([front, extra])
    hidden = np.where((front - centre) @ view.across > 0, both.head_share, 0)
    hidden[:faces] = 0
    both = _behind(both, hidden, silhouette, turn, head)
    source = view.at(front)
    return both, build_mesh(source, source, texture, both.fine, both.head_weight < one_sided)


@dataclass(frozen=True, kw_only=True)
class _Silhouette:
    """How far a head reaches towards its far side in the picture, by height."""

    across: Array  # (2,) unit vector towards the far side
    down: Array  # (2,) unit vector
    chin: float  # px along ``down``
    heights: Array  # (K,) px along ``down``, ascending
    reaches: Array  # (K,) px along ``across``

    @classmethod
    def of(cls, rgba: Bytes, outline: Array, head: Head, far: float) -> "_Silhouette":
        """From the opaque pixels of ``rgba`` (h, w, 4) about the face's ``outline`` (36, 2)."""
        across = far * head.rotation[:2, 0] / np.linalg.norm(head.rotation[:2, 0])
        down = downwards(across)
        face = hull_mask(outline, rgba.shape)
        rows, columns = np.nonzero((distance_to(face > 0) < HAIR_WIDTH[0] * head.width) & (rgba[..., 3] > SEEN))
        places = np.stack([columns, rows], 1).astype(np.float64)
        step = SILHOUETTE_STEP * head.width
        number = np.floor(places @ down / step).astype(int)
        reaches = np.full(int(number.max() - number.min()) + 1, -np.inf)
        np.maximum.at(reaches, number - number.min(), places @ across)
        known = np.isfinite(reaches)
        heights = (np.arange(len(reaches)) + number.min() + 0.5) * step
        return cls(
            across=across,
            down=down,
            chin=float(outline[len(outline) // 2] @ down),
            heights=heights[known],
            reaches=reaches[known],
        )

    def may_hide(self, view: "_View", centre: Array, yaw: float) -> Floats:
        """(h, w) 0-1 where the head may have hair in the ``view`` from the front, without showing it in the picture.

        ``centre`` (2,) px is the view's in the picture, ``yaw`` is in radians. What is farther out would be seen beyond
        the silhouette, as deep as it may lie: the picture shows that there is no bunch of hair like the near side's.
        """
        width, turn = view.unit / ENLARGED, abs(yaw)
        height = (view.height() - view.height_of(view.centre)) / ENLARGED + centre @ self.down
        smooth = gaussian_smoothed(self.reaches[:, None], SMOOTH / SILHOUETTE_STEP)[:, 0]  # no steps of single locks
        reach = np.interp(height, self.heights, smooth) - centre @ self.across
        most = (reach + DEEPER_MAX * np.sqrt(np.sin(turn)) * width * np.sin(turn)) / np.cos(turn)
        beyond = view.beyond_middle() / ENLARGED - most
        return (1 - smoothstep(0, HAIR_RIM * width, beyond)).astype(np.float32)

    def excess(self, points: Array) -> Array:
        """(N,) px by which ``points`` (N, 2) lie beyond it."""
        return np.maximum(points @ self.across - np.interp(points @ self.down, self.heights, self.reaches), 0)


def _behind(points: HeadVertices, hidden: Array, silhouette: _Silhouette, turn: Array, head: Head) -> HeadVertices:
    """``points`` with those that are ``hidden`` (N,) 0-1 so deep that in the picture's own view the head covers them.

    From the front, in the rotation ``turn``, they stay where they are; so do shoulders.
    """
    # Where a pixel of depth in the frontal view goes in the picture's.
    deeper = (head.rotation @ turn.T)[:2, 2]
    inwards = max(-float(deeper @ silhouette.across), TINY)
    below = (points.vertices @ silhouette.down - silhouette.chin) / head.width
    depth = np.minimum(silhouette.excess(points.vertices) / inwards, DEEPER_MAX * np.sqrt(inwards) * head.width)
    depth *= hidden * (1 - smoothstep(*FADE_DOWN, below))
    return replace(
        points,
        vertices=points.vertices + depth[:, None] * deeper,
        solid=points.solid + depth[:, None] * turn[2],
    )


@dataclass(frozen=True, kw_only=True)
class _View:
    """The frontal view: a picture with margins, and the line in it that parts the face."""

    origin: Array  # (2,) px of the picture
    shape: tuple[int, int]
    centre: Array  # (2,) px of the view, on the line
    across: Array  # (2,) unit vector towards the far side
    unit: float  # px of a face width

    @classmethod
    def around(cls, points: Array, centre: Array, turn: Array, far: float, width: float) -> "_View":
        """As large as ``points`` (N, 2) and their reflection."""
        across = far * turn[:2, 0]
        mirrored = points - 2 * ((points - centre) @ across)[:, None] * across
        every = np.concatenate([points, mirrored])
        origin = np.floor(every.min(0) - MARGIN * width)
        size = np.ceil((every.max(0) - origin + MARGIN * width) * ENLARGED).astype(int)
        return cls(
            origin=origin,
            shape=(int(size[1]), int(size[0])),
            centre=(centre - origin) * ENLARGED,
            across=across,
            unit=width * ENLARGED,
        )

    def at(self, points: Array) -> Array:
        return (points - self.origin) * ENLARGED

    def beyond_middle(self) -> Floats:
        """(h, w) px towards the far side."""
        rows, columns = np.arange(self.shape[0])[:, None], np.arange(self.shape[1])
        return np.asarray(
            (columns - self.centre[0]) * self.across[0] + (rows - self.centre[1]) * self.across[1], np.float32
        )

    def height(self) -> Floats:
        """(h, w) px downwards along the middle of the face."""
        rows, columns = np.arange(self.shape[0])[:, None], np.arange(self.shape[1])
        down = downwards(self.across)
        return np.asarray(columns * down[0] + rows * down[1], np.float32)

    def height_of(self, point: Array) -> float:
        return float(point @ downwards(self.across))

    def reflected(self, picture: Bytes) -> Bytes:
        """(h, w, ...) with both sides exchanged."""
        linear = np.eye(2) - 2 * np.outer(self.across, self.across)
        matrix = np.c_[linear, self.centre - linear @ self.centre]
        return np.asarray(cv2.warpAffine(picture, matrix, self.shape[::-1], flags=cv2.INTER_LINEAR), np.uint8)


def _own_view(mesh: Mesh, target: Array, depth: Array, view: _View) -> tuple[Bytes, Floats]:
    """What the picture shows, from the front: premultiplied (h, w, 4), and how well it shows it, (h, w) 0-1."""
    own, trusted = np.zeros((*view.shape, 4), np.uint8), np.zeros(view.shape, np.uint8)
    inside = distance_to(mesh.rgba[..., 3] < SEEN) > CONTOUR * view.unit / ENLARGED
    marked = replace(mesh, rgba=np.repeat(inside.astype(np.uint8)[..., None], 4, axis=2))
    for canvas, drawn in (
        (own, draw_mesh(mesh, target, depth, *view.shape)),
        (trusted, draw_mesh(marked, target, depth, *view.shape)),
    ):
        if drawn is not None:
            (x0, y0, x1, y1), rgba = drawn
            canvas[y0:y1, x0:x1] = rgba if canvas.ndim == 3 else rgba[..., 3]
    source, corners = mesh.vertices[mesh.triangles], target[mesh.triangles]
    area = doubled_area(corners)
    shown = np.where(area > TINY, ENLARGED**2 * doubled_area(source) / np.maximum(area, TINY), 0)
    order = np.argsort(-depth[mesh.triangles].mean(1), kind="stable")
    labels = paint_labels(corners, order, view.shape)
    share = np.r_[0, smoothstep(*CONFIDENT, shown)].astype(np.float32)[labels] * trusted
    return own, np.asarray(cv2.GaussianBlur(share, (0, 0), CONFIDENCE_BLUR * view.unit), np.float32)


def _completed(own: Bytes, confidence: Floats, view: _View, outline: Array, possible: Floats) -> Bytes:
    """``own`` (h, w, 4) with the near side, in the far one's light, where the far side is not shown well.

    ``outline`` (36, 2) px is the face's, clockwise from its top. ``possible`` (h, w) 0-1 may be there at all.
    """
    reach = _reach(view, outline) * possible
    mine, other = own.astype(np.float32), view.reflected(own).astype(np.float32)
    alike = np.asarray(confidence * reach * (mine[..., 3] / 255) * (other[..., 3] / 255), np.float32)
    other[..., :3] = np.minimum(other[..., :3] * _tone(mine, other, alike, view.unit), other[..., 3:])
    # What is shown badly gives way to the other side where that shows anything; what is not shown is filled.
    covered = mine[..., 3:] / 255
    certain, reached = confidence[..., None], reach[..., None]
    both = mine * (1 - reached * (1 - certain) * (other[..., 3:] / 255)) + other * reached * (1 - certain * covered)
    # Between two crowns there is hair, too.
    opaque = both[..., 3] > 0.5 * 255
    notch = closed(opaque, NOTCH * view.unit) & ~opaque & (view.height() < view.height_of(outline[0]))
    notch &= np.abs(view.beyond_middle()) < CROWN * view.unit
    solid = both[..., 3] > SOLID * 255
    colour = filled(np.asarray(both[..., :3], np.float32), solid, notch)
    share = softened(notch, 1.0)[..., None] * (1 - both[..., 3:] / 255)
    both += share * np.dstack([colour, np.full(notch.shape, 255, np.float32)])
    return np.clip(np.round(both), 0, 255).astype(np.uint8)


def _reach(view: _View, outline: Array) -> Floats:
    """(h, w) 0-1 where the near side may stand in for the far one: about the face, not on the shoulders."""
    beyond = view.beyond_middle() / view.unit
    face = hull_mask(outline, view.shape)
    away = distance_to(face > 0) / view.unit
    height = view.height()
    chin, centre = view.height_of(outline[len(outline) // 2]), view.height_of(outline.mean(0))
    width = HAIR_WIDTH[0] + (HAIR_WIDTH[1] - HAIR_WIDTH[0]) * smoothstep(centre, chin, height)
    near = 1 - smoothstep(0, HAIR_RIM, away - width)
    middle = np.where(face > 0, smoothstep(*MIDDLE, beyond), smoothstep(*MIDDLE_HAIR, beyond))
    below = (height - chin) / view.unit
    fading = np.where(face > 0, smoothstep(*FADE_DOWN, below), smoothstep(*FADE_BESIDE, below))
    far = middle * (1 - fading) * near
    return far.astype(np.float32)


def _tone(mine: Floats, other: Floats, alike: Floats, unit: float) -> Floats:
    """(h, w, 3) how much brighter ``mine`` (h, w, 4) is than ``other`` around where both are ``alike`` (h, w)."""
    height, width = alike.shape
    reduced = max(1, int(TONE_BLUR * unit / TONE_SAMPLES))
    size = (max(1, width // reduced), max(1, height // reduced))
    sums = [
        cv2.GaussianBlur(
            cv2.resize(side[..., :3] * alike[..., None], size, interpolation=cv2.INTER_AREA),
            (0, 0),
            TONE_BLUR * unit / reduced,
        )
        for side in (mine, other)
    ]
    equal = TONE_UNKNOWN * 255
    tone = np.clip((sums[0] + equal) / (sums[1] + equal), *TONE_BOUNDS)
    return np.asarray(cv2.resize(tone, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _mirrored(points: HeadVertices, faces: int, front: Array, view: _View, own: Array) -> HeadVertices:
    """Vertices of hair on the far side, from those of the near one, where the picture has none."""
    middle = view.centre / ENLARGED + view.origin
    beyond = (front - middle) @ view.across
    near = np.flatnonzero((beyond < 0) & (np.arange(len(front)) >= faces) & (points.head_share > FOLLOWS))
    opposite = front[near] - 2 * beyond[near, None] * view.across
    gaps = np.linalg.norm(opposite[:, None] - front, axis=2).min(1, initial=np.inf)
    near = near[gaps > APART * view.unit / ENLARGED]
    solid = points.solid[near] * [-1, 1, 1]
    turned = solid @ own.T - (points.solid[:faces] @ own.T).mean(0)
    around = np.array([(len(OVAL) - k) % len(OVAL) for k in range(len(OVAL))])
    return HeadVertices(
        vertices=turned[:, :2] + points.vertices[:MESH_POINTS].mean(0),
        solid=solid,
        head_weight=points.head_weight[near],
        head_share=np.ones(len(near)),
        fine=points.fine[near],
        skirt=around[points.skirt[near - faces]],
        skirt_weight=points.skirt_weight[near - faces],
    )

"""Head and trunk as one mesh, with each vertex's share in the movements of head and trunk."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from bodydouble.renderers.puppet.drawing.mesh import Mesh, build_mesh
from bodydouble.renderers.puppet.motion.expression import normalised, resting_face, smoothstep
from bodydouble.renderers.puppet.motion.head import OVAL, Head
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.limbs import Piece, invented_piece
from bodydouble.renderers.puppet.picture.parts import pixel_grid
from bodydouble.renderers.puppet.picture.trunk import Trunk

Array = NDArray[np.float64]

FACE_VERTICES = 478
SILHOUETTE = 0.45
"""Face widths from the face's outline at which hair no longer turns with the face but stays the head's outline."""
RINGS = (0.05, 0.11, 0.19, 0.29)
"""Distances, in face widths, of the rows of vertices around the face."""
UNFOLD_MARGIN = 0.02
"""Face widths that the face's outline lies outside its neighbours at least."""
HAIR_DEPTH = 0.25
"""Face widths by which hair and ears at ``SILHOUETTE`` lie behind the face's outline."""
OUTLINE_SPREAD, OUTLINE_REACH, OUTLINE_NEIGHBOURS = 0.04, 0.18, 4
"""Face widths over which a vertex mixes the outline's points beside it, and over which it follows them when the face
changes; and how many points it follows."""
FINE_REACH = 0.5
"""Face widths from the face within which the mesh is mapped pixel by pixel."""
MESH_POINTS = 468
"""Points of the face mesh; the ten of the irises follow."""
NECK_FADE = (0.15, 0.6)
"""Head weights between which the head's layer sets in."""
TRUNK_FADE = (0.75, 0.95)
"""Head weights between which the trunk's layer ends, under the opaque part of the head's."""
NECK_WIDTH = 0.42
"""Of the plain neck under the others, in face widths."""
NECK_TOP = 0.9
"""Head weight below which a fold is a crushed neck and not hair behind a cheek."""
TRUNK_LAYER_MAX = 0.97
"""Head weight up to which the trunk's layer reaches."""


@dataclass(frozen=True, kw_only=True)
class FigureMesh:
    """The textured mesh of head and trunk, in two layers that share their vertices.

    The first 478 vertices are the face's, where there is one. The head's layer thins out down the neck; below it the
    trunk's layer has the whole neck, so that a head that sinks hides its neck and does not crush it.
    """

    vertices: Array  # (N, 2) px in the texture
    trunk: Mesh
    head: Mesh
    neck: Piece  # plain, under both: seen only where a head leans out so far that the skin would tear
    solid: Array  # (N, 3) px in the head's own frame, relative to its origin
    head_weight: Array  # (N,) 1 follows the head, 0 the trunk
    collar_weight: Array  # (N,) as head_weight, for the trunk's layer: 0 on collar and shoulders
    neck_weight: Array  # (N,) 1 in the neck, 0 in the hair beside it
    slide_weight: Array  # (N,) 1 wherever the head's layer is to be seen: what of its motion the neck cannot take up
    chin: Array  # (2,) px in the texture
    neck_length: float  # px in the texture, shoulders to chin
    flat_weight: Array  # (N,) 1 is moved in the picture plane only, 0 turns in depth
    own_face: Array | None  # (478, 3) normalised
    rest_face: Array | None  # (478, 3) the same at rest
    skirt: NDArray[np.int64]  # (N - 478, 4) outline points that each further vertex follows
    skirt_weight: Array  # (N - 478, 4)


def build_figure_mesh(anatomy: Anatomy, trunk: Trunk) -> FigureMesh:
    """Vertices are the face mesh and a grid, coarse on the trunk and finer around the head."""
    premultiplied = np.dstack([trunk.colour * trunk.alpha[..., None], trunk.alpha * 255])
    rgba = np.ascontiguousarray(np.clip(np.round(premultiplied), 0, 255).astype(np.uint8))
    grid = _grid(anatomy, trunk.alpha)
    faced = _FaceLayout.of(anatomy, grid) if anatomy.face is not None else _FaceLayout.without(anatomy, grid)
    vertices = faced.vertices
    weight = _head_weight(anatomy, vertices)
    weight[: _face_count(anatomy)] = 1
    trunk_mesh, head_mesh = _layers(anatomy, vertices, faced.layout, rgba, weight, faced.fine)
    chin, neck_length, _ = _neck(anatomy)
    return FigureMesh(
        vertices=vertices,
        trunk=trunk_mesh,
        head=head_mesh,
        neck=_plain_neck(anatomy, trunk),
        solid=faced.solid,
        head_weight=weight,
        collar_weight=weight * (1 - _collar(anatomy, vertices)),
        neck_weight=_neck_weight(anatomy, vertices),
        slide_weight=smoothstep(0.0, NECK_FADE[0], weight),
        chin=chin,
        neck_length=neck_length,
        flat_weight=faced.flat_weight,
        own_face=faced.own_face,
        rest_face=None if faced.own_face is None else resting_face(faced.own_face),
        skirt=faced.skirt,
        skirt_weight=faced.skirt_weight,
    )


@dataclass(frozen=True, kw_only=True)
class _FaceLayout:
    """All vertices with their relation to the face, if there is one; names and shapes as in ``FigureMesh``."""

    vertices: Array
    solid: Array
    layout: Array  # (N, 2) where they lie when they are triangulated
    fine: NDArray[np.bool_]  # (N,) to be mapped pixel by pixel
    flat_weight: Array
    own_face: Array | None
    skirt: NDArray[np.int64]
    skirt_weight: Array

    @classmethod
    def without(cls, anatomy: Anatomy, grid: Array) -> "_FaceLayout":
        """A head that shows no face is as flat as the trunk."""
        head = anatomy.head
        return cls(
            vertices=grid,
            solid=(np.c_[grid, np.full(len(grid), head.origin[2])] - head.origin) @ head.rotation,
            layout=grid,
            fine=np.zeros(len(grid), np.bool_),
            flat_weight=np.ones(len(grid)),
            own_face=None,
            skirt=np.zeros((0, 4), np.int64),
            skirt_weight=np.zeros((0, 4)),
        )

    @classmethod
    def of(cls, anatomy: Anatomy, grid: Array) -> "_FaceLayout":
        """The face mesh, rows of vertices around it, and ``grid``; hair beside the face has depth and follows it."""
        assert anatomy.face is not None
        head = anatomy.head
        face = unfolded_face(anatomy.face, head)
        outline = face[OVAL, :]
        rings = _rings(outline, head.width)
        grid = np.concatenate([rings.reshape(-1, 2), grid])
        away = np.linalg.norm(grid[:, None] - outline[None, :, :2], axis=-1)
        nearness = 1 / (away**2 + (OUTLINE_SPREAD * head.width) ** 2)
        nearness /= nearness.sum(1, keepdims=True)
        gap = away.min(1)
        # Hair and ears lie behind the face's outline, deeper with distance.
        depth = nearness @ outline[:, 2]
        depth[: rings.size // 2] = np.tile(outline[:, 2], len(RINGS))
        depth += HAIR_DEPTH * head.width * smoothstep(0, SILHOUETTE * head.width, gap)
        vertices = np.concatenate([face[:, :2], grid])
        solid = (np.c_[vertices, np.r_[face[:, 2], depth]] - head.origin) @ head.rotation
        flat_weight = np.r_[np.zeros(FACE_VERTICES), smoothstep(0, SILHOUETTE * head.width, gap)]
        nearest = np.argsort(away, 1, kind="stable")[:, :OUTLINE_NEIGHBOURS]
        share = np.take_along_axis(nearness, nearest, 1)
        share *= np.exp(-((gap / (OUTLINE_REACH * head.width)) ** 2))[:, None] / share.sum(1, keepdims=True)
        # Triangulated as seen from the front: in the picture a turned face folds over itself.
        spread = (vertices - head.origin[:2])[:, :2]
        return cls(
            vertices=vertices,
            solid=solid,
            layout=solid[:, :2] * (1 - flat_weight[:, None]) + spread * flat_weight[:, None],
            fine=np.r_[np.ones(FACE_VERTICES, np.bool_), gap < FINE_REACH * head.width],
            flat_weight=flat_weight,
            own_face=normalised(face, head),
            skirt=nearest,
            skirt_weight=share,
        )


def unfolded_face(face: Array, head: Head) -> Array:
    """``face`` (478, 3) with its outline pushed out to where no cheek folds behind it.

    On the far side of a slightly turned face the mesh's outline lies inside its neighbours: the skin between them
    would be drawn from ear and background as soon as the puppet turns.
    """
    result = face.copy()
    frontal = ((face[:MESH_POINTS] - head.origin) @ head.rotation)[:, :2]
    first, others = Delaunay(frontal).vertex_neighbor_vertices
    centre = face[:MESH_POINTS, :2].mean(0)
    on_outline = np.zeros(MESH_POINTS, np.bool_)
    on_outline[list(OVAL)] = True
    for vertex in OVAL:
        near = others[first[vertex] : first[vertex + 1]]
        near = near[~on_outline[near]]
        away = frontal[vertex] - frontal.mean(0)
        direction = away / max(float(np.linalg.norm(away)), 1e-6)
        own = (face[vertex, :2] - centre) @ direction
        lack = float(((face[near, :2] - centre) @ direction).max(initial=-np.inf)) + UNFOLD_MARGIN * head.width - own
        if lack > 0:
            result[vertex, :2] += lack * direction
    return result


def _layers(
    anatomy: Anatomy, vertices: Array, layout: Array, rgba: NDArray[np.uint8], weight: Array, fine: NDArray[np.bool_]
) -> tuple[Mesh, Mesh]:
    """The trunk's and the head's layer."""
    height, width = rgba.shape[:2]
    rgba_whole, step = rgba, 4
    small = pixel_grid(-(-height // step), -(-width // step)) * step + (step - 1) / 2
    share = _head_weight(anatomy, small.reshape(-1, 2)).reshape(small.shape[:2])
    collar = _collar(anatomy, small.reshape(-1, 2)).reshape(small.shape[:2])
    size = (small.shape[1] * step, small.shape[0] * step)
    wide = np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), np.float64)
    fade = smoothstep(*NECK_FADE, wide[:height, :width])
    fade *= 1 - np.asarray(cv2.resize(collar, size, interpolation=cv2.INTER_LINEAR))[:height, :width]
    if anatomy.face is not None:
        oval = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(oval, cv2.convexHull(np.round(anatomy.face[OVAL, :2]).astype(np.int32)), 1)
        fade = np.maximum(fade, oval)
    # Beneath the opaque part of the head's layer the trunk's ends softly.
    rgba = np.round(rgba * (1 - smoothstep(*TRUNK_FADE, wide[:height, :width]))[..., None]).astype(np.uint8)
    upper = np.round(rgba_whole * fade[..., None]).astype(np.uint8)
    in_neck = weight < NECK_TOP
    whole = build_mesh(vertices, layout, rgba, fine, in_neck)
    below = (weight[whole.triangles] < TRUNK_LAYER_MAX).any(1) & (whole.triangles >= _face_count(anatomy)).all(1)
    lower = whole.triangles[below]
    trunk = replace(whole, triangles=lower, fine=len(lower), inner=len(lower), one_sided=whole.one_sided[below])
    return trunk, build_mesh(vertices, layout, upper, fine, in_neck)


def _plain_neck(anatomy: Anatomy, trunk: Trunk) -> Piece:
    """From the shoulders to the middle of the head, a little narrower than a neck, in the colour below the chin."""
    head = anatomy.head
    top, _, _ = _neck(anatomy)
    x, y = np.round(top + 0.3 * (anatomy.shoulders - top)).astype(int)
    reach = max(2, int(0.08 * head.width))
    around = np.s_[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
    colours = trunk.colour[around][trunk.alpha[around] > 0.8]
    colour = np.median(colours, axis=0) if len(colours) else np.array([170.0, 130.0, 110.0])
    width = NECK_WIDTH * head.width
    length = float(np.hypot(*(head.centre - anatomy.shoulders)))
    return invented_piece(np.tile(colour.astype(np.float32), (4, 4, 1)), length, 1.2 * width, width)


def _face_count(anatomy: Anatomy) -> int:
    return 0 if anatomy.face is None else FACE_VERTICES


def _rings(outline: Array, face_width: float) -> Array:
    """(R, 36, 2) the face's outline grown outwards: skin and hair beside it stretch evenly when the head turns."""
    away = outline[:, :2] - outline[:, :2].mean(0)
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    return outline[None, :, :2] + away[None] * np.array(RINGS)[:, None, None] * face_width


def _grid(anatomy: Anatomy, alpha: NDArray[np.float32]) -> Array:
    """(M, 2) vertices around everything opaque, none inside the face."""
    head, unit = anatomy.head, anatomy.unit
    coarse = _grid_points(alpha, max(6, int(unit / 8)))
    fine = _grid_points(alpha, max(4, int(head.width / 9)))
    reach = 1.25 * head.width
    near_coarse = np.linalg.norm(coarse - head.centre, axis=1) < reach
    near_fine = np.linalg.norm(fine - head.centre, axis=1) < reach
    points = np.concatenate([coarse[~near_coarse], fine[near_fine]])
    if anatomy.face is None:
        return points
    hull = cv2.convexHull(anatomy.face[OVAL, :2].astype(np.float32))
    margin = (RINGS[-1] + 0.06) * head.width
    outside = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) < -margin for x, y in points]
    return points[np.array(outside)]


def _grid_points(alpha: NDArray[np.float32], step: int) -> Array:
    height, width = alpha.shape
    xs, ys = np.arange(-step, width + 2 * step, step), np.arange(-step, height + 2 * step, step)
    points = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2).astype(np.float64)
    near = cv2.dilate((alpha > 0.01).astype(np.uint8), np.ones((3 * step, 3 * step), np.uint8))
    at = np.clip(points.astype(int), 0, [width - 1, height - 1])
    return points[near[at[:, 1], at[:, 0]] > 0]


def _neck(anatomy: Anatomy) -> tuple[Array, float, Array]:
    """The chin (2,), its distance from the shoulders in px, and the unit vector (2,) from them to it."""
    chin = anatomy.face[152, :2] if anatomy.face is not None else anatomy.head.centre + [0, 0.6 * anatomy.head.width]
    neck = chin - anatomy.shoulders
    length = float(np.linalg.norm(neck))
    return chin, max(length, 0.15 * anatomy.head.width, 1.0), neck / max(length, 1e-6)


def _neck_place(anatomy: Anatomy, vertices: Array) -> tuple[Array, Array]:
    """(N,) how far up from the shoulders (0) to the chin (1), and how far beside that line in face widths."""
    _, length, up = _neck(anatomy)
    along = (vertices - anatomy.shoulders) @ up / length
    beside = np.abs((vertices - anatomy.shoulders) @ np.array([-up[1], up[0]])) / anatomy.head.width
    return along, beside


def _head_weight(anatomy: Anatomy, vertices: Array) -> Array:
    """(N,) 0 at the collar to 1 at the chin, less beside the neck: long hair lies on the shoulders."""
    along, beside = _neck_place(anatomy, vertices)
    far = smoothstep(0.9, 1.5, beside * anatomy.head.width / (0.5 * anatomy.unit))
    weight = smoothstep(0.25, 1.05, along)
    return np.where(along < 1.0, weight * (1 - 0.5 * far), weight)


def _collar(anatomy: Anatomy, vertices: Array) -> Array:
    """(N,) 1 on collar and shoulders beside the neck, 0 in the neck and above it."""
    along, beside = _neck_place(anatomy, vertices)
    return smoothstep(0.4, 0.8, beside) * (1 - smoothstep(0.5, 0.9, along))


def _neck_weight(anatomy: Anatomy, vertices: Array) -> Array:
    """(N,) 1 in neck, collar and shoulders, 0 in the hair half a face width beside the upper neck."""
    along, beside = _neck_place(anatomy, vertices)
    return np.maximum(1 - smoothstep(0.3, 0.5, beside), 1 - smoothstep(0.35, 0.75, along))

"""The face as a mesh that carries expressions, with a skirt of hair and neck that follows it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Mask
from bodydouble.perception.triangulation import triangulate
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.drawing.far_side import HeadVertices, needs_far_side, with_far_side
from bodydouble.renderers.puppet.drawing.irises import Iris, find_irises, own_gaze
from bodydouble.renderers.puppet.drawing.lips import lip_colour, with_lips_alone, with_ordered_lips
from bodydouble.renderers.puppet.drawing.mesh import Mesh, build_mesh
from bodydouble.renderers.puppet.drawing.retouching import Retouching, retouching
from bodydouble.renderers.puppet.drawing.skull import SILHOUETTE, Skull, build_skull, hair_depth
from bodydouble.renderers.puppet.motion.expression import normalised, resting_face, smoothstep
from bodydouble.renderers.puppet.motion.head import MESH_POINTS, OVAL, Head
from bodydouble.renderers.puppet.painting import hull_mask
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.regions import filled, softened, widened

Array = NDArray[np.float64]

FACE_VERTICES = 478
"""Vertices of the mesh that are face landmarks, with the irises; the skirt around the face follows."""
RINGS = (0.05, 0.11, 0.19, 0.29)
"""Distances, in face widths, of the rows of vertices around the face."""
OPAQUE = 250
"""Alpha (0-255) from which a pixel shows the person alone."""
INSET, INSET_PIXELS = 0.02, 1.5
"""Face widths, and pixels at least, by which a face's outline lies within what is opaque; its neighbours lie twice as
far within."""
PULLED_MAX, PULLED_STEPS = 0.15, 40
"""Face widths by which a vertex is pulled in at most, and the steps in which it is."""
FACE_SOFT, FACE_EDGE = 0.7, 3
"""Standard deviation in pixels of a made-up edge of the face, and how far that reaches."""
UNFOLD_MARGIN = 0.02
"""Face widths that the face's outline lies outside its neighbours at least."""
OUTLINE_SPREAD, OUTLINE_REACH, OUTLINE_NEIGHBOURS = 0.04, 0.18, 4
"""Face widths over which a vertex mixes the outline's points beside it, and over which it follows them when the face
changes; and how many points it follows."""
FINE_REACH, FINE_REACH_TURNED = 0.2, 0.5
"""Face widths from the face within which the mesh is mapped pixel by pixel; and where a turned head gets a far side, of
which the coarse map would show narrow triangles four pixels wide (glasses + robe: skin in the hair)."""
# The grid of vertices, and the weight between neck and head. All values chosen by eye on the development pictures.
WEIGHT_STEP = 4
"""Texture pixels between two places where the head's weight is computed; between them it is interpolated."""
COARSE_STEP_DIVISOR, COARSE_STEP_MIN = 8, 6
"""Anatomy units over the grid's step, and the smallest step in pixels."""
FINE_STEP_DIVISOR, FINE_STEP_MIN = 9, 4
"""The same near the head, in face widths."""
FINE_GRID_REACH = 1.25
"""Face widths from the middle of the head within which the grid is fine."""
RING_MARGIN = 0.06
"""Face widths beyond the last ring in which no grid point lies."""
FAINT = 0.01
"""Alpha (0-1) above which a pixel needs a vertex nearby."""
EDGE_MAX_STEPS = 3
"""Longest edge of the mesh in steps of its grid: twice what a change from fine to coarse grid needs."""
VERTEX_REACH_STEPS = 3
"""Side, in steps of the grid, of the square around a grid point in which such a pixel keeps it."""
NECK_LENGTH_MIN = 0.15
"""Face widths from the shoulders to the chin, at least."""
WEIGHT_UP = (0.25, 1.05)
"""Shares of the way from shoulders to chin between which the weight grows from 0 to 1."""
WEIGHT_BESIDE = (0.9, 1.5)
"""Half anatomy units beside the neck between which it falls to half: long hair lies on the shoulders."""
COLLAR_BESIDE, COLLAR_UP = (0.4, 0.8), (0.5, 0.9)
"""Face widths beside the neck between which the collar begins, and shares of the way up between which it ends."""
SHORTEST = 1e-6
"""Pixels: keeps directions of vanishing vectors finite."""
NECK_FADE = (0.15, 0.6)
"""Head weights between which the head's layer sets in."""
HEAD_BEGINS = (0.85, 0.98)
"""Head weights between which the trunk's layer ends below a head that has a layer of its own."""
LAID_HAIR = (0.08, 0.16)
"""Face widths above the chin between which that layer ends beside the neck. Hair that lies on shoulders stays in it: in
the head's layer it would rise with the head."""
FACE_REACH = (1.1, 1.6)
"""Face widths from the head's centre between which vertices leave the face's own turn for the body's."""
NECK_TOP = 0.9
"""Head weight below which a fold is a crushed neck and not hair behind a cheek."""


@dataclass(frozen=True, kw_only=True)
class FaceMesh:
    """The textured mesh of face and head: its first 478 vertices are the face's. It thins out down the neck."""

    vertices: Array  # (N, 2) px in the picture
    head: Mesh  # its texture is the picture's, or one seen from the front where the picture hides a side
    solid: Array  # (N, 3) px in the head's own frame, relative to its origin
    head_share: Array  # (N,) 1 turns as the face does, 0 as the skinned body
    own_face: Array  # (478, 3) normalised
    rest_face: Array  # (478, 3) the same at rest
    skirt: NDArray[np.int64]  # (N - 478, 4) outline points that each further vertex follows
    skirt_weight: Array  # (N - 478, 4)
    irises: tuple[Iris, Iris]  # in the head's texture, image left first
    own_gaze: Array  # (2,) see ``gaze_of``
    lips: Array | None  # (3,) colour 0-255, see ``lip_colour``
    retouching: Retouching
    skull: Skull | None  # what is behind it
    headless: NDArray[np.uint8] | None  # (h, w, 4) the trunk's texture without what mesh and dome show


def build_face_mesh(
    anatomy: Anatomy, rgba: NDArray[np.uint8], back: NDArray[np.uint8] | None = None, skull: Mask | None = None
) -> FaceMesh | None:
    """The mesh of the face and head, textured by the trunk's layer ``rgba`` (h, w, 4), premultiplied.

    ``back`` (h, w, 4) is that layer from behind, ``skull`` (h, w) the head in it; without them there is nothing
    behind a face. None where the picture shows no face.
    """
    if anatomy.face is None:
        return None
    grid = _grid(anatomy, rgba[..., 3].astype(np.float32) / np.float32(255))
    dome = None if back is None or skull is None else build_skull(anatomy.face, anatomy.head, back, skull)
    headless = None if dome is None else _without_head(anatomy, rgba)
    rgba = _with_whole_face(rgba, hull_mask(anatomy.face[OVAL, :2], rgba.shape) > 0)
    faced = _FaceLayout.of(anatomy, grid, rgba[..., 3])
    weight = _head_weight(anatomy, faced.vertices)
    weight[:FACE_VERTICES] = 1
    points = HeadVertices(
        vertices=faced.vertices,
        solid=faced.solid,
        head_weight=weight,
        head_share=_head_share(faced.vertices, weight, anatomy.head),
        fine=faced.fine,
        skirt=faced.skirt,
        skirt_weight=faced.skirt_weight,
    )
    mesh = _head_layer(anatomy, faced, rgba, weight)
    if needs_far_side(anatomy.head):
        points, mesh = with_far_side(points, mesh, anatomy.head, NECK_TOP)
    irises = find_irises(mesh.rgba, mesh.vertices[:FACE_VERTICES])
    mesh = replace(mesh, rgba=with_lips_alone(mesh.rgba, mesh.vertices[:FACE_VERTICES]))
    return FaceMesh(
        vertices=points.vertices,
        head=mesh,
        solid=points.solid,
        head_share=points.head_share,
        own_face=faced.own_face,
        rest_face=resting_face(faced.own_face),
        skirt=points.skirt,
        skirt_weight=points.skirt_weight,
        irises=irises,
        own_gaze=own_gaze(irises),
        lips=lip_colour(mesh.rgba, mesh.vertices[:FACE_VERTICES]),
        retouching=retouching(mesh.rgba, mesh.vertices[:FACE_VERTICES], anatomy.head, faced.own_face),
        skull=dome,
        headless=headless,
    )


def _head_share(vertices: Array, head_weight: Array, head: Head) -> Array:
    """(N,) 0-1 how far ``vertices`` (N, 2) turn as the face does, rather than as the body's bones."""
    away = np.linalg.norm(vertices - head.centre, axis=1) / head.width
    near = np.clip((FACE_REACH[1] - away) / (FACE_REACH[1] - FACE_REACH[0]), 0, 1)
    return np.clip(head_weight, 0, 1) * near


@dataclass(frozen=True, kw_only=True)
class _FaceLayout:
    """All vertices, and what the face says about each; names and shapes as in ``FaceMesh``."""

    vertices: Array
    solid: Array
    layout: Array  # (N, 2) where they lie when they are triangulated
    fine: NDArray[np.bool_]  # (N,) to be mapped pixel by pixel
    own_face: Array
    skirt: NDArray[np.int64]
    skirt_weight: Array

    @classmethod
    def of(cls, anatomy: Anatomy, grid: Array, alpha: NDArray[np.uint8]) -> "_FaceLayout":
        """The face mesh, rows of vertices around it, and ``grid``; hair beside the face has depth and follows it.

        ``alpha`` (h, w) 0-255 is the picture's.
        """
        assert anatomy.face is not None
        head = anatomy.head
        face = with_ordered_lips(face_within(unfolded_face(anatomy.face, head), head, alpha), head)
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
        beside = nearness @ outline[:, :2]
        beside[: rings.size // 2] = np.tile(outline[:, :2], (len(RINGS), 1))
        depth += hair_depth(grid - beside, gap, head)
        vertices = np.concatenate([face[:, :2], grid])
        solid = (np.c_[vertices, np.r_[face[:, 2], depth]] - head.origin) @ head.rotation
        flat_weight = np.r_[np.zeros(FACE_VERTICES), smoothstep(0, SILHOUETTE * head.width, gap)]
        nearest = np.argsort(away, 1, kind="stable")[:, :OUTLINE_NEIGHBOURS]
        share = np.take_along_axis(nearness, nearest, 1)
        share *= np.exp(-((gap / (OUTLINE_REACH * head.width)) ** 2))[:, None] / share.sum(1, keepdims=True)
        # Triangulated as seen from the front: in the picture a turned face folds over itself.
        spread = (vertices - head.origin[:2])[:, :2]
        fine_reach = FINE_REACH_TURNED if needs_far_side(head) else FINE_REACH
        return cls(
            vertices=vertices,
            solid=solid,
            layout=solid[:, :2] * (1 - flat_weight[:, None]) + spread * flat_weight[:, None],
            fine=np.r_[np.ones(FACE_VERTICES, np.bool_), gap < fine_reach * head.width],
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
    triangles = triangulate(frontal)
    centre = face[:MESH_POINTS, :2].mean(0)
    on_outline = np.zeros(MESH_POINTS, np.bool_)
    on_outline[list(OVAL)] = True
    for vertex in OVAL:
        near = triangles[(triangles == vertex).any(1)]
        near = near[~on_outline[near]]
        away = frontal[vertex] - frontal.mean(0)
        direction = away / max(float(np.linalg.norm(away)), SHORTEST)
        own = (face[vertex, :2] - centre) @ direction
        lack = float(((face[near, :2] - centre) @ direction).max(initial=-np.inf)) + UNFOLD_MARGIN * head.width - own
        if lack > 0:
            result[vertex, :2] += lack * direction
    return result


def face_within(face: Array, head: Head, alpha: NDArray[np.uint8]) -> Array:
    """``face`` (478, 3) with the points on its outline and beside them moved inwards, to where ``alpha`` is opaque.

    ``alpha`` (h, w) is 0-255. When a head turns, its near cheek is drawn at several times its width. A half transparent
    rim would be as wide, and the edge of the face torn.
    """
    result = face.copy()
    frontal = ((face[:MESH_POINTS] - head.origin) @ head.rotation)[:, :2]
    triangles = triangulate(frontal)
    beside = np.unique(triangles[np.isin(triangles, OVAL).any(1)])
    inside = distance_to(alpha < OPAQUE)
    size = np.array([alpha.shape[1], alpha.shape[0]]) - 1
    centre = face[:MESH_POINTS, :2].mean(0)
    margin = max(INSET * head.width, INSET_PIXELS)
    steps = np.linspace(0, PULLED_MAX * head.width, PULLED_STEPS)
    for vertex in beside:
        places = face[vertex, :2] + steps[:, None] * _unit(centre - face[vertex, :2])
        at = np.clip(np.round(places).astype(int), 0, size)
        enough = inside[at[:, 1], at[:, 0]] >= margin * (1 if vertex in OVAL else 2)
        if enough.any():
            result[vertex, :2] = places[int(np.argmax(enough))]
    return result


def _head_layer(anatomy: Anatomy, faced: _FaceLayout, rgba: NDArray[np.uint8], weight: Array) -> Mesh:
    """The head's part of the texture, whole on the face and fading out down the neck."""
    assert anatomy.face is not None
    fade = smoothstep(*NECK_FADE, _everywhere(_head_weight, anatomy, rgba.shape[:2]))
    fade *= 1 - _everywhere(_collar, anatomy, rgba.shape[:2])
    strength = np.maximum(fade, hull_mask(anatomy.face[OVAL, :2], rgba.shape))
    x, y, w, h = cv2.boundingRect((strength > 0).astype(np.uint8))
    here, upper = np.s_[y : y + h, x : x + w], np.zeros_like(rgba)
    upper[here] = np.round(rgba[here] * strength[here][..., None]).astype(np.uint8)
    edge_max = EDGE_MAX_STEPS * max(_steps(anatomy))
    return build_mesh(faced.vertices, faced.layout, upper, faced.fine, weight < NECK_TOP, edge_max)


def _with_whole_face(rgba: NDArray[np.uint8], face: Mask) -> NDArray[np.uint8]:
    """``rgba`` (h, w, 4) with skin all over the ``face`` (h, w).

    Landmarks of a jaw are a few pixels off, and a bay below an ear lies inside of them. As the head turns away, the
    cheek there is drawn out to several times its width: what little of the backdrop is in it would be a torn edge.
    """
    known = rgba[..., 3] >= OPAQUE
    if not (face & ~known).any():
        return rgba
    x, y, w, h = cv2.boundingRect(widened(face, FACE_EDGE).astype(np.uint8))
    here, result = np.s_[y : y + h, x : x + w], rgba.copy()
    wanted = softened(face[here], FACE_SOFT)
    missing = wanted * 255 > rgba[here][..., 3]
    colour = filled(rgba[here][..., :3].astype(np.float32), known[here] & face[here], missing | face[here])
    skin = np.dstack([colour, np.full(missing.shape, 255, np.float32)]) * wanted[..., None]
    result[here] = np.where(missing[..., None], np.round(skin), rgba[here]).astype(np.uint8)
    return result


def _without_head(anatomy: Anatomy, rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The trunk's layer ``rgba`` (h, w, 4) down from the jaw, and from a little above it where hair lies on shoulders.

    The bones turn it less than the face's mesh: what is above would show beside a turned head.
    """
    left = 1 - smoothstep(*HEAD_BEGINS, _everywhere(_head_weight, anatomy, rgba.shape[:2]))
    left = np.maximum(left, _everywhere(_laid_hair, anatomy, rgba.shape[:2]))
    return np.round(rgba * left[..., None]).astype(np.uint8)


def _everywhere(at: Callable[[Anatomy, Array], Array], anatomy: Anatomy, shape: tuple[int, ...]) -> Array:
    """(h, w) what ``at`` answers for the pixels of a picture of that ``shape``, interpolated between some of them."""
    (height, width), step = shape[:2], WEIGHT_STEP
    rows, columns = np.mgrid[0 : -(-height // step), 0 : -(-width // step)]
    small = np.stack([columns, rows], -1).astype(np.float64) * step + (step - 1) / 2
    values = at(anatomy, small.reshape(-1, 2)).reshape(small.shape[:2])
    size = (small.shape[1] * step, small.shape[0] * step)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float64)[:height, :width]


def _rings(outline: Array, face_width: float) -> Array:
    """(R, 36, 2) the face's outline grown outwards: skin and hair beside it stretch evenly when the head turns."""
    away = outline[:, :2] - outline[:, :2].mean(0)
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), SHORTEST)
    return outline[None, :, :2] + away[None] * np.array(RINGS)[:, None, None] * face_width


def _grid(anatomy: Anatomy, alpha: NDArray[np.float32]) -> Array:
    """(M, 2) vertices around everything opaque, none inside the face."""
    head = anatomy.head
    coarse, fine = (_grid_points(alpha, step) for step in _steps(anatomy))
    reach = FINE_GRID_REACH * head.width
    near_coarse = np.linalg.norm(coarse - head.centre, axis=1) < reach
    near_fine = np.linalg.norm(fine - head.centre, axis=1) < reach
    points = np.concatenate([coarse[~near_coarse], fine[near_fine]])
    if anatomy.face is None:
        return points
    hull = cv2.convexHull(anatomy.face[OVAL, :2].astype(np.float32))
    margin = (RINGS[-1] + RING_MARGIN) * head.width
    outside = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) < -margin for x, y in points]
    return points[np.array(outside)]


def _steps(anatomy: Anatomy) -> tuple[int, int]:
    """Pixels of the grid's step, and of that near the head."""
    return (
        max(COARSE_STEP_MIN, int(anatomy.unit / COARSE_STEP_DIVISOR)),
        max(FINE_STEP_MIN, int(anatomy.head.width / FINE_STEP_DIVISOR)),
    )


def _grid_points(alpha: NDArray[np.float32], step: int) -> Array:
    height, width = alpha.shape
    xs, ys = np.arange(-step, width + 2 * step, step), np.arange(-step, height + 2 * step, step)
    points = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2).astype(np.float64)
    near = cv2.dilate(
        (alpha > FAINT).astype(np.uint8), np.ones((VERTEX_REACH_STEPS * step, VERTEX_REACH_STEPS * step), np.uint8)
    )
    at = np.clip(points.astype(int), 0, [width - 1, height - 1])
    return points[near[at[:, 1], at[:, 0]] > 0]


def _unit(vector: Array) -> Array:
    """``vector`` (2,) with length 1."""
    return vector / max(float(np.linalg.norm(vector)), SHORTEST)


def _neck_place(anatomy: Anatomy, vertices: Array) -> tuple[Array, Array]:
    """(N,) how far up from the shoulders (0) to the chin (1), and how far beside the neck in face widths."""
    neck = anatomy.chin - anatomy.shoulders
    up = _upwards(anatomy)
    length = max(float(neck @ up), NECK_LENGTH_MIN * anatomy.head.width, 1.0)
    along = (vertices - anatomy.shoulders) @ up / length
    middle = anatomy.shoulders + np.clip(along, 0, 1)[:, None] * neck
    beside = np.abs((vertices - middle) @ np.array([-up[1], up[0]])) / anatomy.head.width
    return along, beside


def _upwards(anatomy: Anatomy) -> Array:
    """(2,) between where head and trunk have it: the neck of a body that turns away leans, its jaw does not."""
    return _unit(_unit(-anatomy.head.rotation[:2, 1]) + _unit(anatomy.shoulders - anatomy.hips))


def _head_weight(anatomy: Anatomy, vertices: Array) -> Array:
    """(N,) 0 at the collar to 1 at the chin, less beside the neck: long hair lies on the shoulders."""
    along, beside = _neck_place(anatomy, vertices)
    far = smoothstep(*WEIGHT_BESIDE, beside * anatomy.head.width / (0.5 * anatomy.unit))
    weight = smoothstep(*WEIGHT_UP, along)
    return np.where(along < 1.0, weight * (1 - 0.5 * far), weight)


def _laid_hair(anatomy: Anatomy, vertices: Array) -> Array:
    """(N,) 1 beside the neck up to a little above the chin, where hair lies on shoulders; 0 above and in the neck."""
    _, beside = _neck_place(anatomy, vertices)
    above = (vertices - anatomy.chin) @ _upwards(anatomy) / anatomy.head.width
    return smoothstep(*COLLAR_BESIDE, beside) * (1 - smoothstep(*LAID_HAIR, above))


def _collar(anatomy: Anatomy, vertices: Array) -> Array:
    """(N,) 1 on collar and shoulders beside the neck, 0 in the neck and above it."""
    along, beside = _neck_place(anatomy, vertices)
    return smoothstep(*COLLAR_BESIDE, beside) * (1 - smoothstep(*COLLAR_UP, along))

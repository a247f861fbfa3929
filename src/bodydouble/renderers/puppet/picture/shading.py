"""Light and shade of made-up parts, from the body model's normals."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import SIDES
from bodydouble.renderers.puppet.body.surface import LIMB_BONES, bone_share, continued, sampled

Array = NDArray[np.float64]

AMBIENT, DIFFUSE = 0.55, 0.5
"""Light of a surface: what it always has, and by how much it faces the lamp. Chosen by eye on made-up hands."""
LAMP = np.array([0.0, -0.45, -0.9])
"""Direction to the lamp: before the person and above it. Chosen by eye on made-up bodies."""
SKIN_SIGMA, CLOTH_SIGMA = 0.06, 0.25
"""Standard deviations in decimetres by which light is smoothed: on skin over the mesh's facets, on cloth, which spans
muscles."""
BESIDE = 1.0
"""Decimetres beside the body that have its light: cloth stands off it."""
CLOTH_CONTRAST, DARK_RELIEF = 0.6, 45.0
"""Share of the light and shade of bare skin that cloth has, and levels (0-255) that dark cloth has of it in addition:
black cloth shines. Chosen by eye on half bodies."""
FOLD_WIDTH, FOLD_LENGTH, FOLD_LIGHT, FOLD_SHARPNESS = 0.3, 1.3, 0.1, 1.3
"""Width and length of folds in decimetres, their light and shade, and how flat cloth is between them. By eye."""
FOLD_ANGLES, MIDDLE = ((-0.35, 1.2), (0.35, -1.2)), 0.6
"""Radians from upright in which folds of a trunk and of a sleeve run, at image left and right, and the decimetres about
the middle over which these go over into each other."""
FOLD_SEED, LATTICE, FOLD_SAMPLES = 7, 256, 6
"""Seed and side of the random numbers that folds are made of, and samples across a fold, interpolated between."""
USUAL_LIGHT = 0.95
"""Light that leaves a colour as it is."""
TINY = 1e-9
"""Lengths below it count as zero."""


def body_light(
    fit: BodyFit, template: BodyTemplate, bones: tuple[str, ...] | None, shape: tuple[int, int], *, cloth: bool = False
) -> tuple[Mask, Floats]:
    """The body model's part of ``bones``, or all of it: its mask (h, w) and its light (h, w), about 1.

    ``cloth``: as smooth as cloth over it.
    Beside the mask light is that of the nearest pixel inside.
    """
    triangles = template.triangles
    if bones is not None:
        triangles = triangles[bone_share(template.weights, bones)[triangles].mean(1) > 0.5]
    labels = fit.labels(triangles, shape)
    mask = labels > 0
    around = template.triangles
    if bones is not None:  # normals are those of all triangles about a vertex: more take ten times as long
        used = np.zeros(len(fit.vertices), np.bool_)
        used[triangles] = True
        around = around[used[around].any(1)]
    normals = _normals(fit.vertices, around)
    lamp = LAMP / np.linalg.norm(LAMP)
    light = (AMBIENT + DIFFUSE * np.clip(normals @ lamp, 0, 1))[triangles].mean(1).astype(np.float32)
    lit = np.full(shape, USUAL_LIGHT, np.float32)
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    reach, sigma = round(BESIDE * fit.scale), max(1.0, (CLOTH_SIGMA if cloth else SKIN_SIGMA) * fit.scale)
    here = np.s_[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach]
    if w:
        spread = continued(light[np.maximum(labels[here] - 1, 0)], mask[here])
        lit[here] = cv2.GaussianBlur(spread, (0, 0), sigma)
        if cloth:
            share = _arm_share(template, triangles)[np.maximum(labels[here] - 1, 0)]
            arms = np.asarray(cv2.GaussianBlur(continued(share, mask[here]), (0, 0), sigma), np.float32)
            lit[here] += _folds(fit, arms, (here[1].start, here[0].start))
    return mask, lit


def _arm_share(template: BodyTemplate, triangles: NDArray[np.int64]) -> Floats:
    """(T,) how far each of ``triangles`` (T, 3) follows an arm."""
    bones = tuple(f"{bone}_{side}" for side in SIDES for bone in LIMB_BONES["arm"])
    return bone_share(template.weights, bones)[triangles].mean(1).astype(np.float32)


def _folds(fit: BodyFit, arms: Floats, corner: tuple[int, int]) -> Floats:
    """(h, w) light and shade, about 0, of the folds of cloth in the part of a picture whose ``corner`` (x, y) is given.

    On a trunk they run from the armpits down towards the middle, on sleeves across them: ``arms`` (h, w) 0-1. Always
    the same for the same body.
    """
    (height, width), step = arms.shape, max(1, int(FOLD_WIDTH * fit.scale / FOLD_SAMPLES))
    sleeves = sampled(arms, step)
    rows, columns = (np.minimum(np.arange(0, n, step) + step // 2, n - 1) for n in arms.shape)
    x, y = (
        ((places + start - middle) / fit.scale).astype(np.float32)
        for places, start, middle in (
            (columns[None], corner[0], fit.joints.hips[0]),
            (rows[:, None], corner[1], fit.joints.hips[1]),
        )
    )
    right = np.asarray(0.5 + 0.5 * np.tanh(x / MIDDLE), np.float32)
    result = np.zeros_like(sleeves)
    for (trunk, sleeve), share in zip(FOLD_ANGLES, (1 - right, right), strict=True):
        result += share * ((1 - sleeves) * wrinkles(x, y, trunk) + sleeves * wrinkles(x, y, sleeve))
    size = (result.shape[1] * step, result.shape[0] * step)
    wide = np.asarray(cv2.resize(result, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return np.float32(FOLD_LIGHT) * wide[:height, :width]


def wrinkles(x: Floats, y: Floats, angle: float) -> Floats:
    """(h, w) -1 to 1: wrinkles at the places ``x`` (1, w), ``y`` (h, 1) in decimetres, ``angle`` rad from upright."""
    across = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) / np.float32(FOLD_WIDTH)
    along = (y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))) / np.float32(FOLD_LENGTH)
    lattice = np.random.default_rng(FOLD_SEED).uniform(-1, 1, (LATTICE, LATTICE)).astype(np.float32)
    middle = np.float32(LATTICE / 2)
    noise = cv2.remap(lattice, across + middle, along + middle, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
    return np.asarray(np.tanh(FOLD_SHARPNESS * noise), np.float32)


def lit_cloth(colour: Floats, light: Floats) -> Floats:
    """``colour`` (..., 3) 0-255 of cloth in the ``light`` (...)."""
    away = (light - np.float32(USUAL_LIGHT))[..., None]
    return np.asarray(np.clip(colour * (1 + CLOTH_CONTRAST * away) + DARK_RELIEF * away, 0, 255), np.float32)


def lit_skin(colour: Floats, light: Floats) -> Floats:
    """``colour`` (..., 3) 0-255 of skin in the ``light`` (...)."""
    return np.asarray(np.clip(colour * (light[..., None] / np.float32(USUAL_LIGHT)), 0, 255), np.float32)


def _normals(vertices: Array, triangles: NDArray[np.int64]) -> Array:
    """(V, 3) the unit normals of ``vertices`` (V, 3), which look towards the camera."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(faces[:, k], 3), minlength=len(vertices)) for k in range(3)], 1
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), TINY)
    return np.where(normals[:, 2:] > 0, -normals, normals)

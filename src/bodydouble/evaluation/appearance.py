"""Whether the character's face is the reference's: texture and colour of the aligned faces.

This is not a recognition score: the base installation has no face-embedding network. Each face is warped onto the
reference's by its mesh, which removes pose and expression, and compared pixel by pixel. Two different faces correlate
too, because every face has eyes and a mouth: compare the value with the actor's.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask
from bodydouble.perception.triangulation import triangulate

SIDE = 96
"""Pixels of the aligned face."""
MESH_POINTS = 468
"""Number of points of MediaPipe's face mesh, without the irises."""
LIGHTNESS_BINS, CHROMA_BINS = 5, 8
"""Coarse: the scene's light may tint a face without making it another one."""
LAB_RANGE = ((0, 100), (-60, 60), (-60, 60))
"""Bins of L, a and b: no skin and few clothes have an a or b beyond 60."""
ON_EDGE = 1e-9
"""Weights down to minus this are zero with rounding: the pixel lies on the triangle's edge."""


class FaceAligner:
    """Warps faces onto the reference's. ``mesh`` is (468 or more, 2 or more) pixels of the reference."""

    def __init__(self, mesh: NDArray[np.floating]) -> None:
        points = mesh[:MESH_POINTS, :2].astype(np.float64)
        low, high = points.min(0), points.max(0)
        placed = (points - low) / (high - low) * SIDE - 0.5
        triangles = triangulate(points)
        chosen, self._weights = _barycentric(placed[triangles])
        self.inside: Mask = chosen >= 0
        self._corners = triangles[chosen]

    def align(self, image: Image, mesh: NDArray[np.floating]) -> Image:
        """(SIDE, SIDE, 3): the face in ``image`` in the reference's pose and expression, as far as a mesh can."""
        points = mesh[:MESH_POINTS, :2].astype(np.float64)
        source = np.einsum("yxk,yxkc->yxc", self._weights, points[self._corners]).astype(np.float32)
        return np.asarray(cv2.remap(image, source[..., 0], source[..., 1], cv2.INTER_LINEAR), np.uint8)


def _barycentric(corners: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The triangle at each pixel of (SIDE, SIDE), -1 outside; and the weights (SIDE, SIDE, 3) of its corners.

    ``corners`` (T, 3, 2) are in pixels.
    """
    chosen, weights = np.full((SIDE, SIDE), -1, np.int64), np.zeros((SIDE, SIDE, 3))
    low = np.clip(np.ceil(corners.min(1)).astype(int), 0, SIDE)
    high = np.clip(np.floor(corners.max(1)).astype(int) + 1, 0, SIDE)
    for k, ((x0, y0), (x1, y1)) in enumerate(zip(low, high, strict=True)):
        if x0 >= x1 or y0 >= y1:
            continue
        rows, columns = np.mgrid[y0:y1, x0:x1]
        places = np.stack([columns, rows, np.ones_like(rows)], -1)
        share = places @ np.linalg.inv(np.c_[corners[k], np.ones(3)])
        here = (share >= -ON_EDGE).all(-1)
        chosen[y0:y1, x0:x1][here], weights[y0:y1, x0:x1][here] = k, share[here]
    return chosen, weights


def texture_correlation(a: Image, b: Image, inside: Mask) -> float:
    """Normalised cross-correlation of lightness, -1 to 1; brightness and contrast do not matter."""
    x, y = (cv2.cvtColor(i, cv2.COLOR_RGB2LAB)[..., 0][inside].astype(np.float64) for i in (a, b))
    x, y = x - x.mean(), y - y.mean()
    norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum() / norm) if norm > 0 else 0.0


def colour_overlap(a: Image, b: Image, inside: Mask) -> float:
    """Intersection of the Lab histograms, 0-1."""
    p, q = (lab_histogram(i, inside) for i in (a, b))
    return float(np.minimum(p, q).sum())


def lab_histogram(image: Image, inside: Mask) -> NDArray[np.float64]:
    """(5, 8, 8) histogram over L, a and b of the pixels ``inside``; sums to 1."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[inside]
    bins = (LIGHTNESS_BINS, CHROMA_BINS, CHROMA_BINS)
    histogram = np.histogramdd(lab, bins=bins, range=LAB_RANGE)[0]
    return histogram / max(histogram.sum(), 1.0)


class Appearance:
    """Collects texture and colour of output and actor over the frames."""

    def __init__(self, reference: Image, mesh: NDArray[np.floating]) -> None:
        self._aligner = FaceAligner(mesh)
        self._reference = self._aligner.align(reference, mesh)
        self._scores: dict[str, list[tuple[float, float]]] = {"output": [], "actor": []}

    def add(self, who: str, image: Image, mesh: NDArray[np.floating]) -> None:
        """``who`` is ``output`` or ``actor``; ``mesh`` are the pixels of that face in ``image``."""
        face, inside = self._aligner.align(image, mesh), self._aligner.inside
        texture = texture_correlation(face, self._reference, inside)
        self._scores[who].append((texture, colour_overlap(face, self._reference, inside)))

    def result(self, who: str) -> tuple[float | None, float | None]:
        """Mean texture correlation and colour overlap."""
        scores = self._scores[who]
        if not scores:
            return None, None
        texture, colour = np.mean(scores, axis=0)
        return float(texture), float(colour)

"""How soft the video shows the person, so that the character is as soft: by focus, enlargement or compression."""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Mask, Matte
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.drawing.drawing import Drawing

PROBE_SIGMA = 1.0
"""Pixels: standard deviation of the second blur by which edges are measured."""
STRONG_SHARE, STRONG_MIN = 0.1, 40.0
"""Share of all edges that are measured, the strongest, and their smallest gradient (Sobel's, of levels 0-255): faint
ones are shade and noise."""
EDGES_MIN = 20
"""Number of strong edges without which nothing is measured."""
SHARP_PERCENTILE = 25
"""Percentile of the strong edges' widths that counts: many are soft by themselves, as those of shade are."""
STILL_PERCENTILE = 25
"""Percentile of the frames that counts: in the others the person moves, or turns away."""
INSIDE_PIXELS = 7
"""Side of the square by which a person is narrowed: their outline may be as sharp as their surroundings only."""
SURE = 230
"""Matte (0-255) from which a pixel is the person's."""
FRAMES_MAX = 4
"""Samples of a shot that are measured: each is drawn for it."""
SIGMA_MIN, SIGMA_MAX = 0.6, 2.5
"""Pixels: a character that is sharper by less stays as it is, and none is softened by more. The videos seen need up to
1.1 at 480P."""
EDGE_SOFT_PIXELS = 0.7
"""Standard deviation by which the puppet's edge is softened at least: cameras are less sharp than a drawn edge."""
OPAQUE_MIN = 250
"""Alpha (0-255) above which a pixel of the puppet lies inside its edge."""
RATIO_SQUARED_MIN = 1e-3
"""Least excess over 1 of the squared ratio of gradients: a blur of 32 pixels."""


def measure_softness(samples: list[SampleFrame], draw: Callable[[int, int, int], Drawing | None]) -> float:
    """Standard deviation in pixels of the blur that makes the puppet as soft as its person in a shot's ``samples``.

    0 where it needs none. ``draw`` draws the puppet in a frame of such a number, height and width. Blurs add up by
    their squares. What is missing is underestimated by up to a third: the character stays a little sharper.
    """
    chosen = samples[:: max(1, -(-len(samples) // FRAMES_MAX))]
    actor = _widths((sample.image, sample.matte >= SURE) for sample in chosen)
    drawings = [draw(sample.index, *sample.image.shape[:2]) for sample in chosen] if actor else []
    drawn = _widths((drawing.rgba[..., :3], drawing.alpha >= SURE) for drawing in drawings if drawing is not None)
    if not drawn:
        return 0.0
    sigma = float(np.sqrt(max(0.0, np.percentile(actor, STILL_PERCENTILE) ** 2 - np.median(drawn) ** 2)))
    return min(sigma, SIGMA_MAX) if sigma >= SIGMA_MIN else 0.0


def softened_puppet(drawing: Drawing, sigma: float) -> tuple[Bytes, Matte]:
    """Colours (h, w, 4), premultiplied, and alpha (h, w) of ``drawing``, blurred by ``sigma`` px.

    ``sigma`` is 0 for a sharp puppet, else ``SIGMA_MIN`` at least. The edge is always softened. Its colours are
    softened too: outside of a hard edge the puppet has no colour, and a soft edge would be black.
    """
    rgba = np.asarray(cv2.GaussianBlur(drawing.rgba, (0, 0), max(sigma, EDGE_SOFT_PIXELS)), np.uint8)
    alpha = np.asarray(cv2.extractChannel(rgba, 3), np.uint8)
    if not sigma:
        cv2.copyTo(drawing.rgba, cv2.threshold(drawing.alpha, OPAQUE_MIN, 255, cv2.THRESH_BINARY)[1], rgba)
    return rgba, alpha


def _widths(pictures: Iterable[tuple[NDArray[np.uint8], Mask]]) -> list[float]:
    """The edge widths of those RGB ``pictures`` (h, w, 3), within their masks (h, w), that show enough edges."""
    return [width for rgb, mask in pictures if (width := edge_width(rgb, mask)) is not None]


def edge_width(rgb: Bytes, mask: Mask) -> float | None:
    """Standard deviation in pixels of the blur that the sharper ones of the strong edges of ``rgb`` (h, w, 3) have.

    Only inside ``mask`` (h, w); None where that shows too few. The blur of 0.7 pixels by which gradients are measured
    is included. A second blur takes the more of an edge's gradient the sharper it is. Source: Zhuo and Sim, "Defocus
    map estimation from a single image", Pattern Recognition 44, 2011, eq. 4 and 5.
    """
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    if w == 0:
        return None
    here = np.s_[y : y + h, x : x + w]
    grey = cv2.cvtColor(np.ascontiguousarray(rgb[here]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = cv2.erode(mask[here].astype(np.uint8), np.ones((INSIDE_PIXELS, INSIDE_PIXELS), np.uint8)) > 0
    gradient = _gradient(grey)
    edges = inside & (gradient >= cv2.dilate(gradient, np.ones((3, 3), np.uint8)))
    if not edges.any():
        return None
    strong = edges & (gradient >= max(STRONG_MIN, float(np.percentile(gradient[edges], 100 * (1 - STRONG_SHARE)))))
    if np.count_nonzero(strong) < EDGES_MIN:
        return None
    again = _gradient(cv2.GaussianBlur(grey, (0, 0), PROBE_SIGMA))[strong]
    ratio = gradient[strong] / np.maximum(again, RATIO_SQUARED_MIN)
    widths = PROBE_SIGMA / np.sqrt(np.maximum(ratio * ratio - 1, RATIO_SQUARED_MIN))
    return float(np.percentile(widths, SHARP_PERCENTILE))


def _gradient(grey: cv2.typing.MatLike) -> NDArray[np.float32]:
    """(h, w) the size of the gradient of ``grey`` (h, w)."""
    across, down = (cv2.Sobel(grey, cv2.CV_32F, dx, dy, ksize=3) for dx, dy in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, down), np.float32)

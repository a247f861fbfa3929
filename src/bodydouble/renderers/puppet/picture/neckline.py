"""Where skin ends and cloth begins below the edge of a picture that shows little more than a head."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.surface import both_limbs
from bodydouble.renderers.puppet.picture.regions import filled, softened, widened

Array = NDArray[np.float64]

DEEPEST = 1.5
"""Decimetres below the shoulders to which a picture's edge may cut a neckline: farther down what has the colour of skin
is a chest that is bare, or in cloth of that colour. Chosen by eye on half bodies."""
DEPTH = 0.3
"""Depth of the rounded neckline that ends the skin below the edge, over the skin's width at the edge."""
BARE_SHOULDERS = 0.7
"""Width of the skin at the edge, over that between the shoulders' joints, from which both shoulders are bare. Measured:
0.2 to 0.5 in shirts and blouses, 0.9 in a top with straps."""
BARE_DOWN, BARE_ROUND = 1.1, 0.2
"""Decimetres below the shoulders where cloth then begins, below the armpits, and by which it is lower in the middle."""
ARM_ROOM = 0.3
"""Decimetres around an arm in which no cloth is beside it: cloth is wider than the body."""
TONE_FADE = 0.8
"""Decimetres below the edge over which skin loses what hangs before it there, such as chains, and takes one tone."""
BAND, BAND_SHADE = 0.16, 0.86
"""Width in decimetres of the seam along a neckline, and its brightness over the cloth's. Chosen by eye on headshots."""


def is_within_reach(fit: BodyFit, edge: int) -> bool:
    """Whether a neckline may be cut by the picture's ``edge``."""
    return edge < fit.joints.shoulders[1] + DEEPEST * fit.scale


def skin_below(
    naked: NDArray[np.bool_], shape: tuple[int, int], edge: int, fit: BodyFit, template: BodyTemplate
) -> Mask:
    """(h, w) skin from the row ``edge`` on, where the picture shows that of the columns ``naked`` (w,).

    Half an ellipse under the widest run of it. Where both shoulders are bare, arms are too, and cloth begins below the
    armpits.
    """
    mask = np.zeros(shape, np.uint8)
    ends = np.flatnonzero(np.diff(np.r_[0, naked.astype(np.int8), 0])).reshape(-1, 2)
    if not len(ends) or not is_within_reach(fit, edge):
        return mask > 0
    start, stop = (int(x) for x in ends[int(np.argmax(ends[:, 1] - ends[:, 0]))])
    wide, joints = stop - start, fit.joints.points[SHOULDERS, :2]
    if wide < BARE_SHOULDERS * float(np.ptp(joints[:, 0])):
        cv2.ellipse(mask, (start + wide // 2, edge), (max(1, wide // 2), max(1, round(DEPTH * wide))), 0, 0, 180, 1, -1)
        return mask > 0
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    away = np.clip(2 * (columns - joints[:, 0].mean()) / np.ptp(joints[:, 0]), -1, 1)
    ends_at = joints[:, 1].mean() + (BARE_DOWN + BARE_ROUND * (1 - away**2)) * fit.scale
    arms = both_limbs(template, "arm")
    bare = widened(fit.labels(template.triangles[arms], shape) > 0, ARM_ROOM * fit.scale)
    return (rows >= edge) & ((rows < ends_at) | bare)


def with_skin(colour: Floats, known: Mask, skin: Mask, tone: Array, under: Mask, scale: float) -> Floats:
    """``colour`` (h, w, 3) 0-255 with the ``known`` (h, w) skin going on in ``skin`` (h, w), and a seam around that.

    Farther down it has the ``tone`` (3,). ``under`` (h, w) is what lies below the edge; above it nothing changes.
    """
    first = int(np.argmax(under[:, 0]))
    flesh = filled(colour, known, skin)
    down = np.clip((np.arange(len(colour)) - first) / (TONE_FADE * scale), 0, 1).astype(np.float32)[:, None, None]
    flesh = flesh + (tone.astype(np.float32) - flesh) * down
    deep = np.ones((2 * max(1, round(BAND * scale)) + 1, 1), np.uint8)
    deep[: len(deep) // 2] = 0  # OpenCV's dilation looks upwards then: the seam is below skin, not beside it
    seam = softened(cv2.dilate(skin.astype(np.uint8), deep[::-1]) > 0, 1.0)[..., None] * under[..., None]
    upwards = ~under & skin[first]  # without the skin above, softening would draw a line
    soft = softened(skin | upwards, 1.0)[..., None] * under[..., None]
    cloth = colour * (1 - (1 - BAND_SHADE) * seam)
    return np.asarray(cloth * (1 - soft) + flesh * soft, np.float32)

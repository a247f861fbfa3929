"""Plain skin along the sides of a face, for the cheek that comes to the front as the head turns.

A picture shows the sides of a face from their edge. Turned to the viewer they are drawn out to several times their
width, and what lies there becomes streaks: a drawn contour, its shade, single hairs.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats
from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.drawing.far_side import needs_far_side, without_yaw
from bodydouble.renderers.puppet.drawing.texture_patch import TexturePatch
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.motion.head import CHEEKS, OVAL, Head
from bodydouble.renderers.puppet.painting import hull_mask
from bodydouble.renderers.puppet.picture.regions import filled, opened, softened, widened

Array = NDArray[np.float64]

TURNED = (np.deg2rad(22), np.deg2rad(42))
"""Turns away from the texture's own view between which plain skin sets in: at 40° the rim of a cheek is three times as
wide as in the picture. Chosen by eye, as what follows, on seven pictures."""
BAND, RIM = 0.12, 0.04
"""Face widths from the face's outline inwards in which skin becomes plain, and from which on it is."""
BESIDE = (0.4, 0.7)
"""Half face widths beside the middle between which the sides begin: the chin keeps its outline."""
BELOW_BROWS = (-0.05, 0.12)
"""Face widths below the brows between which they begin: hair hangs into foreheads."""
HAIR, HAIR_DARKER, HAIR_RIM = 0.035, 25.0, 0.02
"""Half the least width in face widths of a lock before the cheek, the L* by which it is darker than skin at least, and
the width of its rim. Locks stay."""
HUE, LIGHTER = 10.0, 30.0
"""Distance in CIELAB a and b, and L* above it, up to which a colour is that of the face's skin."""
LIT_DARKER, LIT_MIN = 15.0, 0.45
"""L* by which skin that goes on to the outline is darker than the face's at most, and its share of a side that becomes
plain: where hair or shade borders on the cheek, skin in the light would be a patch in them. Measured: .52 to .9 where
plain skin looks right, .03 to .29 where it is a patch."""
BESIDE_IT, HAIR_MAX, OPAQUE = 0.08, 0.4, 250
"""Face widths beside the face that are looked at, share of them that may be hair where a side becomes plain, and alpha
(0-255) from which it may be: against hair, a plain cheek ends in the steps of the texture's pixels, drawn out.
Measured: .14 to .26 beside bare cheeks, .62 where hair hangs along one."""
SOFT_PIXELS = 1.0
"""Standard deviation of the edge at the face's outline."""
KNOWN_MIN = 30
"""Pixels of skin without which nothing is known of a cheek."""


@dataclass(frozen=True, kw_only=True)
class NearCheeks:
    """Both sides of a face's texture; None where nothing is known of one."""

    view: Array  # (3, 3) how the texture shows the head
    sides: tuple[TexturePatch | None, TexturePatch | None]  # image left first

    def shown(self, turn: Array) -> tuple[TexturePatch, float] | None:
        """The side that is plain at the rotation ``turn`` (3, 3), and how plain (0-1); None if neither is."""
        yaw = float(np.arcsin(np.clip(-(self.view.T @ turn)[2, 0], -1, 1)))
        share = float(smoothstep(*TURNED, abs(yaw)))
        cheek = self.sides[int(yaw > 0)]
        return None if cheek is None or share == 0 else (cheek, share)


def near_cheeks(rgba: Bytes, face: Array, head: Head) -> NearCheeks:
    """The sides of the face in the texture ``rgba`` (h, w, 4), in which its mesh lies at ``face`` (478, 2) px.

    ``head`` is the picture's; the texture shows one that it shows from the side from the front.
    """
    outline = face[list(OVAL)]
    middle = (face[FacePoint.RIGHT_CHEEK] + face[FacePoint.LEFT_CHEEK]) / 2
    across = face[FacePoint.LEFT_CHEEK] - face[FacePoint.RIGHT_CHEEK]
    width = max(float(np.hypot(*across)), 1.0)
    across = across / width
    down = np.array([-across[1], across[0]])
    size = [rgba.shape[1], rgba.shape[0]]
    x0, y0 = np.clip(np.floor(outline.min(0) - BESIDE_IT * width).astype(int), 0, size).tolist()
    x1, y1 = np.clip(np.ceil(outline.max(0) + BESIDE_IT * width).astype(int) + 1, 0, size).tolist()
    part = rgba[y0:y1, x0:x1]
    inside = hull_mask(outline - [x0, y0], part.shape) > 0
    at = np.clip(np.round(face[list(CHEEKS)]).astype(int), 0, np.array(size) - 1)
    colour = part[..., :3].astype(np.float32)
    lab = cv2.cvtColor(colour / np.float32(255), cv2.COLOR_RGB2Lab)
    tone = np.median(rgba[at[:, 1], at[:, 0], :3], axis=0).astype(np.float32)
    away_from_skin = lab - cv2.cvtColor(tone[None, None] / np.float32(255), cv2.COLOR_RGB2Lab)
    hue = np.hypot(away_from_skin[..., 1], away_from_skin[..., 2])
    skin = (hue < HUE) & (away_from_skin[..., 0] < LIGHTER) & (away_from_skin[..., 0] > -HAIR_DARKER)
    away = distance_to(~inside)
    lit = inside & skin & (away_from_skin[..., 0] > -LIT_DARKER)
    locks = opened(inside & ~skin, HAIR * width)
    weight = (1 - smoothstep(RIM * width, BAND * width, away)) * inside * smoothstep(0, 2 * SOFT_PIXELS, away)
    rows, columns = np.arange(part.shape[0])[:, None] + y0, np.arange(part.shape[1]) + x0
    beside = ((columns - middle[0]) * across[0] + (rows - middle[1]) * across[1]) / (width / 2)
    brows = (face[FacePoint.BETWEEN_BROWS] - middle) @ down
    below = ((columns - middle[0]) * down[0] + (rows - middle[1]) * down[1] - brows) / width
    place = smoothstep(*BESIDE, np.abs(beside)) * smoothstep(*BELOW_BROWS, below)
    rim = weight * place
    weight = rim * (1 - softened(widened(locks, HAIR_RIM * width), max(HAIR_RIM * width, SOFT_PIXELS)))
    known = lit & (away > BAND * width)
    around = place * (widened(inside, BESIDE_IT * width) & ~inside)
    hair = (part[..., 3] > OPAQUE) & ~skin
    one, other = (
        _cheek(rgba, colour, known & here, (weight * here).astype(np.float32), (x0, y0))
        if (rim * here * lit).sum() > LIT_MIN * (rim * here).sum()
        and (around * here * hair).sum() < HAIR_MAX * (around * here).sum()
        else None
        for here in (beside < 0, beside > 0)
    )
    return NearCheeks(view=without_yaw(head) if needs_far_side(head) else head.rotation, sides=(one, other))


def _cheek(
    rgba: Bytes, colour: Floats, lit: NDArray[np.bool_], weight: Floats, corner: tuple[int, int]
) -> TexturePatch | None:
    """The side with ``weight`` (h, w), whose skin is that of ``lit`` (h, w) going on.

    ``colour`` (h, w, 3) is the part of the texture ``rgba`` (H, W, 4) that begins at ``corner``.
    """
    rows, columns = np.flatnonzero((weight > 0).any(1)), np.flatnonzero((weight > 0).any(0))
    if len(rows) == 0 or np.count_nonzero(lit) < KNOWN_MIN:
        return None
    here = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    skin = filled(colour, lit, weight > 0)
    box = (
        corner[0] + int(columns[0]),
        corner[1] + int(rows[0]),
        corner[0] + int(columns[-1]) + 1,
        corner[1] + int(rows[-1]) + 1,
    )
    return TexturePatch.of(rgba, box, skin[here], weight[here])

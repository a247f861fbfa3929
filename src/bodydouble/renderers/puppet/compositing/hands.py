"""The actor's own hands, recoloured to the character's skin.

The puppet cannot draw moving fingers, and the hands of the source have the right pose already.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, PixelBox
from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.renderers.puppet.compositing.light import Light, lab_of
from bodydouble.renderers.puppet.motion.expression import smoothstep

BONES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12),
    (9, 13), (13, 14), (14, 15), (15, 16), (13, 17), (17, 18), (18, 19), (19, 20), (0, 17),
)  # fmt: skip
"""Pairs of hand landmarks along the fingers and across the palm."""
PALM = (
    HandPoint.WRIST, HandPoint.THUMB_CMC, HandPoint.INDEX_MCP, HandPoint.MIDDLE_MCP, HandPoint.RING_MCP,
    HandPoint.PINKY_MCP,
)  # fmt: skip
PALM_PIXELS_MIN = 12
"""Number of pixels of a palm from which its colour is known."""
FINGER_THICK, FINGER_REACH, WRIST_THICK, WRIST_LENGTH, SOFT = 0.2, 0.36, 0.62, 0.4, 0.05
"""In hand lengths (wrist to the middle knuckle): thickness of a finger, of a finger with its blur, and of the wrist;
how much of the wrist belongs to the hand, and the standard deviation of the mask's edge."""
MARGIN, SIZE_MIN_PIXELS, LENGTH_MIN_PIXELS = 0.9, 4, 3
"""Hand lengths around the landmarks that are searched; side and length in pixels of the smallest kept hand."""
MATTE_GAIN, MATTE_OFFSET = 3.0, 0.2
"""Factor and offset that make a faint matte enough: the landmarks say where the hand is, also where it is blurred."""
FIST_CLOSE = 0.25
"""Hand lengths over which shadows between fingers are closed."""
SKIN_SOFT_PIXELS, SKIN_GAIN = 1.0, 1.3
"""Blur of the skin's mask, and the factor that gives the blurred rim back."""
SHADE_LIGHTNESS = 25.0
"""L* below the face's from which skin counts as too dark."""
LIGHTNESS_MAX = 100
"""L* of white."""
DEPTH_MIN, DEPTH_MAX = 0.3, 1.3
"""Bounds of the factor on the hue, which is the hand's lightness over the skin's: shadows have less colour."""
SKIN_NEAR, SKIN_FAR = 16.0, 36.0
"""Distance in CIELAB's a and b within which a pixel is skin, and beyond which it is not."""

DARK_WEIGHT = 1.5
"""Weight of L* below a face in the shade: a black sleeve has as little hue as the shadow of a finger."""
PALE, PALE_LIGHTER, PALE_WEIGHT = 0.65, 12.0, 5.0
"""Pixels are cloth if they have less than this share of the hand's chroma and are lighter by this L*; and the weight of
the missing chroma."""

HUE_KEPT, VARIATION_KEPT = 0.22, 0.3
"""Shares that are kept of the actor's own hue, and of its variation over the hand."""
WRIST_FADE = (-0.3, 0.0)
"""Places along the hand (-1 towards the elbow, 0 wrist, 1 knuckles) between which it fades in: cuffs stay out."""


@dataclass(frozen=True, kw_only=True)
class KeptHand:
    """A hand to be laid over the result: box, recoloured RGB uint8 and alpha 0-1."""

    box: PixelBox
    colour: Image
    alpha: Floats


def keep_hand(
    image: Image,
    matte: NDArray[np.uint8],
    points: NDArray[np.floating],
    elbow: NDArray[np.floating],
    light: Light,
    skin: NDArray[np.float64],
    weight: float,
) -> KeptHand | None:
    """Cut the actor's hand (``points`` (21, 2) px) out of ``image`` and recolour it to ``skin`` (CIELAB)."""
    length = float(np.hypot(*(points[HandPoint.WRIST] - points[HandPoint.MIDDLE_MCP])))
    low, high = np.floor(points.min(0) - MARGIN * length), np.ceil(points.max(0) + MARGIN * length)
    x0, y0 = np.clip(low, 0, [image.shape[1], image.shape[0]]).astype(int)
    x1, y1 = np.clip(high, 0, [image.shape[1], image.shape[0]]).astype(int)
    if min(x1 - x0, y1 - y0) < SIZE_MIN_PIXELS or length < LENGTH_MIN_PIXELS:
        return None
    shape = _shape(points - [x0, y0], elbow - [x0, y0], length, (int(y1 - y0), int(x1 - x0)))
    near_person = np.clip(matte[y0:y1, x0:x1].astype(np.float32) * (MATTE_GAIN / 255) - MATTE_OFFSET, 0, 1)
    lab = lab_of(np.ascontiguousarray(image[y0:y1, x0:x1]))
    own = _palm_colour(lab, points - [x0, y0], light)
    is_skin = _skin_share(lab, own, float(light.actor_skin[0]))
    k = max(3, round(FIST_CLOSE * length)) | 1
    closed = cv2.morphologyEx(is_skin, cv2.MORPH_CLOSE, np.ones((k, k), np.uint8))
    # Shadows in a fist belong to the hand; dark pixels between spread fingers belong to what is behind them.
    closed = np.where(_flesh(points - [x0, y0], length, closed.shape) > 0, closed, is_skin)
    is_skin = np.clip(cv2.GaussianBlur(closed, (0, 0), SKIN_SOFT_PIXELS) * SKIN_GAIN, 0, 1)
    alpha = np.asarray(shape * near_person * is_skin * weight, np.float32)
    return KeptHand(box=(int(x0), int(y0), int(x1), int(y1)), colour=_recolour(lab, own, skin), alpha=alpha)


def moved_hand(hand: KeptHand, matrix: NDArray[np.floating], height: int, width: int) -> KeptHand | None:
    """``hand`` where ``matrix`` (2, 3) takes it in a frame of ``height`` x ``width``; None where that is outside."""
    x0, y0, x1, y1 = hand.box
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64) @ matrix[:, :2].T + matrix[:, 2]
    low = np.clip(np.floor(corners.min(0)), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, [width, height]).astype(int)
    if (high - low).min() < SIZE_MIN_PIXELS:
        return None
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ [x0, y0] - low
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    colour = cv2.warpAffine(hand.colour, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(hand.alpha, local, size, flags=cv2.INTER_LINEAR)
    box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return KeptHand(box=box, colour=np.asarray(colour, np.uint8), alpha=np.asarray(alpha, np.float32))


def _shape(points: NDArray[np.floating], elbow: NDArray[np.floating], length: float, size: tuple[int, int]) -> Floats:
    """Soft mask of hand and the start of the wrist, fading towards the arm."""
    mask = np.zeros(size, np.uint8)
    q = np.round(points).astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(q), 255)
    for a, b in BONES:
        cv2.line(mask, q[a].tolist(), q[b].tolist(), 255, max(2, int(FINGER_REACH * length)))
    towards = (elbow - points[0]) / max(float(np.hypot(*(elbow - points[0]))), 1.0)
    end = np.round(points[0] + towards * WRIST_LENGTH * length).astype(int)
    cv2.line(mask, q[0].tolist(), end.tolist(), 255, max(2, int(WRIST_THICK * length)))
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, SOFT * length)).astype(np.float32) / 255
    along = (points[HandPoint.MIDDLE_MCP] - points[HandPoint.WRIST]) / max(length, 1.0)
    yy, xx = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    place = ((xx - points[0, 0]) * along[0] + (yy - points[0, 1]) * along[1]) / length
    return np.asarray(soft * smoothstep(*WRIST_FADE, place), np.float32)


def _skin_share(lab: Floats, own: NDArray[np.float64], face: float) -> Floats:
    """(h, w) 0-1 how far a pixel of ``lab`` is skin of the hand's ``own`` colour; ``face`` is the face's lightness."""
    light, a, b = cv2.split(lab)
    dark = np.maximum(np.float32(face - SHADE_LIGHTNESS) - light, 0)
    # A white cuff in coloured light is not far from skin, but paler and lighter.
    chroma, lightness = np.float32(PALE * np.hypot(own[1], own[2])), np.float32(own[0])
    pale = np.maximum(chroma - cv2.magnitude(a, b), 0) * np.clip(
        (light - lightness) * np.float32(1 / PALE_LIGHTER), 0, 1
    )
    hue = cv2.magnitude(a - np.float32(own[1]), b - np.float32(own[2]))
    distance = cv2.magnitude(hue, cv2.magnitude(np.float32(DARK_WEIGHT) * dark, np.float32(PALE_WEIGHT) * pale))
    return (1 - smoothstep(SKIN_NEAR, SKIN_FAR, np.asarray(distance, np.float32))).astype(np.float32)


def palm_mask(points: NDArray[np.floating], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """(h, w) 0 or 255: the palm of the hand with landmarks ``points`` (21, 2) px."""
    mask = np.zeros(size[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points[list(PALM)]).astype(np.int32)), 255)
    return mask


def _flesh(points: NDArray[np.floating], length: float, size: tuple[int, ...]) -> NDArray[np.uint8]:
    """(h, w) 0 or 255: palm and fingers, without what is between these."""
    mask, q = palm_mask(points, size), np.round(points).astype(np.int32)
    for a, b in BONES:
        cv2.line(mask, q[a].tolist(), q[b].tolist(), 255, max(1, round(FINGER_THICK * length)))
    return mask


def _palm_colour(lab: Floats, points: NDArray[np.floating], light: Light) -> NDArray[np.float64]:
    """(3,) CIELAB of this hand: lightness between the face's and the palm's, and the palm's hue where it can be skin.

    Hands are lit by other lamps than the face; measured against the face's hue half of a hand would be no skin.
    """
    palm = lab[palm_mask(points, lab.shape) > 0]
    own = light.actor_skin.copy()
    if len(palm) >= PALM_PIXELS_MIN:
        hue = np.median(palm[:, 1:], axis=0)
        if float(np.hypot(*(hue - own[1:]))) < SKIN_FAR:
            own[1:] = hue
            own[0] = 0.5 * (own[0] + float(np.median(palm[:, 0])))
    return own


def _recolour(lab: Floats, own: NDArray[np.float64], skin: NDArray[np.float64]) -> Image:
    """Shift lightness to the character's skin, and replace most of the colour: shading stays, hue goes.

    Not all of it: hands are redder than cheeks, and hands of a face's blue or grey are not read as hands any more.
    """
    lightness, a, b = cv2.split(lab)
    lit = np.clip(lightness + np.float32(skin[0] - own[0]), 0, LIGHTNESS_MAX)
    depth = np.clip(lit * np.float32(1 / max(float(skin[0]), 1.0)), DEPTH_MIN, DEPTH_MAX).astype(np.float32)
    hue = skin[1:] + HUE_KEPT * (own[1:] - skin[1:])
    a, b = (
        (channel - np.float32(mean)) * np.float32(VARIATION_KEPT) + depth * np.float32(wanted)
        for channel, mean, wanted in ((a, own[1], hue[0]), (b, own[2], hue[1]))
    )
    rgb = cv2.cvtColor(cv2.merge([lit, a, b]), cv2.COLOR_Lab2RGB)
    return np.asarray(cv2.convertScaleAbs(rgb, alpha=255), np.uint8)

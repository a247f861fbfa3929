"""The actor's own hands, recoloured to the character's skin.

The puppet cannot draw moving fingers, and the hands of the source have the right pose already.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes, Floats, Image, Matte, PixelBox
from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.renderers.puppet.compositing.blending import blended
from bodydouble.renderers.puppet.compositing.colours import Counts, colour_codes, counted_within
from bodydouble.renderers.puppet.compositing.hand_shape import (
    FINGER_CORE,
    FINGER_REACH,
    FINGER_THICK,
    FINGERS,
    SIZE_MIN_PIXELS,
    HandShape,
    box_about,
    palm_mask,
    ramp,
    seen_length,
)
from bodydouble.renderers.puppet.compositing.light import Light
from bodydouble.renderers.puppet.compositing.missed_fingers import missed_fingers

Points = NDArray[np.floating]
Colour = NDArray[np.float64]

PALM_PIXELS_MIN, PALM_WEIGHT = 12, 0.7
"""Number of pixels of a palm from which its colour is known, and its weight against the face's in lightness."""
MARGIN, AROUND, LENGTH_MIN_PIXELS = 0.5, 0.9, 3
"""Hand lengths around the landmarks that are searched, and that are the hand's surroundings; length in pixels of the
smallest kept hand."""
MATTE_GAIN, MATTE_OFFSET = 3.0, 0.2
"""Factor and offset that make a faint matte enough: the landmarks say where the hand is, also where it is blurred."""
NEAR_PERSON = np.clip(np.arange(256, dtype=np.float32) * (MATTE_GAIN / 255) - MATTE_OFFSET, 0, 1).astype(np.float32)
"""(256,) share of a hand, by the matte's level."""
FIST_CLOSE, FIST_DARKER = 0.25, 6.0
"""Hand lengths over which shadows between fingers are closed, and the L* by which these are darker than the hand."""
SKIN_SOFT_PIXELS, SKIN_GAIN = 1.0, 1.3
"""Blur of the skin's mask, and the factor that gives the blurred rim back."""
SHADE_LIGHTNESS = 25.0
"""L* below the mean of face and hand from which skin counts as too dark: a hand in shade has darker shades."""
LEVELS, LIGHTNESS_UNIT, ZERO = 256, 255 / 100, 128.0
"""Levels of a byte. CIELAB in bytes: levels for one L*, and the level of a and b of 0."""
DEPTH_MIN, DEPTH_MAX = 0.3, 1.3
"""Bounds of the factor on the hue, which is the hand's lightness over the skin's: shadows have less colour."""
SKIN_NEAR, SKIN_FAR = 16.0, 36.0
"""Distance in CIELAB's a and b within which a pixel is skin, and beyond which it is not."""
DARK_WEIGHT = 1.5
"""Weight of L* below a face in the shade: a black sleeve has as little hue as the shadow of a finger."""
PALE, PALE_LIGHTER, PALE_WEIGHT = 0.65, 12.0, 5.0
"""Pixels are cloth if they have less than this share of the hand's chroma and are lighter by this L*; and the weight of
the missing chroma."""
ARM_WIDTH, ARM_LENGTH, AROUND_LENGTH = 1.0, 4.0, 20
"""Hand lengths: thickness and length of a forearm, which tells nothing of a hand's surroundings: it may be bare. Pixels
of a hand's length in the picture in which colours about it are counted."""
AROUND_MORE, RARE, AROUND_SOFT = (0.6, 0.85), 0.002, 0.06
"""How much more frequent about the hand than in it, as a share of both, a colour is between that of a hand and that of
its surroundings; the frequency that says nothing; and hand lengths over which that share is evened."""
VARIATION_KEPT, HUE_KEPT, CHROMA_MIN = 0.6, 0.1, 4.0
"""Shares that are kept of the variation of the actor's hue over the hand, as far as both skins have as much colour, and
of the hue itself; smallest chroma of a skin in a divisor."""
TONE_DARK = 16.0
"""L* added to both skins before they are compared: a difference of L* grows with light as L* plus this does."""
TONE_MIN, TONE_MAX = 0.9, 1.15
"""Bounds of the factor on the hand's shading."""
SHADING, SHADING_GAIN_MAX = 9.5, 1.6
"""Standard deviation in L* of the pixels of a hand in usual light, and by how much a flat hand's is raised at most.
Measured: 8 to 13 of hands in four clips, 5 to 7 of overexposed ones in two."""
WHITER_MAX = 0.5
"""How far the lightest parts of a hand go from the character's skin to white: a pale hand would be a white shape."""
BRACELET, BRACELET_REACH, MEDIAN_SIDE = 0.5, (0.3, 0.5), 5
"""Hand lengths over which the wrist's colours are evened, so that no bracelet stays, and places along the hand between
which that ends; side in pixels of the median in a picture that is reduced for it."""
CORE_MIN, RIM_REACH = 0.85, 0.12
"""Alpha from which a pixel shows the hand alone, and hand lengths beside it from which the rim takes its colour."""


@dataclass(frozen=True, kw_only=True)
class KeptHand:
    """A hand to be laid over the result: box, recoloured RGB uint8 and alpha 0-1."""

    box: PixelBox
    colour: Image
    alpha: Floats


def keep_hand(
    image: Image,
    matte: Matte,
    points: Points,
    elbow: Points,
    light: Light,
    skin: Colour,
    weight: float,
    other: Points | None = None,
) -> KeptHand | None:
    """Cut the actor's hand (``points`` (21, 2) px) out of ``image`` and recolour it to ``skin`` (CIELAB).

    ``other`` (21, 2) px is the actor's other hand, NaN where unknown.
    """
    length = seen_length(points)
    box = box_about(points, MARGIN * length, image)
    if box is None or length < LENGTH_MIN_PIXELS:
        return None
    missed = missed_fingers(matte, points, elbow, length, other)
    if missed is not None:
        box = missed.joined(box)
    x0, y0, x1, y1 = box
    crop = np.ascontiguousarray(image[y0:y1, x0:x1])
    hand = HandShape.of(points, elbow, length, box)
    near_person = cv2.LUT(matte[y0:y1, x0:x1], NEAR_PERSON)
    lab = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2Lab), np.uint8)
    own = _palm_colour(lab, hand.points, light)
    place = hand.place()
    flesh = hand.flesh(FINGER_THICK)
    usual = float(light.actor_skin[0] + min(own[0], light.actor_skin[0])) / 2
    is_skin = _whole(_skin_share(lab, own, usual), lab, own, hand, flesh, place)
    alpha = hand.shape(place)
    if missed is not None:
        np.maximum(alpha, missed.soft(box, length), out=alpha)
    alpha *= near_person
    alpha *= is_skin
    alpha *= _own_colours(hand, crop, _colours_about(image, points, elbow, length))
    core = (alpha > CORE_MIN).view(np.uint8) * np.uint8(255)
    recoloured = _recolour(lab, own, skin, _contrast(lab, core))
    colour = _clean_rim(_without_bracelet(recoloured, hand, place), core, flesh, hand)
    return KeptHand(box=box, colour=colour, alpha=np.asarray(alpha * weight, np.float32))


def moved_hand(hand: KeptHand, matrix: Points, height: int, width: int) -> KeptHand | None:
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


def _own_colours(hand: HandShape, crop: Image, around: Counts) -> Floats:
    """(h, w) 0-1: 0 where ``crop`` (h, w, 3) has colours that are rare in the hand and frequent ``around`` it."""
    core = hand.flesh(FINGER_CORE)
    own = counted_within(crop, core) / max(cv2.countNonZero(core), 1)
    share = (around / (own + around + np.float32(RARE))).take(colour_codes(crop))
    share[core > 0] = 0  # the middle of a finger is its own
    k = 2 * max(1, round(AROUND_SOFT * hand.length)) + 1
    even = cv2.blur(share, (k, k))
    kept, left = AROUND_MORE
    return ramp(left, kept, np.asarray(even, np.float32))


def _colours_about(image: Image, points: Points, elbow: Points, length: float) -> Counts:
    """(LEVELS ** 3,) how frequent colours are in ``image`` (H, W, 3) about a hand, but for its forearm."""
    step = max(1, int(length / AROUND_LENGTH))
    x0, y0, x1, y1 = box_about(points, AROUND * length, image) or (0, 0, 1, 1)
    crop = np.ascontiguousarray(image[y0:y1:step, x0:x1:step])
    small = HandShape(
        points=(points - [x0, y0]) / step, elbow=(elbow - [x0, y0]) / step, length=length / step, size=crop.shape[:2]
    )
    around = np.asarray(cv2.bitwise_not(small.arm(ARM_LENGTH, ARM_WIDTH, small.reach())), np.uint8)
    return counted_within(crop, around) / np.float32(max(cv2.countNonZero(around), 1))


def _whole(is_skin: Floats, lab: Bytes, own: Colour, hand: HandShape, flesh: Bytes, place: Floats) -> Floats:
    """``is_skin`` (h, w) 0-1 with shadows in a fist and bracelets closed in its ``flesh`` (h, w), and a soft rim.

    What is light, or dark between spread fingers, belongs to what is behind them.
    """
    k = max(3, round(FIST_CLOSE * hand.length)) | 1
    closed = cv2.morphologyEx(is_skin, cv2.MORPH_CLOSE, np.ones((k, k), np.uint8))
    dark = lab[..., 0] < (own[0] - FIST_DARKER) * LIGHTNESS_UNIT
    inside = (flesh > 0) & (dark | (place < BRACELET_REACH[0]))
    whole = np.where(inside, closed, is_skin)
    return np.asarray(
        np.minimum(cv2.GaussianBlur(whole, (0, 0), SKIN_SOFT_PIXELS) * np.float32(SKIN_GAIN), 1), np.float32
    )


def _skin_share(lab: Bytes, own: Colour, usual: float) -> Floats:
    """(h, w) 0-1 how far a pixel of ``lab`` is skin of the hand's ``own`` colour; ``usual`` is skin's lightness."""
    level = np.arange(LEVELS, dtype=np.float32)
    lightness, hue = level / np.float32(LIGHTNESS_UNIT), level - np.float32(ZERO)
    light, a, b = cv2.split(lab)
    dark = cv2.LUT(light, (DARK_WEIGHT * np.maximum(usual - SHADE_LIGHTNESS - lightness, 0)) ** 2)
    away = cv2.LUT(a, (hue - np.float32(own[1])) ** 2) + cv2.LUT(b, (hue - np.float32(own[2])) ** 2)
    # A white cuff in coloured light is not far from skin, but paler and lighter.
    chroma = cv2.sqrt(cv2.LUT(a, hue**2) + cv2.LUT(b, hue**2))
    lighter = cv2.LUT(light, np.clip((lightness - np.float32(own[0])) / np.float32(PALE_LIGHTER), 0, 1))
    pale = np.float32(PALE_WEIGHT) * np.maximum(np.float32(PALE * np.hypot(own[1], own[2])) - chroma, 0) * lighter
    distance = np.asarray(cv2.sqrt(away + dark + pale * pale), np.float32)
    return ramp(SKIN_FAR, SKIN_NEAR, distance)


def _palm_colour(lab: Bytes, points: Points, light: Light) -> Colour:
    """(3,) CIELAB of this hand: lightness between the face's and the palm's, and the palm's hue where it can be skin.

    Hands are lit by other lamps than the face; measured against the face's hue half of a hand would be no skin.
    """
    palm = lab[palm_mask(points, lab.shape) > 0]
    own = light.actor_skin.copy()
    if len(palm) >= PALM_PIXELS_MIN:
        lightness, *hue = np.median(palm, axis=0).tolist()
        if float(np.hypot(*(np.array(hue) - ZERO - own[1:]))) < SKIN_FAR:
            own[1:] = np.array(hue) - ZERO
            own[0] += PALM_WEIGHT * (lightness / LIGHTNESS_UNIT - own[0])
    return own


def _contrast(lab: Bytes, core: Bytes) -> float:
    """The factor that gives the hand in the ``core`` (h, w), 0 or 255, of ``lab`` (h, w, 3) the usual shading.

    In bright light, and in soft videos, the fingers of a hand hardly show.
    """
    deviation = float(cv2.meanStdDev(lab, mask=core)[1][0, 0]) / LIGHTNESS_UNIT
    return float(np.clip(SHADING / max(deviation, 1.0), 1.0, SHADING_GAIN_MAX))


def _recolour(lab: Bytes, own: Colour, skin: Colour, contrast: float) -> Image:
    """(h, w, 3) RGB of ``lab``: the shading of the hand, on the character's skin.

    A little of the actor's hue stays: hands are redder than cheeks. So does its variation, as far as the character's
    skin has colour: knuckles are redder than the back of a hand.
    """
    level = np.arange(LEVELS, dtype=np.float32)
    tone = float(np.clip((skin[0] + TONE_DARK) / (own[0] + TONE_DARK), TONE_MIN, TONE_MAX))
    lightness = _lit(skin[0], contrast * tone * (level / LIGHTNESS_UNIT - own[0]))
    depth = np.clip(lightness / max(float(skin[0]), 1.0), DEPTH_MIN, DEPTH_MAX)
    mean, wanted = own[1:], skin[1:] + HUE_KEPT * (own[1:] - skin[1:])
    kept = VARIATION_KEPT * min(1.0, float(np.hypot(*wanted)) / max(float(np.hypot(*mean)), CHROMA_MIN))
    light, *hues = cv2.split(lab)
    channels = [cv2.LUT(light, np.round(lightness * LIGHTNESS_UNIT).astype(np.uint8))]
    for hue, old, new in zip(hues, mean, wanted, strict=True):
        moved = cv2.LUT(hue, np.float32(kept) * (level - np.float32(ZERO + old))) + cv2.LUT(
            light, (ZERO + depth * new).astype(np.float32)
        )
        channels.append(cv2.convertScaleAbs(np.maximum(moved, 0)))
    return np.asarray(cv2.cvtColor(cv2.merge(channels), cv2.COLOR_Lab2RGB), np.uint8)


def _lit(skin: float, shading: Floats) -> Floats:
    """(N,) L* of ``skin`` with the ``shading`` (N,), of which the lighter part approaches ``WHITER_MAX``."""
    room = max(WHITER_MAX * (100 - skin), 1.0)
    lighter = room * (1 - np.exp(np.maximum(shading, 0) / -room))
    return np.asarray(np.maximum(skin + np.minimum(shading, lighter), 0), np.float32)


def _without_bracelet(colour: Image, hand: HandShape, place: Floats) -> Image:
    """``colour`` (h, w, 3) evened about the wrist over more than a bracelet's width, in place."""
    reach = (BRACELET_REACH[1] + BRACELET) * hand.length
    x, y = hand.points[HandPoint.WRIST]
    x0, x1 = np.clip([x - reach, x + reach], 0, hand.size[1]).astype(int).tolist()
    y0, y1 = np.clip([y - reach, y + reach], 0, hand.size[0]).astype(int).tolist()
    step = max(1, round(BRACELET * hand.length / MEDIAN_SIDE))
    size = ((x1 - x0) // step, (y1 - y0) // step)
    if min(size) < MEDIAN_SIDE or hand.length * BRACELET < MEDIAN_SIDE / 2:
        return colour
    here = colour[y0:y1, x0:x1]
    even = cv2.medianBlur(cv2.resize(here, size, interpolation=cv2.INTER_AREA), MEDIAN_SIDE)
    wrist, knuckles = BRACELET_REACH
    share = (ramp(knuckles, wrist, place[y0:y1, x0:x1]) * np.float32(255)).astype(np.uint8)
    for first, last in FINGERS:  # of a hand that points at the camera they begin beside the wrist
        line = np.round(hand.points[first : last + 1] - [x0, y0]).astype(np.int32)
        cv2.polylines(share, [line], False, 0, hand.thick(FINGER_REACH))
    colour[y0:y1, x0:x1] = blended(here, np.asarray(cv2.resize(even, (x1 - x0, y1 - y0)), np.uint8), share)
    return colour


def _clean_rim(colour: Image, core: Bytes, flesh: Bytes, hand: HandShape) -> Image:
    """``colour`` (h, w, 3) whose rim has the colours beside it in the ``core`` (h, w), 0 or 255.

    A rim is blended with what was behind. In the ``flesh`` (h, w) a dark one is its own shade, between fingers.
    """
    k = 2 * max(1, round(RIM_REACH * hand.length)) + 1
    inner = cv2.blur(cv2.merge([*cv2.split(cv2.copyTo(colour, core)), core]).astype(np.float32), (k, k))
    share = inner[..., 3] * np.float32(1 / 255)
    least = np.float32(0.5 / (k * k))  # running sums leave traces of pixels that are passed
    clean = cv2.convertScaleAbs(inner[..., :3] / np.maximum(share, least)[..., None])
    clean = cv2.copyTo(cv2.min(clean, colour), flesh, clean)
    rim = ((core == 0) & (share > least)).view(np.uint8)
    return np.asarray(cv2.copyTo(clean, rim, colour.copy()), np.uint8)

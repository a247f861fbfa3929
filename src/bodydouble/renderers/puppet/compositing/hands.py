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
from bodydouble.renderers.puppet.compositing.light import Light
from bodydouble.renderers.puppet.motion.hand_sources import hand_axis
from bodydouble.renderers.puppet.painting import LINE_END_MAX

Points = NDArray[np.floating]
Colour = NDArray[np.float64]

BONES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12),
    (9, 13), (13, 14), (14, 15), (15, 16), (13, 17), (17, 18), (18, 19), (19, 20), (0, 17),
)  # fmt: skip
"""Pairs of hand landmarks along the fingers and across the palm."""
PALM = (
    HandPoint.WRIST, HandPoint.THUMB_CMC, HandPoint.INDEX_MCP, HandPoint.MIDDLE_MCP, HandPoint.RING_MCP,
    HandPoint.PINKY_MCP,
)  # fmt: skip
FINGERS = ((5, 8), (9, 12), (13, 16), (17, 20))
"""First and last landmarks of the fingers without the thumb."""
BESIDE = ((5, 12), (9, 16), (13, 20))
"""First and last landmarks of two fingers beside each other: what is between them may be theirs. What is between thumb
and fingers is not, such as another arm."""
PALM_PIXELS_MIN, PALM_WEIGHT = 12, 0.7
"""Number of pixels of a palm from which its colour is known, and its weight against the face's in lightness."""
FINGER_CORE, FINGER_THICK, FINGER_REACH, WRIST_THICK, WRIST_LENGTH, SOFT = 0.08, 0.2, 0.36, 0.62, 0.4, 0.05
"""In hand lengths (wrist to the middle knuckle): thickness of a finger's middle, of a finger, of one with its blur, and
of the wrist; how much of the wrist belongs to the hand, and the standard deviation of the mask's edge."""
MARGIN, AROUND, SIZE_MIN_PIXELS, LENGTH_MIN_PIXELS = 0.5, 0.9, 4, 3
"""Hand lengths around the landmarks that are searched, and that are the hand's surroundings; side and length in pixels
of the smallest kept hand."""
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
WRIST_FADE = (-0.3, 0.0)
"""Places along the hand (-1 towards the elbow, 0 wrist, 1 knuckles) between which it fades in: cuffs stay out."""
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
) -> KeptHand | None:
    """Cut the actor's hand (``points`` (21, 2) px) out of ``image`` and recolour it to ``skin`` (CIELAB)."""
    length = _seen_length(points)
    box = _box_about(points, MARGIN * length, image)
    if box is None or length < LENGTH_MIN_PIXELS:
        return None
    x0, y0, x1, y1 = box
    crop = np.ascontiguousarray(image[y0:y1, x0:x1])
    hand = _Hand.of(points, elbow, length, box)
    near_person = cv2.LUT(matte[y0:y1, x0:x1], NEAR_PERSON)
    lab = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2Lab), np.uint8)
    own = _palm_colour(lab, hand.points, light)
    place = hand.place()
    flesh = hand.flesh(FINGER_THICK)
    usual = float(light.actor_skin[0] + min(own[0], light.actor_skin[0])) / 2
    is_skin = _whole(_skin_share(lab, own, usual), lab, own, hand, flesh, place)
    alpha = hand.shape(place)
    alpha *= near_person
    alpha *= is_skin
    alpha *= hand.own_colours(crop, _colours_about(image, points, elbow, length))
    core = (alpha > CORE_MIN).view(np.uint8) * np.uint8(255)
    recoloured = _recolour(lab, own, skin, _contrast(lab, core))
    colour = _clean_rim(_without_bracelet(recoloured, hand, place), core, flesh, hand)
    return KeptHand(box=box, colour=colour, alpha=np.asarray(alpha * weight, np.float32))


def _seen_length(points: Points) -> float:
    """Pixels: what thicknesses are shares of, of the hand with landmarks ``points`` (21, 2).

    A foreshortened hand has wider fingers than its seen length says, and narrower ones than its palm.
    """
    seen = np.hypot(*(points[HandPoint.WRIST] - points[HandPoint.MIDDLE_MCP]))
    return float(np.sqrt(seen * np.hypot(*hand_axis(points))))


def _box_about(points: Points, margin: float, image: Image) -> PixelBox | None:
    """The part of ``image`` within ``margin`` px of ``points`` (21, 2); None where it is too small."""
    x0, y0 = np.clip(np.floor(points.min(0) - margin), 0, [image.shape[1], image.shape[0]]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(points.max(0) + margin), 0, [image.shape[1], image.shape[0]]).astype(int).tolist()
    return (x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= SIZE_MIN_PIXELS else None


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


@dataclass(frozen=True, kw_only=True)
class _Hand:
    """The landmarks of a hand in a crop of a frame."""

    points: Points  # (21, 2) px
    elbow: Points  # (2,) px
    length: float  # px
    size: tuple[int, int]  # height, width

    @classmethod
    def of(cls, points: Points, elbow: Points, length: float, box: PixelBox) -> "_Hand":
        x0, y0, x1, y1 = box
        return cls(points=points - [x0, y0], elbow=elbow - [x0, y0], length=length, size=(y1 - y0, x1 - x0))

    def thick(self, share: float) -> int:
        """Pixels of a line ``share`` hand lengths thick."""
        return max(1, round(share * self.length))

    def place(self) -> Floats:
        """(h, w) along the hand: 0 at the wrist, 1 at the knuckles."""
        axis, seen = hand_axis(self.points), self.points[HandPoint.MIDDLE_MCP] - self.points[HandPoint.WRIST]
        along = axis / (np.hypot(*axis) * max(float(np.hypot(*seen)), 1.0))
        x, y = (
            np.arange(side, dtype=np.float32) - np.float32(start)
            for side, start in zip(self.size[::-1], self.points[0], strict=True)
        )
        return np.asarray((x * np.float32(along[0]))[None] + (y * np.float32(along[1]))[:, None], np.float32)

    def flesh(self, thick: float) -> Bytes:
        """(h, w) 0 or 255: palm and fingers ``thick`` hand lengths thick, without what is between these."""
        mask, q = palm_mask(self.points, self.size), np.round(self.points).astype(np.int32)
        for a, b in BONES:
            cv2.line(mask, q[a].tolist(), q[b].tolist(), 255, self.thick(thick))
        return mask

    def arm(self, reach: float, thick: float, mask: Bytes) -> Bytes:
        """``mask`` (h, w) with a line of 255 from the wrist to the elbow, at most ``reach`` hand lengths long."""
        away = max(float(np.hypot(*(self.elbow - self.points[0]))), 1.0)
        end = self.points[0] + (self.elbow - self.points[0]) / away * min(reach * self.length, LINE_END_MAX)
        start, stop = np.round(np.stack([self.points[0], end])).astype(int).tolist()
        cv2.line(mask, start, stop, 255, self.thick(thick))
        return mask

    def reach(self) -> Bytes:
        """(h, w) 0 or 255: all that may be the hand."""
        mask, q = self.flesh(FINGER_REACH), np.round(self.points).astype(np.int32)
        for first, last in BESIDE:
            cv2.fillConvexPoly(mask, cv2.convexHull(q[first : last + 1]), 255)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(mask, outlines, -1, 255, cv2.FILLED)  # the hollow of a fist
        return self.arm(WRIST_LENGTH, WRIST_THICK, mask)

    def shape(self, place: Floats) -> Floats:
        """(h, w) 0-1 soft mask of hand and the start of the wrist, fading towards the arm beside the bones."""
        sigma = max(1.0, SOFT * self.length)
        soft = cv2.GaussianBlur(self.reach(), (0, 0), sigma)
        bones = cv2.GaussianBlur(self.flesh(FINGER_THICK), (0, 0), sigma) * np.float32(1 / 255)
        return np.asarray(soft * np.float32(1 / 255) * np.maximum(_ramp(*WRIST_FADE, place), bones), np.float32)

    def own_colours(self, crop: Image, around: Counts) -> Floats:
        """(h, w) 0-1: 0 where ``crop`` (h, w, 3) has colours that are rare in the hand and frequent ``around`` it."""
        core = self.flesh(FINGER_CORE)
        own = counted_within(crop, core) / max(cv2.countNonZero(core), 1)
        share = (around / (own + around + np.float32(RARE))).take(colour_codes(crop))
        share[core > 0] = 0  # the middle of a finger is its own
        k = 2 * max(1, round(AROUND_SOFT * self.length)) + 1
        even = cv2.blur(share, (k, k))
        hand, other = AROUND_MORE
        return _ramp(other, hand, np.asarray(even, np.float32))


def _colours_about(image: Image, points: Points, elbow: Points, length: float) -> Counts:
    """(LEVELS ** 3,) how frequent colours are in ``image`` (H, W, 3) about a hand, but for its forearm."""
    step = max(1, int(length / AROUND_LENGTH))
    x0, y0, x1, y1 = _box_about(points, AROUND * length, image) or (0, 0, 1, 1)
    crop = np.ascontiguousarray(image[y0:y1:step, x0:x1:step])
    small = _Hand(
        points=(points - [x0, y0]) / step, elbow=(elbow - [x0, y0]) / step, length=length / step, size=crop.shape[:2]
    )
    around = np.asarray(cv2.bitwise_not(small.arm(ARM_LENGTH, ARM_WIDTH, small.reach())), np.uint8)
    return counted_within(crop, around) / np.float32(max(cv2.countNonZero(around), 1))


def _whole(is_skin: Floats, lab: Bytes, own: Colour, hand: _Hand, flesh: Bytes, place: Floats) -> Floats:
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
    return _ramp(SKIN_FAR, SKIN_NEAR, distance)


def palm_mask(points: Points, size: tuple[int, ...]) -> Bytes:
    """(h, w) 0 or 255: the palm of the hand with landmarks ``points`` (21, 2) px."""
    mask = np.zeros(size[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points[list(PALM)]).astype(np.int32)), 255)
    return mask


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


def _without_bracelet(colour: Image, hand: _Hand, place: Floats) -> Image:
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
    share = (_ramp(knuckles, wrist, place[y0:y1, x0:x1]) * np.float32(255)).astype(np.uint8)
    for first, last in FINGERS:  # of a hand that points at the camera they begin beside the wrist
        line = np.round(hand.points[first : last + 1] - [x0, y0]).astype(np.int32)
        cv2.polylines(share, [line], False, 0, hand.thick(FINGER_REACH))
    colour[y0:y1, x0:x1] = blended(here, np.asarray(cv2.resize(even, (x1 - x0, y1 - y0)), np.uint8), share)
    return colour


def _clean_rim(colour: Image, core: Bytes, flesh: Bytes, hand: _Hand) -> Image:
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


def _ramp(zero: float, one: float, values: Floats) -> Floats:
    """0-1 where ``values`` go from ``zero`` to ``one``."""
    scale = 1 / (one - zero)
    return np.asarray(np.clip(values * np.float32(scale) - np.float32(zero * scale), 0, 1), np.float32)

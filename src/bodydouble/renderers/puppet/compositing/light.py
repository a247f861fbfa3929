"""The character in the light of the scene: tint, brightness, and how both change over time.

The tint is a von Kries adaptation in linear light. It compares the actor's skin with the character's, and the video's
surroundings with the picture's backdrop as far as these tell their light. Brightness lies between that of the
character and of the removed person, and follows the removed person over time, because lamps and clouds moved on them.
In a dark scene the exposure falls too: by what neither complexions nor the colours of things can explain. In a hazy one
black is lifted towards the darkest of the video.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask, Matte
from bodydouble.perception.smoothing import one_euro, spans
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.pieces import strips_of
from bodydouble.renderers.puppet.compositing.reduction import reduced_to
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.motion.head import CHEEKS

GAMMA = 2.2
"""Exponent between 8 bit levels and linear light; sRGB's own curve differs by less than two levels."""
LINEAR = (np.arange(256) / 255) ** GAMMA
"""Linear light (0-1) of each level."""
LUMA = np.array([0.2126, 0.7152, 0.0722])
"""Share of linear red, green and blue in luminance (ITU-R BT.709)."""
SMALL = (160, 90)
"""Width and height in pixels to which pictures are reduced: means of colour need no more."""
TINT_STRENGTH = 0.45
"""How far the character's colours follow the scene's, as an exponent; at 1 a coloured stage hides who it is."""
SURROUNDINGS_SHARE, SKIN_SHARE = 0.35, 0.65
"""Weights of surroundings and skin where both are known; the surroundings have all where no face is seen."""
TINT_MIN, TINT_MAX, CHANNEL_MIN = 0.3, 3.0, 0.05
"""Bounds of a channel's ratio, and smallest share of luminance in its divisor: a red wall has almost no blue."""
TELLING_LUMINANCE, DARK_TRUST = 0.03, 0.15
"""Linear luminance from which a picture's tint is trusted whole, and the trust in a black one."""
CHROMA_OF_PAINT = (14.0, 40.0)
"""CIELAB chroma of a mean colour between which it is rather paint, wood or foliage than light. By eye on development
pairs: an orange kitchen (45) and a green wall (30) tinted faces, warm rooms (under 15) did not."""
CHROMA_OF_PAPER, UNIFORM_SPREAD = (4.0, 12.0), (4.0, 12.0)
"""Chroma above and standard deviation of L* below which a backdrop is coloured paper: it says nothing of the light."""
SKIN_HUE, LIT_SKIN_HUE, SKIN_CHROMA = (0.0, 90.0), (-50.0, 110.0), (6.0, 55.0)
"""CIELAB hue in degrees and chroma of a character's skin, and hue of an actor's in coloured light, pink to green. In
daylight skin has about 30 to 75 degrees and a chroma of 10 to 35. Others are paint, fur or metal: no skin."""
SKIN_SHIFT_MAX = 9.0
"""Largest distance in CIELAB's a and b by which light moves the character's skin. By eye on the development pairs."""
DAYLIGHT_HUE, COLOURED_BY = (20.0, 85.0), 30.0
"""Hue in degrees that skin has without coloured light, and degrees beyond at which the light is certainly coloured."""
COLOURED_STRENGTH, COLOURED_SHIFT_MAX = 1.1, 28.0
"""``TINT_STRENGTH`` and ``SKIN_SHIFT_MAX`` in coloured light: there, a face in its own colours looks pasted in. Chosen
by eye on a violet scene. The hue of skin in it is -9 degrees."""
SKIN_TYPICAL = np.array([60.0, 15.0, 18.0])
"""CIELAB of light skin in daylight, for videos in which no face is seen."""
PERSON_WEIGHT, SKIN_WEIGHT, BRIGHTNESS_STRENGTH = 0.5, 0.3, 0.5
"""How far differences in L* of the whole person and of the skin count, and how far their sum is followed."""
BRIGHTNESS_MAX = 14.0
"""Largest L* by which the character is brightened or darkened."""
COMPLEXION_RANGE = 30.0
"""L* by which the skin of two people may differ in one light: cheeks in daylight have about 35 to 72."""
HIGHLIGHT_RANGE = 30.0
"""L* by which the brightest things of two well exposed pictures may differ. On the development clips the brightest
things have 61 to 95, on the pictures 57 to 99."""
HIGHLIGHT_PERCENTILE = 98
"""Percentile of L* that is the value of the brightest things; single lamps and reflections are above it."""
PERSON_MIN = 0.5
"""Alpha from which a pixel shows the person more than what is behind."""
WHOLE_MIN = 0.4
"""Share of the median area from which a person counts as completely in the picture."""
FOLLOW_CUTOFF_HZ = 1.0
"""Light changes are followed up to this frequency: faster ones are a person's own movement."""
FOLLOW_MIN, FOLLOW_MAX, FOLLOW_STRENGTH = 0.6, 1.6, 0.5
"""Bounds of the person's brightness over its mean, and the exponent with which it is followed."""
DARKEST_PERCENTILE = 0.1
"""Percentile of pixels, by their lightest channel, that are the darkest of the video, or of the character."""
DARK_STEP = 4
"""Every so many pixels of every so many rows of a frame are looked at for it."""
VEIL_SHARE, VEIL_MAX = 0.4, 32.0
"""Share of the way to the video's darkest levels that black is lifted, and the largest of these that counts (0-255): a
character without any black looks washed out, also where the video has none. Chosen by eye; the most hazy development
clip has 35."""
SKIN_PIXELS_MIN = 8
"""Cheeks of fewer pixels say nothing."""
LEVELS_PER_LIGHTNESS = 2.55
"""Grey levels (0-255) for one L* (0-100)."""
DARK_TONE = 64
"""Level below which darkening and a tint fade out: black has no colour that light could change."""
BRIGHTENED_TONE, DARK_KEPT = 112, 1.5
"""Level below which brightening fades out, and the exponent of how it does so: black hair stays as dark as it is. A
steeper start makes more of the small differences between a dark cloth's channels: brown turns red, black violet."""
HIGHLIGHTS, HIGHLIGHT_HUE = (0.6, 1.0), 0.3
"""Levels (0-1) between which highlights set in, and how far they keep a tint's hue rather than their light. By eye."""
SHOULDER = 4
"""Exponent of how brightening fades out towards white, so that light skin keeps its modelling. Chosen by eye."""
LEVELS = 256
"""Levels of an 8 bit channel."""
TINY = 1e-6
"""Weights of pixels (0-1) and distances in CIELAB below it count as zero: it keeps means and ratios finite."""
LUMINANCE_MIN, RGB_MIN = 1e-4, 1e-3
"""Smallest linear luminance in a divisor, and smallest RGB (0-1) of a CIELAB colour, so that ratios stay finite."""


def _black() -> NDArray[np.float64]:
    return np.zeros(3)


@dataclass(frozen=True, kw_only=True)
class Light:
    """The change of the character's colours for each frame."""

    gain: NDArray[np.float64]  # (3,) in linear light
    exposure: float  # factor in linear light, 0-1: below 1 in scenes too dark for the differences of people and things
    brightness: float  # L* added to all but the darkest tones
    follow: NDArray[np.float64]  # (F,) factor of the removed person's brightness, around 1
    actor_skin: NDArray[np.float64]  # (3,) CIELAB
    character_skin: NDArray[np.float64]  # (3,) CIELAB, before relighting
    veil: NDArray[np.float64] = field(default_factory=_black)  # (3,) darkest levels of the video, 0-255
    darkest: NDArray[np.float64] = field(default_factory=_black)  # (3,) of the character, before relighting

    def tables(self, index: int) -> NDArray[np.uint8]:
        """(1, 256, 3) lookup table of frame ``index``, for 8 bit RGB."""
        return self._tables(float(self.follow[index]))

    def _tables(self, follow: float) -> NDArray[np.uint8]:
        level = np.arange(LEVELS) / 255
        # Where the strongest channel has no room left, the others go down instead: clipped, it would lose its hue.
        full = max(float(self.gain.max()), 1.0) ** -(HIGHLIGHT_HUE * smoothstep(*HIGHLIGHTS, level))
        gain = self.gain ** smoothstep(0, DARK_TONE / 255, level)[:, None]
        tinted = np.clip(level[:, None] ** GAMMA * gain * full[:, None] * self.exposure, 0, 1) ** (1 / GAMMA) * 255
        room = np.clip(tinted / DARK_TONE, 0, 1)
        if self.brightness > 0:
            room = np.clip(tinted / BRIGHTENED_TONE, 0, 1) ** DARK_KEPT * (1 - (tinted / 255) ** SHOULDER)
        lifted = tinted + self.brightness * LEVELS_PER_LIGHTNESS * room
        return np.clip(self._veiled(np.clip(lifted * follow, 0, 255)) + 0.5, 0, 255).astype(np.uint8)[None]

    def _veiled(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """``levels`` (256, 3) behind the veil of haze, lens and coding over the video: nothing in it is darker."""
        darkest = levels[np.round(self.darkest).astype(int), range(3)]
        lack = np.maximum(np.minimum(self.veil, VEIL_MAX) - darkest, 0)
        veil = VEIL_SHARE * lack / (255 - np.minimum(darkest, VEIL_MAX))
        return levels + veil * (255 - levels)

    def lit_skin(self) -> NDArray[np.float64]:
        """(3,) CIELAB of the character's skin in the scene's light."""
        return self.lit(self.character_skin)

    def lit(self, lab: NDArray[np.float64]) -> NDArray[np.float64]:
        """(3,) a colour ``lab`` (3,) of the character, CIELAB, in the scene's light."""
        rgb = cv2.cvtColor(lab.astype(np.float32)[None, None], cv2.COLOR_Lab2RGB)
        lit = cv2.LUT((np.clip(rgb, 0, 1) * 255).astype(np.uint8), self._tables(1.0))
        return np.asarray(lab_of(np.asarray(lit, np.uint8))[0, 0], np.float64)


def lab_of(image: Image | Floats) -> Floats:
    """RGB 0-255 (h, w, 3) to CIELAB: L 0-100, a and b about -100 to 100."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def lab_of_colour(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) CIELAB of a colour ``rgb`` (3,) 0-255."""
    return lab_of(np.clip(rgb, 0, 255).astype(np.uint8)[None, None])[0, 0].astype(np.float64)


def exact_lab(rgb: NDArray[np.float64]) -> Floats:
    """As ``lab_of_colour``, of a colour between whole levels."""
    return np.asarray(cv2.cvtColor(np.asarray(rgb / 255, np.float32)[None, None], cv2.COLOR_RGB2Lab)[0, 0], np.float32)


def _linear_mean(image: Image, weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean colour (3,) in linear light, 0-1."""
    linear, weights = LINEAR[image.reshape(-1, 3)], weight.ravel() + TINY
    return weights @ linear / weights.sum()


def skin_colour(image: Image, face: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """Median CIELAB (3,) of the cheeks of a face mesh, or None where too little of it is in the picture."""
    hull = cv2.convexHull(np.round(face[list(CHEEKS), :2]).astype(np.int32))
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, hull, 1)
    x, y, w, h = cv2.boundingRect(hull)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, image.shape[1]), min(y + h, image.shape[0])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    part = lab_of(np.ascontiguousarray(image[y0:y1, x0:x1]))[mask[y0:y1, x0:x1] > 0]
    return np.median(part, axis=0).astype(np.float64) if len(part) >= SKIN_PIXELS_MIN else None


def measure_light(
    samples: list[SampleFrame],
    track: PersonTrack,
    frame_rate: float,
    *,
    reference: Image,
    alpha: Floats,
    skin: NDArray[np.float64],
    bars: Mask | None = None,
) -> Light:
    """The light of the scene, measured in ``samples`` over the whole track, at least one.

    ``reference`` is (H, W, 3) with the character's ``alpha`` (H, W) 0-1; ``skin`` is the character's, RGB 0-255.
    ``bars`` (H, W) are the video's black ones: they show no haze.
    """
    chosen = np.array([sample.index for sample in samples], np.int64)
    seen = [_Measured.of(sample.image, sample.matte, whole=255) for sample in samples]
    backdrop = _Measured.of(reference, alpha)
    actor_skin = [
        cheeks
        for sample in samples
        if track.face_found[sample.index]
        and (cheeks := skin_colour(sample.image, track.face[sample.index])) is not None
    ]
    own_skin = lab_of_colour(skin)
    wanted = PERSON_WEIGHT * (float(np.mean([m.lightness for m in seen])) - backdrop.lightness)
    skins = np.median(actor_skin, axis=0) if actor_skin else SKIN_TYPICAL
    if actor_skin:
        wanted += SKIN_WEIGHT * float(skins[0] - own_skin[0])
    areas = np.array([m.area for m in seen])
    # Somebody half out of the picture shows other clothes, not other light.
    whole = areas >= WHOLE_MIN * float(np.median(areas))
    levels = np.array([m.level for m in seen])
    return Light(
        gain=_gain(
            np.mean([m.around for m in seen], axis=0), backdrop, own_skin, np.asarray(skins) if actor_skin else None
        ),
        exposure=min(
            _exposure(own_skin[0], float(skins[0]), COMPLEXION_RANGE) if actor_skin else 1.0,
            _exposure(backdrop.person_highlight, max(m.highlight for m in seen), HIGHLIGHT_RANGE),
        ),
        brightness=float(np.clip(BRIGHTNESS_STRENGTH * wanted, -BRIGHTNESS_MAX, BRIGHTNESS_MAX)),
        follow=_follow(track, chosen[whole], levels[whole], frame_rate),
        actor_skin=skins,
        character_skin=own_skin,
        veil=_darkest(np.concatenate([_seen(sample.image, bars) for sample in samples])),
        darkest=_darkest(reference[alpha > PERSON_MIN]),
    )


def _seen(image: Image, bars: Mask | None) -> NDArray[np.uint8]:
    """(N, 3) some pixels of ``image`` (h, w, 3) that are not in ``bars`` (h, w)."""
    step = np.s_[::DARK_STEP, ::DARK_STEP]
    return image[step].reshape(-1, 3) if bars is None else image[step][~bars[step]]


def _darkest(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(3,) the mean of the darkest of the ``colours`` (N, 3); 0 without any."""
    if not len(colours):
        return np.zeros(3)
    lightest = np.maximum(np.maximum(colours[:, 0], colours[:, 1]), colours[:, 2])  # max(1) takes five times as long
    return colours[lightest <= np.percentile(lightest, DARKEST_PERCENTILE)].mean(0)


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """One picture with a person, reduced to ``SMALL``."""

    around: NDArray[np.float64]  # (3,) mean colour around the person in linear light, 0-1
    spread: float  # standard deviation of L* around the person
    lightness: float  # mean L* of the person
    highlight: float  # L* of the brightest things
    person_highlight: float  # L* of the person's brightest parts
    level: float  # mean grey level of the person, 0-255
    area: float  # the person's share of the picture

    @classmethod
    def of(cls, image: Image, alpha: Floats | Matte, whole: float = 1) -> "_Measured":
        """Measurements of ``image`` (H, W, 3) with the person's ``alpha`` (H, W) from 0 to ``whole``."""
        small = np.asarray(reduced_to(image, SMALL), np.uint8)
        weight = reduced_to(alpha, SMALL).astype(np.float32) / np.float32(whole)
        person, beside = weight.ravel() + TINY, 1 - weight.ravel() + TINY
        lightness = lab_of(small)[..., 0].ravel()
        mean, inside = np.average(lightness, weights=beside), lightness[person > PERSON_MIN]
        return cls(
            around=_linear_mean(small, 1 - weight),
            spread=float(np.sqrt(np.average((lightness - mean) ** 2, weights=beside))),
            lightness=float(np.average(lightness, weights=person)),
            highlight=float(np.percentile(lightness, HIGHLIGHT_PERCENTILE)),
            person_highlight=float(np.percentile(inside if inside.size else lightness, HIGHLIGHT_PERCENTILE)),
            level=float(np.average(small.reshape(-1, 3) @ np.full(3, 1 / 3), weights=person)),
            area=float(weight.mean()),
        )


def _exposure(character: float, scene: float, range_max: float) -> float:
    """0-1: factor in linear light that darkens L* ``character`` until it is ``range_max`` above L* ``scene``."""
    lit = min(character, scene + range_max)
    return _luminance(lit) / max(_luminance(character), LUMINANCE_MIN)


def _luminance(lightness: float) -> float:
    """Linear luminance (0-1) of L* (0-100)."""
    return float(_linear_of_lab(np.array([lightness, 0.0, 0.0])) @ LUMA)


def _gain(
    scene: NDArray[np.float64],
    backdrop: _Measured,
    own_skin: NDArray[np.float64],
    actor_skin: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """(3,) linear factors of equal luminance that bring the character into the scene's light.

    ``scene`` (3,) is the mean colour of the video beside the person, linear; skins are CIELAB. Skin against skin tells
    the light; both pictures' surroundings tell less, because walls have colours of their own.
    """
    stops = SURROUNDINGS_SHARE * _surroundings_trust(scene, backdrop) * _log_ratio(scene, backdrop.around)
    strength, shift_max = TINT_STRENGTH, SKIN_SHIFT_MAX
    if actor_skin is not None and _is_skin(own_skin, SKIN_HUE) and _is_skin(actor_skin, LIT_SKIN_HUE):
        # Complexions differ in lightness and chroma, light differs in hue: only the hue is compared.
        chroma = np.sqrt(np.hypot(*own_skin[1:]) * np.hypot(*actor_skin[1:]))
        hue = actor_skin[1:] / np.hypot(*actor_skin[1:])
        wanted = np.array([own_skin[0], *(chroma * hue)])
        stops = stops + SKIN_SHARE * _log_ratio(_linear_of_lab(wanted), _linear_of_lab(own_skin))
        coloured = _coloured(actor_skin)
        strength += (COLOURED_STRENGTH - strength) * coloured
        shift_max += (COLOURED_SHIFT_MAX - shift_max) * coloured
    elif actor_skin is None:
        stops = stops / SURROUNDINGS_SHARE
    gain = _equal_luminance(np.exp(strength * stops))
    # Whatever the surroundings say, skin keeps its own hue but for a little.
    own = _linear_of_lab(own_skin)
    shift = float(np.hypot(*(_lab_of_linear(own * gain) - _lab_of_linear(own))[1:]))
    return _equal_luminance(gain ** min(1.0, shift_max / max(shift, TINY)))


def _coloured(skin: NDArray[np.float64]) -> float:
    """0-1: certainty that the light on ``skin`` (3,), CIELAB, is coloured: no skin has its hue in daylight."""
    hue = float(np.degrees(np.arctan2(skin[2], skin[1])))
    return float(smoothstep(0, COLOURED_BY, max(DAYLIGHT_HUE[0] - hue, hue - DAYLIGHT_HUE[1])))


def _surroundings_trust(scene: NDArray[np.float64], backdrop: _Measured) -> float:
    """0-1: trust that the surroundings' colours show their light; low if dark, saturated, or a sheet of one colour."""
    bright = float(np.clip(min(scene @ LUMA, backdrop.around @ LUMA) / TELLING_LUMINANCE, DARK_TRUST, 1))
    chroma = [float(np.hypot(*_lab_of_linear(x)[1:])) for x in (scene, backdrop.around)]
    painted = min(float(1 - smoothstep(*CHROMA_OF_PAINT, c)) for c in chroma)
    uniform = 1 - (1 - float(smoothstep(*UNIFORM_SPREAD, backdrop.spread))) * float(
        smoothstep(*CHROMA_OF_PAPER, chroma[1])
    )
    return bright * painted * uniform


def _is_skin(lab: NDArray[np.float64], hues: tuple[float, float]) -> bool:
    """Whether a CIELAB colour (3,) can be human skin, of a hue between ``hues`` in degrees."""
    hue, chroma = np.degrees(np.arctan2(lab[2], lab[1])), np.hypot(lab[1], lab[2])
    return bool(hues[0] <= hue <= hues[1] and SKIN_CHROMA[0] <= chroma <= SKIN_CHROMA[1])


def _log_ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) logarithm of ``a`` over ``b`` (3,), linear light, brought to equal luminance and within bounds."""
    ratio = (a / max(a @ LUMA, LUMINANCE_MIN)) / np.maximum(b / max(b @ LUMA, LUMINANCE_MIN), CHANNEL_MIN)
    return np.log(np.clip(ratio, TINT_MIN, TINT_MAX))


def _equal_luminance(gain: NDArray[np.float64]) -> NDArray[np.float64]:
    return gain / (gain @ LUMA)


def _linear_of_lab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) CIELAB to linear light 0-1."""
    rgb = cv2.cvtColor(lab.astype(np.float32)[None, None], cv2.COLOR_Lab2RGB)[0, 0]
    return np.asarray(np.clip(rgb, RGB_MIN, 1), np.float64) ** GAMMA


def _lab_of_linear(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) linear light 0-1 to CIELAB."""
    rgb = (np.clip(linear, 0, 1) ** (1 / GAMMA)).astype(np.float32)
    return np.asarray(cv2.cvtColor(rgb[None, None], cv2.COLOR_RGB2Lab)[0, 0], np.float64)


def _follow(
    track: PersonTrack, chosen: NDArray[np.int64], levels: NDArray[np.float64], frame_rate: float
) -> NDArray[np.float64]:
    """(F,) the root of the removed person's brightness over its mean within each shot, smooth."""
    factor = np.ones(len(track))
    for start, stop in spans(track.present, track.shot, gap_max=len(track)):
        inside = (chosen >= start) & (chosen < stop)
        if inside.sum() < 2:
            continue
        curve = np.interp(np.arange(start, stop), chosen[inside], levels[inside])
        curve = one_euro(curve[:, None], frame_rate, cutoff=FOLLOW_CUTOFF_HZ, beta=0.0, scale=1.0)[:, 0]
        share = np.clip(curve / max(curve.mean(), 1.0), FOLLOW_MIN, FOLLOW_MAX)
        factor[start:stop] = share**FOLLOW_STRENGTH
    return factor


def relight(premultiplied: NDArray[np.uint8], light: Light, index: int) -> Image:
    """(h, w, 4) premultiplied RGBA → lit straight RGB; what nobody sees, of alpha 0, is black."""
    lit, tables = np.zeros((*premultiplied.shape[:2], 3), np.uint8), light.tables(index)
    for x0, y0, x1, y1 in strips_of(np.asarray(cv2.extractChannel(premultiplied, 3), np.uint8)):
        strip = premultiplied[y0:y1, x0:x1]
        straight = cv2.cvtColor(cv2.cvtColor(strip, cv2.COLOR_mRGBA2RGBA), cv2.COLOR_RGBA2RGB)
        cv2.LUT(straight, tables, dst=lit[y0:y1, x0:x1])
    return lit

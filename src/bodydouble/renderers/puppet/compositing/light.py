"""The character in the light of the scene: tint, brightness, and how both change over time.

Von Kries adaptation: the ratio of the scene's mean colour to that of the reference picture's backdrop, in linear
light, damped; then brightness between that of the character and of the person removed; then the removed person's own
brightness over time, because lamps and clouds moved on them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.smoothing import one_euro, spans
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.looks import Look
from bodydouble.renderers.puppet.motion.head import CHEEKS

Floats = NDArray[np.float32]

GAMMA = 2.2
TINT_STRENGTH = 0.45
"""How far the character's colours follow the scene's; at 1 a coloured stage washes out who the character is."""
TINT_MIN, TINT_MAX = 0.3, 3.0
BRIGHTNESS_MAX = 14.0  # L* units
SMALL = (160, 90)
LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, kw_only=True)
class Light:
    """What is done to the character's colours."""

    gain: NDArray[np.float64]  # (3,) in linear light
    brightness: float  # L* added to all but the darkest tones
    follow: NDArray[np.float64]  # (F,) factor of the removed person's brightness, around 1
    actor_skin: NDArray[np.float64]  # (3,) CIELAB
    character_skin: NDArray[np.float64]  # (3,) CIELAB, before relighting

    def tables(self, index: int) -> NDArray[np.uint8]:
        """(1, 256, 3) lookup table of frame ``index``, for 8 bit RGB."""
        return self._tables(float(self.follow[index]))

    def _tables(self, follow: float) -> NDArray[np.uint8]:
        level = np.arange(256) / 255
        linear = level[:, None] ** GAMMA * self.gain
        tinted = np.clip(linear, 0, 1) ** (1 / GAMMA) * 255
        # One L* is about 2.55 levels of grey; the darkest tones are kept, so that black does not turn grey.
        lifted = tinted + self.brightness * 2.55 * np.clip(tinted / 64, 0, 1)
        return np.clip(lifted * follow + 0.5, 0, 255).astype(np.uint8)[None]

    def lit_skin(self) -> NDArray[np.float64]:
        """(3,) CIELAB of the character's skin in the scene's light."""
        rgb = cv2.cvtColor(self.character_skin.astype(np.float32)[None, None], cv2.COLOR_Lab2RGB)
        lit = cv2.LUT((np.clip(rgb, 0, 1) * 255).astype(np.uint8), self._tables(1.0))
        return np.asarray(lab_of(np.asarray(lit, np.uint8))[0, 0], np.float64)


def lab_of(image: Image) -> Floats:
    """RGB uint8 to CIELAB: L 0-100, a and b about -100 to 100."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def _linear_mean(image: Image, weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean colour (3,) in linear light, 0-1."""
    linear = (image.reshape(-1, 3) / 255.0) ** GAMMA
    return np.average(linear, axis=0, weights=weight.ravel() + 1e-6)


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
    return np.median(part, axis=0).astype(np.float64) if len(part) >= 8 else None


def measure_light(
    looks: list[Look],
    track: PersonTrack,
    frame_rate: float,
    *,
    reference: Image,
    alpha: Floats,
    skin: NDArray[np.float64],
) -> Light:
    """From samples over the whole track, at least one.

    ``reference`` is (H, W, 3) with the character's ``alpha`` (H, W) 0-1; ``skin`` is the character's, RGB 0-255.
    """
    chosen = np.array([look.index for look in looks], np.int64)
    scene, actor_light, actor_skin = np.zeros(3), [], []
    levels, areas = np.zeros(len(chosen)), np.zeros(len(chosen))
    for k, look in enumerate(looks):
        small = np.asarray(cv2.resize(look.image, SMALL, interpolation=cv2.INTER_AREA), np.uint8)
        weight = np.asarray(cv2.resize(look.matte, SMALL, interpolation=cv2.INTER_AREA), np.float32) / 255
        scene += _linear_mean(small, 1 - weight) / len(chosen)
        areas[k] = weight.mean()
        levels[k] = np.average(small.mean(2).ravel(), weights=weight.ravel() + 1e-6)
        actor_light.append(float(np.average(lab_of(small)[..., 0].ravel(), weights=weight.ravel() + 1e-6)))
        if track.face_found[look.index]:
            cheeks = skin_colour(look.image, track.face[look.index])
            if cheeks is not None:
                actor_skin.append(cheeks)
    small = np.asarray(cv2.resize(reference, SMALL, interpolation=cv2.INTER_AREA), np.uint8)
    weight = np.asarray(cv2.resize(alpha.astype(np.float32), SMALL, interpolation=cv2.INTER_AREA), np.float32)
    own_skin = lab_of(np.clip(skin, 0, 255).astype(np.uint8)[None, None])[0, 0].astype(np.float64)
    own_light = float(np.average(lab_of(small)[..., 0].ravel(), weights=weight.ravel() + 1e-6))
    wanted = 0.5 * (float(np.mean(actor_light)) - own_light)
    skins = np.median(actor_skin, axis=0) if actor_skin else np.array([60.0, 15.0, 18.0])
    if actor_skin:
        wanted += 0.3 * float(skins[0] - own_skin[0])
    # Somebody half out of the picture shows other clothes, not other light.
    whole = 0.4 * float(np.median(areas))
    return Light(
        gain=_gain(scene, _linear_mean(small, 1 - weight)),
        brightness=float(np.clip(0.5 * wanted, -BRIGHTNESS_MAX, BRIGHTNESS_MAX)),
        follow=_follow(track, chosen[areas >= whole], levels[areas >= whole], frame_rate),
        actor_skin=skins,
        character_skin=own_skin,
    )


def _gain(scene: NDArray[np.float64], backdrop: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) linear factors of equal luminance; weaker where one of the pictures is too dark to tell its tint."""
    sure = float(np.clip(min(scene @ LUMA, backdrop @ LUMA) / 0.03, 0.15, 1))
    ratio = (scene / max(scene @ LUMA, 1e-4)) / np.maximum(backdrop / max(backdrop @ LUMA, 1e-4), 0.05)
    gain = np.clip(ratio, TINT_MIN, TINT_MAX) ** (TINT_STRENGTH * sure)
    return gain / (gain @ LUMA)


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
        curve = one_euro(curve[:, None], frame_rate, cutoff=1.0, beta=0.0, scale=1.0)[:, 0]
        factor[start:stop] = np.clip(curve / max(curve.mean(), 1.0), 0.6, 1.6) ** 0.5
    return factor


def relight(premultiplied: NDArray[np.uint8], light: Light, index: int) -> tuple[Image, NDArray[np.uint8]]:
    """(h, w, 4) premultiplied RGBA → lit straight RGB and alpha (h, w)."""
    straight = cv2.cvtColor(cv2.cvtColor(premultiplied, cv2.COLOR_mRGBA2RGBA), cv2.COLOR_RGBA2RGB)
    lit = cv2.LUT(straight, light.tables(index))
    return np.asarray(lit, np.uint8), np.asarray(cv2.extractChannel(premultiplied, 3), np.uint8)

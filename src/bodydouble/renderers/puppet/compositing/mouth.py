"""The inside of an open mouth, in the character's light.

Its shape is the actor's own: teeth, tongue and cavity are where the video shows them. Its colours are the character's:
only lightness is taken from the video, relative to the skin around it, because the actor's light is another one.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte, Points
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.painting import SUBPIXEL_BITS, fixed_point

Lab = NDArray[np.float64]

OPENING_MIN, OPENING_WHOLE = 0.02, 0.05
"""Openings in face heights, beyond the neutral face's, from which the inside shows, and shows whole."""
HEIGHT_MIN_PIXELS = 1.5
"""Lips nearer to each other have no inside."""
MARGIN_PIXELS = 3
"""Border around the lips' box, for the soft edge."""
SOFT_PIXELS = 0.8
"""Standard deviation of the inside's edge, as soft as the lips' own."""
CAVITY_LIGHTNESS, TEETH_LIGHTNESS = 0.35, 0.85
"""Lightness over that of the skin around the mouth, up to which a pixel is cavity, and from which it is teeth."""
REDNESS = (0.6, 0.85)
"""CIELAB a for its L*, over the same of the skin, between which what is light goes from teeth to lips, gums and tongue.
Measured: teeth 0.25 to 0.55, lips and tongue 0.87 to 2. Chosen by eye on the development clips."""
SKIN_REDNESS_MIN = 0.1
"""Smallest CIELAB a over L* of skin in a divisor: the ratio of a grey picture says nothing."""
CAVITY_SHADE = 0.55
"""Lightness of the inside over what the video shows: lips shade it, and cameras lift the shadows."""
TEETH_SHADE = 0.92
"""The same factor for teeth: behind the lips they are darker than the face."""
LIGHTER_THAN_SKIN = 0.5
"""Share of the lightness that teeth have beyond the character's skin which is kept. Chosen by eye."""
LIGHTER_MIN, LIGHTER_MAX = 0.6, 1.4
"""Bounds of the character's lightness over the actor's, for cavity, tongue and lips."""
CAVITY_HUE = (15.0, 9.0)
"""CIELAB a and b of cavity and tongue in a face whose skin is ``SKIN_DAYLIGHT``. Chosen by eye."""
CAVITY_OF_SKIN = 0.3
"""Share of the skin's difference from ``SKIN_DAYLIGHT`` that the cavity has: light, or a painting's palette."""
TEETH_OF_SKIN = (0.2, 0.6)
"""Shares of the skin's a and b that teeth have: cream in a face of warm skin, never blue. Chosen by eye."""
TEETH_LEAST = (0.0, 3.0)
"""CIELAB a and b of teeth at least: pale skin in cool light has none of its own."""
SKIN_DAYLIGHT = np.array([14.0, 17.0])
"""CIELAB a and b of skin in daylight."""


@dataclass(frozen=True, kw_only=True)
class MouthLight:
    """CIELAB colours (3,) of the actor's skin in the video and of the character's in the finished picture."""

    actor_skin: Lab
    character_skin: Lab
    exposure: float = 1.0  # factor in linear light that the character's skin has already, see ``Light``


def paint_inside(
    colour: Image, source: Image, lips: Points, target: Points, opening: float, light: MouthLight, cover: Matte | None
) -> None:
    """Paint the inside of the mouth between the character's lips into ``colour`` (h, w, 3).

    ``lips`` (20, 2) px are the actor's inner lips in ``source`` (H, W, 3), ``target`` (20, 2) px the character's in
    ``colour``. ``opening`` is in face heights. ``cover`` (h, w) 0-255 is what hides the face, or None.
    """
    if opening < OPENING_MIN or np.ptp(target[:, 1]) < HEIGHT_MIN_PIXELS or not np.isfinite(lips).all():
        return
    x0, y0 = np.maximum(np.floor(target.min(0)).astype(int) - MARGIN_PIXELS, 0)
    x1, y1 = np.minimum(np.ceil(target.max(0)).astype(int) + MARGIN_PIXELS + 1, [colour.shape[1], colour.shape[0]])
    matrix = _affine_fit(lips, target - [x0, y0])
    if x1 <= x0 or y1 <= y0 or matrix is None:
        return
    shown = cv2.warpAffine(source, matrix, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    mask = np.zeros(shown.shape[:2], np.uint8)
    cv2.fillPoly(mask, [fixed_point(target - [x0, y0])], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    weight = cv2.GaussianBlur(mask, (0, 0), SOFT_PIXELS).astype(np.float32) / 255
    weight *= min(opening / OPENING_WHOLE, 1.0)
    here = np.s_[y0:y1, x0:x1]
    if cover is not None:
        weight *= 1 - cover[here] * np.float32(1 / 255)
    inside = inside_colours(np.asarray(shown, np.uint8), light).astype(np.float32)
    mixed = colour[here] + (inside - colour[here]) * weight[..., None]
    colour[here] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def inside_colours(shown: Image, light: MouthLight) -> Image:
    """(h, w, 3) the actor's mouth ``shown`` (h, w, 3) in the character's light."""
    shown_lab = lab_of(shown)
    lightness = shown_lab[..., 0]
    relative = lightness / max(float(light.actor_skin[0]), 1.0)
    skin_redness = max(float(light.actor_skin[1] / max(light.actor_skin[0], 1.0)), SKIN_REDNESS_MIN)
    red = smoothstep(*REDNESS, shown_lab[..., 1] / np.maximum(lightness, 1) / skin_redness)
    teeth = (smoothstep(CAVITY_LIGHTNESS, TEETH_LIGHTNESS, relative) * (1 - red)).astype(np.float32)
    lighter = np.clip(light.character_skin[0] / max(float(light.actor_skin[0]), 1.0), LIGHTER_MIN, LIGHTER_MAX)
    skin, dimmed = light.character_skin[1:], light.exposure ** (1 / 3)  # CIELAB is about a cube root of light
    lab = np.empty((*shown.shape[:2], 3), np.float32)
    shade = CAVITY_SHADE + (TEETH_SHADE - CAVITY_SHADE) * teeth
    skin_lightness = float(light.character_skin[0])
    # Teeth are as light on all people, in one light. A painting's are not much lighter than its skin.
    white = np.minimum(lightness, skin_lightness + LIGHTER_THAN_SKIN * np.maximum(lightness - skin_lightness, 0))
    cavity_lightness = np.minimum(lightness * lighter, skin_lightness)
    lab[..., 0] = (cavity_lightness + (white - cavity_lightness) * teeth) * shade
    for axis in range(2):
        cavity = dimmed * CAVITY_HUE[axis] + CAVITY_OF_SKIN * (skin[axis] - dimmed * SKIN_DAYLIGHT[axis])
        lab[..., 1 + axis] = cavity + (max(TEETH_OF_SKIN[axis] * skin[axis], TEETH_LEAST[axis]) - cavity) * teeth
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    return np.asarray(np.clip(rgb, 0, 1) * 255 + 0.5, np.uint8)


def _affine_fit(a: Points, b: Points) -> NDArray[np.float64] | None:
    """Least-squares (2, 3) map from points ``a`` to ``b``; None if they are on a line."""
    design = np.c_[a, np.ones(len(a))]
    solution, _, rank, _ = np.linalg.lstsq(design, b, rcond=None)
    return np.asarray(solution.T, np.float64) if rank == 3 else None

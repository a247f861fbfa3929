"""Long hair seen from behind: one mass that hangs down the back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.smoothing import gaussian_smoothed
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.outlines import without_specks
from bodydouble.renderers.puppet.picture.regions import opened, softened, widened
from bodydouble.renderers.puppet.picture.shading import wrinkles

Array = NDArray[np.float64]

# Lengths are in decimetres. All are chosen by eye on drawn and photographed long hair.
LEAST = 0.1
"""How far below the shoulders' joints hair that covers the neck reaches at least."""
ROW_MIN = 0.15
"""Hair in a row that belongs to the mass: single locks are longer."""
OF_SHOULDERS = 0.9
"""Width of the mass over that between the shoulders' joints, at most: beside it the arms move."""
NARROWER, ENDS, TIPS = 0.4, 0.9, 0.3
"""Share of its width that hair loses down to its end, by how much its middle is longer than its sides, and by how much
the ends of strands differ."""
RIM_SIGMA, SOFT = 0.1, 0.05
"""Standard deviations by which the outline of the head is smoothed, and over which the mass ends."""
PROFILE, PLACES, PROFILE_SIGMA = 0.8, 48, 2.5
"""Length of the back of the head above its end whose colours go on below it; the places across it at which they are
measured, and the standard deviation in places by which they are smoothed."""
PLAIN = 0.25
"""Share of the hair's usual colour in that of the mass; the rest is that of the back of the head."""
STRAND, STRAND_LENGTH, STRAND_LIGHT = 0.3, 3.0, 0.07
"""Width of strands over those of folds in cloth, the same of their length, and their light and shade."""
TONE, TONE_SIGMA = (0.75, 1.3), 0.5
"""Bounds of the light of hair over that at the head, and the standard deviation by which it is smoothed along it."""
HANGS = 0.45
"""Share of the head's height, from its end, in which hair beside it hangs: farther up are tufts, and pointed ears."""
LOCK, HAIR_RIM = 0.2, 0.12
"""Half the width of locks at the back of the head that hang down with the others, and the width of their soft rims."""
TINY = 1.0
"""Pixels and levels below it count as that many, where they are divided by."""


def hanging_behind(
    colour: Floats, opacity: Floats, skull: Mask, hair: Mask, body: Mask, shoulders: Array, scale: float
) -> tuple[Floats, Floats]:
    """``colour`` (h, w, 3) 0-255 and ``opacity`` (h, w) 0-1 of a trunk from behind, with its ``hair`` (h, w) on it.

    Hair covers the neck, and hangs down as far as in the picture. What hangs beside the body there is pulled behind
    the shoulders. ``skull`` (h, w): the back of the head down to where it ends; ``body`` (h, w): all below that is no
    hair; ``shoulders`` (2, 2) px: the joints; ``scale``: px of a decimetre.
    """
    if not skull.any():
        return colour, opacity
    mass = _Mass.below(skull, hair, shoulders, scale)
    rows = np.arange(len(skull))[:, None]
    soft = softened(mass.mask(skull.shape, scale), max(SOFT * scale, 0.5))
    painted = colour.copy()
    profile = _profile(colour, (opacity > 0.5) & skull, hair, mass, scale)
    if profile is not None:
        x, y, w, h = cv2.boundingRect((soft > 0).astype(np.uint8))
        here, sets_in = np.s_[y : y + h, x : x + w], smoothstep(mass.start - PROFILE * scale, mass.start, rows * 1.0)
        share = (soft * np.where(skull, sets_in, 1.0))[here][..., None].astype(np.float32)
        made = _strands(profile, _tone(colour, hair, mass.start, scale), mass, here, scale)
        painted[here] += (made - painted[here]) * share
    other = ((rows < mass.start) & ~widened(hair, HAIR_RIM * scale)) | (rows <= mass.middle)
    kept = softened(other | opened(skull, LOCK * scale) | (soft > 0.5) | body)
    return painted, without_specks(np.asarray(np.maximum(opacity * kept, soft), np.float32))


@dataclass(frozen=True, kw_only=True)
class _Mass:
    """Where hair hangs, row by row of the picture."""

    middle: int  # px, row above which hair sticks out of the head rather than hanging
    broad: int  # px, row from which on it hangs straight down
    start: int  # px, row at which the back of the head ends
    end: int  # px, lowest row
    across: Array  # (h, w) places from -1 at its left side to 1 at its right one

    @classmethod
    def below(cls, skull: Mask, hair: Mask, shoulders: Array, scale: float) -> "_Mass":
        """From where the ``skull`` (h, w) is broadest down to the lowest row of the ``hair`` (h, w)."""
        height, width = skull.shape
        head, long = np.flatnonzero(skull.any(1)), np.flatnonzero(np.count_nonzero(hair, axis=1) >= ROW_MIN * scale)
        sides = np.stack([np.argmax(skull[head], axis=1), width - 1 - np.argmax(skull[head, ::-1], axis=1)], 1)
        left, right = gaussian_smoothed(sides, max(RIM_SIGMA * scale, 0.5)).T
        broadest = int(np.argmax(right - left))
        broad, start = int(head[broadest]), int(head[-1])
        lowest = round(float(shoulders[:, 1].max()) + LEAST * scale)
        end = max(int(long[-1]) if len(long) else 0, start + 1, lowest)
        way = np.clip((np.arange(height) - broad) / (end - broad), 0, 1)
        most = min(float(right[broadest] - left[broadest]), OF_SHOULDERS * float(np.ptp(shoulders[:, 0])))
        half = np.maximum(most / 2 * (1 - NARROWER * way**1.5), TINY)
        centre = (left[broadest] + right[broadest]) / 2
        centre = centre + (shoulders[:, 0].mean() - centre) * smoothstep(0, 1, way)
        return cls(
            middle=round(start - HANGS * (start - int(head[0]))),
            broad=broad,
            start=start,
            end=end,
            across=(np.arange(width) - centre[:, None]) / half[:, None],
        )

    def mask(self, shape: tuple[int, ...], scale: float) -> Mask:
        """(h, w) the mass; strands end at different heights."""
        rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1], dtype=np.float32)[None] / np.float32(scale)
        tips = wrinkles(columns / np.float32(STRAND), np.zeros((1, 1), np.float32), 0.0)
        lowest = self.end - (ENDS * self.across**2 - TIPS * tips) * scale
        return (np.abs(self.across) <= 1) & (rows > self.broad) & (rows < lowest)


def _strands(profile: Array, tone: Array, mass: _Mass, here: tuple[slice, slice], scale: float) -> Floats:
    """(n, m, 3) 0-255 strands of the ``profile`` (PLACES, 3) in the part ``here`` of the picture.

    ``tone`` (h,) is the light of each row.
    """
    place = np.clip((mass.across[here] + 1) / 2 * (PLACES - 1), 0, PLACES - 1)
    before = np.minimum(place.astype(int), PLACES - 2)
    share, colours = (place - before).astype(np.float32)[..., None], profile.astype(np.float32)
    plain = colours[before] * (1 - share) + colours[before + 1] * share
    y, x = (np.arange(side.start, side.stop, dtype=np.float32) / np.float32(scale * STRAND) for side in here)
    light = 1 + np.float32(STRAND_LIGHT) * wrinkles(x[None], y[:, None] * np.float32(STRAND / STRAND_LENGTH), 0.0)
    lit = (tone[here[0], None] * light).astype(np.float32)
    return np.clip(plain * lit[..., None], 0, 255).astype(np.float32)


def _profile(colour: Floats, head: Mask, hair: Mask, mass: _Mass, scale: float) -> Array | None:
    """(PLACES, 3) the colours across the ``mass`` at the end of the back of the ``head`` (h, w); None without any.

    They are nearer to the usual one of the ``hair`` (h, w).
    """
    rows = slice(max(0, round(mass.start - PROFILE * scale)), mass.start + 1)
    shown = colour[rows][head[rows]]
    place = np.clip(((mass.across[rows][head[rows]] + 1) / 2 * PLACES).astype(int), 0, PLACES - 1)
    total = np.bincount(place, minlength=PLACES)
    known = np.flatnonzero(total)
    if not len(known):
        return None
    sums = [np.bincount(place, shown[:, channel], minlength=PLACES) for channel in range(3)]
    means = np.stack([np.interp(np.arange(PLACES), known, part[known] / total[known]) for part in sums], 1)
    profile = gaussian_smoothed(means, PROFILE_SIGMA)
    return profile + PLAIN * (np.median(colour[hair], axis=0) - profile) if hair.any() else profile


def _tone(colour: Floats, hair: Mask, first: int, scale: float) -> Array:
    """(h,) the light of ``hair`` (h, w) in each row over that in the ``first`` one."""
    count = np.count_nonzero(hair, axis=1)
    known = np.flatnonzero(count >= max(TINY, ROW_MIN * scale))
    if not len(known):
        return np.ones(len(hair))
    sums = (colour.mean(2) * hair).sum(1)
    light = np.interp(np.arange(len(hair)), known, sums[known] / count[known])
    light = gaussian_smoothed(light, max(TONE_SIGMA * scale, 0.5))
    return np.clip(light / max(float(light[first]), TINY), *TONE)

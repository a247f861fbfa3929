"""The sides of a trunk, also where an arm, a hand or hair hides them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Mask
from bodydouble.perception.smoothing import gaussian_smoothed
from bodydouble.perception.trunk import HIPS, SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.regions import narrowed, opened, widened

Array = NDArray[np.float64]

THIN = 0.15
"""Decimetres: half the width of what is no cloth of the trunk but a rest of a cuff, a finger or a lock."""
NEAR = 0.12
"""Decimetres beside a side, and above and below it, in which nothing else may be where the picture shows it."""
USUAL = 0.08
"""Decimetres by which cloth stands off the body where the picture shows neither side."""
FADING = 1.5
"""Decimetres from the nearest row that shows a side, over which cloth that stands off farther comes in to ``CLOSE``."""
CLOSE = 0.3
"""Decimetres by which cloth stands off the body at most where no row near shows it, and at the armpits."""
SLOPE = 0.4
"""Distance by which a side that is partly hidden moves away from the body, over that from the nearest row that shows
it, at most."""
ARMPIT, SHOULDER = 1.3, 0.1
"""Decimetres below the shoulders' joints from which up cloth comes in, and by which it stands off the joints."""
BELOW_HIPS, HEM = 0.5, 0.5
"""Decimetres below the hips' joints down to which a trunk without a skirt has sides, and above a skirt's hem."""
SMOOTH = 0.3
"""Standard deviation in decimetres by which the sides are smoothed."""


@dataclass(frozen=True, kw_only=True)
class TrunkOutline:
    """Both sides of a trunk, row by row."""

    top: int  # px, the first row
    left: Array  # (n,) px
    right: Array  # (n,) px

    def mask(self, shape: tuple[int, ...]) -> Mask:
        """(h, w) what is between the sides."""
        result, columns = np.zeros(shape[:2], np.bool_), np.arange(shape[1])[None]
        rows = slice(self.top, self.top + len(self.left))
        result[rows] = (columns >= self.left[:, None]) & (columns <= self.right[:, None])
        return result

    def beside(self, least: float, most: float, seen: Mask) -> Mask:
        """(h, w) what is more than ``least`` and up to ``most`` px inside of what is ``seen`` (h, w) of a side."""
        result, columns = np.zeros(seen.shape, np.bool_), np.arange(seen.shape[1])[None]
        rows = slice(self.top, self.top + len(self.left))
        first = np.argmax(seen[rows], axis=1)
        last = seen.shape[1] - 1 - np.argmax(seen[rows, ::-1], axis=1)
        for away in (columns - first[:, None], last[:, None] - columns):
            result[rows] |= (away > least) & (away <= most)
        return result


def trunk_outline(
    shown: Mask, covers: Mask, model: Mask, rows: tuple[int, int], shoulders: float, scale: float
) -> TrunkOutline | None:
    """The sides of the trunk in ``rows`` (first, last); None where there is no ``model`` (h, w) of trunk and legs.

    Each side stands off the model as in the rows that show it: where ``shown`` (h, w), the trunk's cloth, ends, and
    nothing is beside it that ``covers`` (h, w) it. ``shoulders``: row of their joints. ``scale``: px of a decimetre.
    """
    here = slice(max(0, rows[0]), max(0, rows[1]) + 1)
    body, cloth = model[here], opened(shown, THIN * scale)[here]
    known = body.any(1)
    if not known.any():
        return None
    width, number = model.shape[1], np.arange(len(body))
    filled = np.flatnonzero(known)
    first = np.interp(number, filled, np.argmax(body, axis=1)[filled])
    last = np.interp(number, filled, width - 1 - np.argmax(body[:, ::-1], axis=1)[filled])
    down = np.asarray((number + here.start - shoulders) / scale, np.float64)
    free = ~_near(covers, scale)[here]
    sides = [
        _stand_off(cloth, free, first, scale),
        _stand_off(cloth[:, ::-1], free[:, ::-1], width - 1 - last, scale),
    ]
    seen = [_shown(cloth, first), _shown(cloth[:, ::-1], width - 1 - last)]
    off = [
        _everywhere(side, other, least, down, scale)
        for side, other, least in ((*sides, seen[0]), (*sides[::-1], seen[1]))
    ]
    left, right = (gaussian_smoothed(side[:, None], SMOOTH * scale)[:, 0] for side in (first - off[0], last + off[1]))
    return TrunkOutline(top=here.start, left=left, right=right)


def behind_the_arms(shown: Mask, arms: Mask, hair: Mask, model: Mask, hem: float | None, fit: BodyFit) -> Mask:
    """(h, w) what ``arms`` (h, w) hide of a trunk of which the rest is ``shown`` (h, w): what is between its sides.

    It is no farther from the body than cloth that lies close: a wing would be worse than a slit.
    ``hair`` (h, w) is none of it, ``model`` (h, w) is the body's trunk and legs, ``hem`` the row down to which a skirt
    reaches.
    """
    scale, shoulders = fit.scale, float(fit.joints.points[SHOULDERS, 1].mean())
    rows = int(shoulders), trunk_end(fit, hem)
    outline = trunk_outline(shown & ~hair, arms | hair, model, rows, shoulders, scale) if arms.any() else None
    if outline is None:
        return np.zeros_like(arms)
    return outline.mask(arms.shape) & arms & widened(model, CLOSE * scale)


def trunk_end(fit: BodyFit, hem: float | None) -> int:
    """The row down to which a trunk has sides: below the hips, or above the ``hem`` of a skirt, which is curved."""
    last = float(fit.joints.points[HIPS, 1].max()) + BELOW_HIPS * fit.scale
    return int(last if hem is None else max(last, hem - HEM * fit.scale))


def _near(covers: Mask, scale: float) -> Mask:
    """(h, w) what is beside, above or below what ``covers`` (h, w) the trunk."""
    return ~narrowed(~covers, max(1.0, NEAR * scale))


def _stand_off(cloth: Mask, free: Mask, border: Array, scale: float) -> Array:
    """(n,) px by which the left side of ``cloth`` (n, w) is beyond the body's ``border`` (n,); NaN where it is hidden.

    ``free`` (n, w): nothing hides it there.
    """
    shown, column = _shown(cloth, border), np.argmax(cloth, axis=1)
    return np.where(free[np.arange(len(cloth)), column] & (column > 0), shown, np.nan)


def _shown(cloth: Mask, border: Array) -> Array:
    """(n,) px by which the left side of the ``cloth`` (n, w) is beyond the body's ``border`` (n,); NaN without any."""
    return np.where(cloth.any(1), border - np.argmax(cloth, axis=1), np.nan)


def _everywhere(own: Array, other: Array, least: Array, down: Array, scale: float) -> Array:
    """(n,) px by which a side stands off the body: its ``own`` (n,), or the ``other`` one's where that alone is known.

    What stands off the other side farther may be a hand beside it.
    Where it is hidden, cloth stands off by what is seen of it at ``least`` (n,), unless that jumps: rests of sleeves
    do. ``down`` (n,): decimetres below the shoulders.
    """
    seen = np.where(np.isfinite(own), own, np.minimum(other, CLOSE * scale))
    known = np.flatnonzero(np.isfinite(seen))
    result = np.full(len(own), USUAL * scale)
    if len(known):
        number = np.arange(len(seen))
        result = np.interp(number, known, seen[known])
        away = np.abs(number - known[np.abs(number[:, None] - known[None]).argmin(1)]) / scale
        least = np.minimum(least, result + SLOPE * away * scale)
        close = np.minimum(result, CLOSE * scale)
        result += (close - result) * smoothstep(0, FADING, away)
        above = 1 - smoothstep(0, ARMPIT, down)
        limit = (CLOSE + (SHOULDER - CLOSE) * above) * scale
        result = np.where(down < ARMPIT, np.minimum(result, limit), result)
    return np.where(np.isfinite(own) | (down < ARMPIT), result, np.fmax(result, least))

"""Outlines that an arm or hand covers go on behind it; its own rim is none of what it covers."""

from collections.abc import Sequence

import numpy as np

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.body.surface import continued
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.picture.regions import narrowed, opened, pieces

NOTCH = 6
"""Pixels by which a part's side jumps within as many rows where something before it ends. Legs slope less."""
NEAR = 3
"""Pixels outside a part's border in which what covers it is looked for, and rows beside the covered ones whose border
is not taken: an arm's rim is there."""

RIM_DEPTH = 3
"""Pixels inside an arm from which on its colours are its own, without the line around it."""
RIM_COLOUR, RIM_DARKER = 30.0, 5.0
"""Distance in CIELAB up to which a pixel beside an arm is a mixture of arm and cloth, and the L* by which a line around
it is darker than both. Measured: from the arm rims of drawn sleeves 4 to 15, a white drawstring on red cloth 74."""
UNDER_SLEEVE, UNDER_SLEEVE_ROWS = 0.45, (1.0, 3.0)
"""Decimetres by which a trunk goes on under an arm that the picture cuts off, and those below the shoulders between
which that ends: a slit would show beside the chest when the arm moves. Chosen by eye on headshots."""

SPECK_MIN, SPECK_MAX = 0.02, 0.5
"""Alphas above which a pixel is connected with others, and up to which all of a speck is. Measured: 0.06 to 0.3 of
outlines of hands and sleeves."""


def behind(part: Mask, cover: Mask, model: Mask, reach: float) -> Mask:
    """(h, w) what of ``cover`` (h, w), an arm, hides of the ``part`` (h, w) of trunk or leg.

    Behind it the part stands off the body ``model`` (h, w) as in the nearest rows, at most ``reach`` px away, in which
    nothing covers its side. Where the part lies before the arm, its side is its own, and has no jump.
    """
    mirrored = _behind_left(part[:, ::-1], cover[:, ::-1], model[:, ::-1], reach)
    return _behind_left(part, cover, model, reach) | mirrored[:, ::-1]


def beside_rim(seen: Floats, cloth: Floats, arm: Mask, where: Mask) -> Mask:
    """(h, w) what of ``where`` (h, w), close to an ``arm`` (h, w), is no rim of it: a drawstring or strap of the trunk.

    A rim mixes the colours of the arm beside it and of the ``cloth`` (h, w, 3) 0-255 that would be there, or is darker
    than both. ``seen`` (h, w, 3) 0-255 is what the picture shows.
    """
    result = np.zeros(where.shape, np.bool_)
    core = narrowed(arm, RIM_DEPTH)
    if not core.any() or not where.any():
        return result
    colours = (seen[where], continued(seen, core)[where], cloth[where])
    own, of_arm, of_cloth = (lab_of(colour[None])[0] for colour in colours)
    dark = own[:, 0] < np.minimum(of_arm[:, 0], of_cloth[:, 0]) - RIM_DARKER
    way = of_cloth - of_arm
    share = ((own - of_arm) * way).sum(1) / np.maximum((way * way).sum(1), 1)
    mixture = of_arm + np.clip(share, 0, 1)[:, None] * way
    result[where] = (np.linalg.norm(own - mixture, axis=-1) > RIM_COLOUR) & ~dark
    return opened(result, 1)


def without_specks(alpha: Floats) -> Floats:
    """``alpha`` (h, w) 0-1 without the pieces that are nowhere opaque: outlines of what belongs to other layers."""
    _, labels = pieces(alpha > SPECK_MIN)
    solid = np.zeros(int(labels.max()) + 1, np.bool_)
    solid[labels[alpha > SPECK_MAX]] = True
    return alpha if solid.sum() == 0 else np.where((labels > 0) & ~solid[labels], 0, alpha).astype(np.float32)


def _behind_left(part: Mask, cover: Mask, model: Mask, reach: float) -> Mask:
    """As ``behind``, at the left border of ``part`` alone."""
    result = np.zeros(part.shape, np.bool_)
    rows = np.flatnonzero(part.any(1) & model.any(1))
    if not len(rows):
        return result
    border, body = np.argmax(part[rows], axis=1), np.argmax(model[rows], axis=1)
    beside = np.maximum(border[:, None] - 1 - np.arange(NEAR), 0)
    covered = np.convolve(cover[rows[:, None], beside].any(1), np.ones(2 * NEAR + 1), "same") > 0
    runs = pieces(covered[:, None])[1][:, 0]
    jump = np.abs(border[NOTCH:] - border[:-NOTCH]) > NOTCH
    covered &= np.isin(runs, np.r_[runs[NOTCH:][jump], runs[:-NOTCH][jump]])
    if covered.all() or not covered.any():
        return result
    away = distance_to(~covered[:, None])[:, 0]
    line = body + np.interp(rows, rows[~covered], (border - body)[~covered])
    columns = np.arange(part.shape[1])
    hidden = (columns >= line[:, None]) & (columns <= border[:, None])
    hidden &= (covered & (away <= reach))[:, None]
    result[rows] = hidden & cover[rows]
    return result


def under_sleeves(trunk: Mask, arms: Sequence[Mask], shoulders: float, scale: float) -> Mask:
    """(h, w) where the ``trunk`` (h, w) goes on under ``arms``, (h, w) each, below the row of the ``shoulders``."""
    if not arms:
        return np.zeros_like(trunk)
    down = (np.arange(len(trunk))[:, None] - shoulders) / scale
    rising = smoothstep(0, UNDER_SLEEVE_ROWS[0], down)
    reach = UNDER_SLEEVE * scale * rising * (1 - smoothstep(*UNDER_SLEEVE_ROWS, down))
    return np.asarray((distance_to(trunk) < reach) & np.any(arms, axis=0), np.bool_)

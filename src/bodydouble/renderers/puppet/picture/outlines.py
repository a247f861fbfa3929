"""Outlines that an arm or hand covers go on behind it."""

import numpy as np

from bodydouble.perception.arrays import Mask
from bodydouble.renderers.puppet.picture.regions import distance_to, pieces

NOTCH = 6
"""Pixels by which a part's side jumps within as many rows where something before it ends. Legs slope less."""
NEAR = 3
"""Pixels outside a part's border in which what covers it is looked for, and rows beside the covered ones whose border
is not taken: an arm's rim is there."""


def behind(part: Mask, cover: Mask, model: Mask, reach: float) -> Mask:
    """(h, w) what of ``cover`` (h, w), an arm, hides of the ``part`` (h, w) of trunk or leg.

    Behind it the part stands off the body ``model`` (h, w) as in the nearest rows, at most ``reach`` px away, in which
    nothing covers its side. Where the part lies before the arm, its side is its own, and has no jump.
    """
    mirrored = _behind_left(part[:, ::-1], cover[:, ::-1], model[:, ::-1], reach)
    return _behind_left(part, cover, model, reach) | mirrored[:, ::-1]


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

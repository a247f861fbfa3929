"""What a picture shows beside the waist below an arm: laps, the arms of chairs, loose ends of sleeves."""

from dataclasses import replace

import numpy as np

from bodydouble.perception.arrays import Mask
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.picture.continued_parts import (
    UNDER_GARMENT,
    Canvas,
    borders_of,
    shows_skirt,
    stand_off,
)
from bodydouble.renderers.puppet.picture.regions import softened, widened
from bodydouble.renderers.puppet.picture.segmentation import Segmentation

ABOVE_WAIST = 2.0
"""Decimetres above the hips from which on a ledge is looked for. Chosen by eye on half bodies with forearms before the
waist."""
RIM = 4
"""Pixels about a ledge that are its soft rim."""


def without_ledge(canvas: Canvas, segmentation: Segmentation) -> tuple[Canvas, Segmentation]:
    """``canvas`` without what would be a ledge between the waist behind an arm and a made-up skirt below it.

    Below arms the person is no wider than a garment that hangs from the waist may stand off the body. All hair stays,
    and all of a picture that shows a skirt. What goes is no longer the trunk's in ``segmentation``: its layer fades
    out before an arm, and would show a line there.
    """
    person, cutout = canvas.person & ~(_ledge(canvas) & ~segmentation.hair), canvas.extended.cutout
    if np.array_equal(person, canvas.person):
        return canvas, segmentation
    gone = widened(canvas.person & ~person, RIM) & ~person & ~canvas.arms
    alpha = np.where(gone, cutout.alpha * softened(person), cutout.alpha)
    extended = replace(canvas.extended, cutout=replace(cutout, alpha=np.asarray(alpha, np.float32)))
    arms = {name: mask for name, mask in segmentation.parts.items() if name.startswith("arm")}
    away = {name: distance_to(mask) for name, mask in arms.items()}
    nearest = np.min(list(away.values()), axis=0)
    unseen = gone & (nearest < distance_to(person))
    parts = {name: mask & ~unseen for name, mask in segmentation.parts.items()}
    parts |= {name: mask | (unseen & (away[name] <= nearest)) for name, mask in arms.items()}
    return replace(canvas, extended=extended, person=person), replace(segmentation, parts=parts)


def _ledge(canvas: Canvas) -> Mask:
    """(h, w) what of the person is below arms and farther beside waist and hips than a garment may stand off them."""
    if shows_skirt(canvas):
        return np.zeros(canvas.shape, np.bool_)
    fit, height = canvas.fit, canvas.shape[0]
    left, right = borders_of(("spine_02", *UNDER_GARMENT), fit, canvas.template, canvas.shape)
    rows, columns = np.arange(height, dtype=np.float64)[:, None], np.arange(canvas.shape[1])[None]
    reach = stand_off(rows, fit)
    beside = (columns < left[:, None] - reach) | (columns > right[:, None] + reach)
    below = np.logical_or.accumulate(canvas.arms, axis=0) & canvas.rows(fit.joints.hips[1] - ABOVE_WAIST * fit.scale)
    return canvas.person & beside & below

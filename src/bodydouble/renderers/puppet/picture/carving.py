"""Background that a matte holds between limbs, found with the fitted body's help."""

from dataclasses import dataclass

import cv2
import numpy as np

from bodydouble.perception.arrays import Floats, Image, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SIDES
from bodydouble.renderers.puppet.body.surface import continued, limb_triangles
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.painting import LINE_END_MAX, hull_mask
from bodydouble.renderers.puppet.picture.colour_models import MODEL_SIZE
from bodydouble.renderers.puppet.picture.matting import closed_form_alpha
from bodydouble.renderers.puppet.picture.regions import REDUCED_SIDE_MIN, filled, narrowed, opened, widened

SIDE_MAX = 420
"""Longer side in pixels at which the colour models decide."""
CORE, RING = 0.22, 0.3
"""Decimetres: how far inside the body everything is the person; how far around the matte colours are compared."""
FAINT, SOLID = 0.14, 0.94
"""Alphas that count as nothing and as whole, as for the first cut-out."""
SPARED = 0.7
"""Decimetres about the landmarks of hands and feet where the body model does not say what is there: it is barefoot and
stiff. About feet nothing is carved, about hands what has the backdrop's very colour."""
EVEN = 6.0
"""Distance in CIELAB up to which a colour is that of the backdrop beside it. Chosen by eye on drawn pictures."""
ROUNDS = 2
"""Iterations of GrabCut: a third one changes nothing in nine of ten development pictures, and takes hair beside an arm
away in the tenth."""
BAND_OUT, BAND_IN = 3, 2
"""Pixels around what is carved that are matted anew, and inside it that are surely background. Chosen by eye on the
development clips."""
SEEN_ALPHA = 0.1
"""Alpha above which a pixel shows something of the person. Chosen by eye on the development clips."""
SURE_NOTHING, SURE_WHOLE = 0.03, 0.97
"""Alphas below and above which the first cut-out is kept beside what is carved. Chosen by eye on the development
clips."""

SEEN_HALF, HOLE_RIM = 0.5, 3
"""Alpha below which a pixel is a hole's, and the pixels around it that are its rim."""
HOLE_PIXELS_MIN, HOLE_INSIDE, HOLE_OTHER_MAX = 6, 0.3, 0.1
"""Pixels of a hole and its share on the body model at least; share of its rim from which another limb is beside it.
Measured: gaps under bent arms are in the body by up to 0.56 and have two limbs beside them, a logo and highlights on
legs are in it by 0.35 to 0.99 and have one."""


def carve_background(image: Image, alpha: Floats, body: Mask, gaps: "Gaps", scale: float) -> Floats:
    """``alpha`` (h, w) 0-1 without what looks like the backdrop, lies in the ``gaps`` and not on the fitted ``body``.

    ``image`` (h, w, 3) is the picture with its backdrop, ``scale`` is the px of a decimetre.
    """
    height, width = alpha.shape
    zoom = min(1.0, SIDE_MAX / max(height, width))
    size = (max(REDUCED_SIDE_MIN, round(width * zoom)), max(REDUCED_SIDE_MIN, round(height * zoom)))
    unit = scale * zoom
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    matte = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    inside = cv2.resize(body.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    core = narrowed(inside, max(2, CORE * unit)) & (matte > 0.5)
    labels = np.full(matte.shape, cv2.GC_BGD, np.uint8)
    labels[widened(matte > SEEN_ALPHA, RING * unit + 1)] = cv2.GC_PR_BGD
    labels[matte > 0.5] = cv2.GC_PR_FGD
    labels[core] = cv2.GC_FGD
    if not core.any() or not (labels == cv2.GC_BGD).any():
        return alpha
    cv2.setRNGSeed(0)
    models = np.zeros((1, MODEL_SIZE)), np.zeros((1, MODEL_SIZE))
    cv2.grabCut(small, labels, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    where, hands = (
        cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        for mask in (gaps.where, gaps.hands)
    )
    allowed = where | (hands & ~inside & _as_the_backdrop(small, matte))
    gone = opened(allowed & (matte > 0.5) & (labels != cv2.GC_FGD) & (labels != cv2.GC_PR_FGD), 1)
    if not gone.any():
        return alpha
    band = widened(gone, BAND_OUT)
    trimap = np.where(matte > SURE_WHOLE, 1.0, np.where(matte < SURE_NOTHING, 0.0, 0.5)).astype(np.float32)
    trimap[band] = 0.5
    trimap[narrowed(gone, BAND_IN)] = 0
    trimap[core & ~gone] = 1
    found = np.clip((closed_form_alpha(small, trimap) - FAINT) / (SOLID - FAINT), 0, 1)
    wide = cv2.resize(np.where(band, found, matte).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    there = cv2.resize(band.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0
    return _largest(np.where(there, np.minimum(wide, alpha), alpha).astype(np.float32))


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Masks (h, w) of where a matte may hold background."""

    where: Mask  # between an arm and the trunk, and between the legs
    hands: Mask  # there too, about the hands, which the body model has stiff

    def within(self, part: tuple[slice, slice]) -> "Gaps":
        """The same in a ``part`` of the picture."""
        return Gaps(where=self.where[part], hands=self.hands[part])


def without_holes(alpha: Floats, body: Mask, fit: BodyFit, template: BodyTemplate) -> Floats:
    """``alpha`` (h, w) 0-1 with the holes filled that lie in one part of the ``body`` (h, w): logos, highlights, bibs.

    What has the backdrop's colour is background where it lies between two limbs, or between a limb and the trunk.
    """
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((alpha < SEEN_HALF).astype(np.uint8))
    sizes = boxes[:, cv2.CC_STAT_AREA]
    inside = np.bincount(labels[body], minlength=count)
    edge = np.r_[labels[0], labels[-1], labels[:, 0], labels[:, -1]]
    holes = np.flatnonzero((sizes >= HOLE_PIXELS_MIN) & (inside > HOLE_INSIDE * sizes))
    holes = holes[(holes > 0) & ~np.isin(holes, edge)]
    if not len(holes):
        return alpha
    part = np.zeros(len(template.triangles), np.uint8)
    for k, (limb, side) in enumerate((limb, side) for limb in ("arm", "leg") for side in SIDES):
        part[limb_triangles(template, limb, side, 0.5)] = k + 1
    numbers = fit.labels(template.triangles, (alpha.shape[0], alpha.shape[1]))
    nearest = continued(part[np.maximum(numbers - 1, 0)], numbers > 0)
    result = alpha.copy()
    for hole in (labels == k for k in holes):
        rim = widened(hole, HOLE_RIM) & ~hole
        share = np.bincount(nearest[rim], minlength=5) / np.count_nonzero(rim)
        arm = max(min(share[k], 1 - share[k]) for k in (1, 2))
        if max(arm, min(share[3], share[4])) < HOLE_OTHER_MAX:
            result[rim | hole] = 1
    return result


def _as_the_backdrop(image: Image, matte: Floats) -> Mask:
    """(h, w) what of ``image`` (h, w, 3) has the colour of the nearest backdrop, which is even there."""
    outside, own = matte < SURE_NOTHING, image.astype(np.float32)
    lab, beside = lab_of(own), lab_of(filled(own, outside, ~outside))
    away = lab - beside
    return np.asarray(np.sqrt((away * away).sum(2)) < EVEN, np.bool_)


def gaps_between_limbs(fit: BodyFit, template: BodyTemplate, shape: tuple[int, int]) -> Gaps:
    """Where a matte may hold background.

    Not above the shoulders, where hair is, but between a raised arm and the face; and not about feet, which the body
    model has barefoot.
    """
    share = {(limb, side): limb_triangles(template, limb, side, 0.5) for limb in ("arm", "leg") for side in SIDES}
    limbs = np.any(list(share.values()), axis=0)
    gaps = np.zeros(shape, np.uint8)
    groups = [[~limbs, share["arm", side]] for side in SIDES] + [[share["leg", "l"], share["leg", "r"]]]
    for group in groups:
        used = np.unique(template.triangles[np.any(group, axis=0)])
        points = fit.vertices[used, :2]
        neck = float(fit.joints.shoulders[1])
        points = points[points[:, 1] > neck]
        if len(points) > 2:
            gaps |= hull_mask(np.clip(points, -LINE_END_MAX, LINE_END_MAX), shape)
    spared, hands = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    radius = max(1, round(SPARED * fit.scale))
    points = fit.joints.points
    for chains, discs in ((ARMS, hands), (LEGS, spared)):
        for chain in chains.values():
            for index in (chain.joints[2], *chain.extremity):
                cv2.circle(discs, np.round(points[index, :2]).astype(int).tolist(), radius, 1, -1)
    gaps[: max(0, int(fit.joints.points[SHOULDERS, 1].min()))] = 0
    for chain in ARMS.values():
        arm = points[list(chain.joints), :2]
        if arm[2, 1] < arm[0, 1]:
            corners = np.concatenate([arm, points[[BodyPoint.NOSE], :2]])
            gaps |= hull_mask(np.clip(corners, -LINE_END_MAX, LINE_END_MAX), shape)
    gaps[spared > 0] = 0
    return Gaps(where=(gaps > 0) & (hands == 0), hands=(gaps > 0) & (hands > 0))


def _largest(alpha: Floats) -> Floats:
    """``alpha`` without islands."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > SEEN_ALPHA).astype(np.uint8))
    if count <= 2:
        return alpha
    main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.where(widened(labels == main, 1), alpha, 0).astype(np.float32)

"""Long hair: what hangs from the head over shoulders and arms, and goes with neither."""

import numpy as np

from bodydouble.perception.arrays import Image, Mask
from bodydouble.renderers.puppet.picture.colour_models import learn_models, log_likelihood_ratio
from bodydouble.renderers.puppet.picture.regions import closed, narrowed, opened, touching, widened

SEEDS_MIN = 60
"""Pixels of hair on the head, and of everything else, that colour models need."""
HAIR_RATIO = 3.0
"""Log-likelihood ratio hair / rest above which a pixel may be hair. Chosen by eye on red, pink and brown hair, and on
auburn hair beside an arm in the shade."""
RIM, THIN = 0.08, 0.05
"""Decimetres about the face that are no sure hair, and half the width of locks that are still followed."""
GAP = 0.25
"""Decimetres between hair that is followed and a lock of it before an arm: shades and lights part them. Chosen by eye
on brown hair over a white sleeve."""


def hanging_hair(
    image: Image, opaque: Mask, head: Mask, face: Mask, sure_body: Mask, chin: float, scale: float
) -> Mask:
    """(h, w) what has the colour of the hair on the ``head`` and hangs on it; empty where clothes look like hair.

    ``image`` (h, w, 3) has the person's own colours, ``opaque`` (h, w) is the person. ``head`` (h, w): all above the
    shoulders; ``face`` (h, w): face and neck; ``sure_body`` (h, w): trunk, arms and hands. ``chin``: its row.
    ``scale``: px of a decimetre.
    """
    nothing = np.zeros(opaque.shape, np.bool_)
    on_head = narrowed(head & opaque, 1) & ~widened(face, RIM * scale)
    on_head[max(0, round(chin)) :] = False  # there are shoulders, too
    others = ((sure_body & ~head) | narrowed(face, RIM * scale)) & opaque
    if on_head.sum() < SEEDS_MIN or others.sum() < SEEDS_MIN:
        return nothing
    models = learn_models(image, on_head, others)
    like = nothing.copy()
    zone = opaque & ~face
    like[zone] = log_likelihood_ratio(models, image[zone]) > HAIR_RATIO
    like = opened(closed(like, 1) & zone, max(1.0, THIN * scale))
    return touching(like, on_head)


def lock_before(image: Image, hair: Mask, arm: Mask, twin: Mask, scale: float) -> Mask:
    """(h, w) what of an ``arm`` (h, w) is a lock: it goes on from ``hair`` (h, w), and the ``twin`` (h, w) shows none.

    The other arm tells what this one wears: where both are alike, or have hair before them, there is no lock.
    """
    like = np.zeros(arm.shape, np.bool_)
    if min(np.count_nonzero(mask) for mask in (hair, arm, twin)) < SEEDS_MIN:
        return like
    like[arm] = log_likelihood_ratio(learn_models(image, hair, twin), image[arm]) > HAIR_RATIO
    like = opened(closed(like, max(1.0, THIN * scale)) & arm, 1)
    return touching(like, widened(hair, GAP * scale))

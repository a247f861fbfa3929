"""What the trunk shows behind an arm beside which hair hangs: the body's cloth, and hair beside the body."""

import numpy as np

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.discs import distance_to
from bodydouble.renderers.puppet.picture.extension import skin_like, usual_cloth
from bodydouble.renderers.puppet.picture.regions import filled, touching

ACROSS = (8, 2)
"""Reduction of width and height in which trunk and legs are filled: belts and hems go on to the side. Chosen by eye on
the development clips."""
TRIM_MAX = 0.1
"""Share of a trunk's cloth up to which a colour is trim, as of straps beside an arm. Chosen by eye on a dress."""

NEARER = 2.0
"""Distance to hair over that to anything else up to which hair goes on beside the body: an arm between both is before
hair rather. Chosen by eye on a dress with bare arms."""


def behind_arms(
    image: Floats, colour: Floats, cloth: Mask, hair: Mask, known: Mask, made_up: Mask, body: Mask
) -> tuple[Floats, Mask]:
    """``colour`` (h, w, 3) 0-255 with what is ``made_up`` (h, w) as the ``image`` shows it beside; locks (h, w).

    On the ``body`` (h, w) it is ``cloth`` (h, w) without trim. Beside it, hair that hangs outside an arm goes on behind
    it, up to the body: what of the ``known`` (h, w) is no cloth there and hangs together with ``hair`` (h, w), which is
    followed by its colour and may miss the ends of locks. The locks are that hair and what goes on from it.
    """
    result, plain = colour.copy(), usual_cloth(image, cloth, TRIM_MAX)
    like = skin_like(image, np.median(image[plain], axis=0).astype(np.float64), known)
    locks = touching((known | hair) & ~body & ~like, hair) & known
    result[made_up] = filled(image, plain, made_up, ACROSS)[made_up]
    if locks.any():
        nearer = distance_to(locks) < NEARER * distance_to(known & ~locks)
        beside = made_up & ~body & nearer
        result[beside] = filled(image, locks, beside, ACROSS)[beside]
        locks |= beside
    return result, np.asarray(locks, np.bool_)

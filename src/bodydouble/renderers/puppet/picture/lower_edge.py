"""The row at which a picture cuts its person off: its lower edge, or where a table or an empty ground begins above."""

import numpy as np

from bodydouble.perception.arrays import Floats
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.body.skeleton import LEGS

SHOWN = 0.5
"""Alpha above which a pixel is the person's."""
FEET_BELOW = 1.0
"""Decimetres below the last row of the person from which on the ankles are beyond it: soles are as far above it."""
ROWS, WIDE = 1.0, 0.6
"""Decimetres above the person's last row in which the largest width is taken, and the share of it that the last row
before the cut has: elbows on a table and mattes are round below. Chosen by eye on a table, a bench and a bust."""


def person_end(alpha: Floats, fit: BodyFit) -> int:
    """The row from which on a picture shows nothing of its person; its height where the edge cuts the person off.

    ``alpha`` (h, w) is 0-1. A person ends above the edge if ``fit`` has both legs made up, far below what is seen: as
    behind a table, or as a bust on an empty ground.
    """
    height, widths = len(alpha), np.count_nonzero(alpha > SHOWN, axis=1)
    rows = np.flatnonzero(widths)
    ankles = [float(fit.joints.points[chain.joints[2], 1]) for chain in LEGS.values()]
    if not {"leg_l", "leg_r"} <= fit.joints.made_up or not len(rows):
        return height
    last = int(rows[-1])
    if last >= height - 2 or min(ankles) < last + FEET_BELOW * fit.scale:
        return height
    near = widths[max(0, last - round(ROWS * fit.scale)) : last + 1]
    return last - len(near) + 2 + int(np.flatnonzero(near >= WIDE * near.max())[-1])

"""The layer of trunk and head seen from behind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.perception.body_template import BodyTemplate
from bodydouble.perception.trunk import SHOULDERS
from bodydouble.renderers.puppet.body.fit import BodyFit
from bodydouble.renderers.puppet.picture.back_of_head import back_of_head
from bodydouble.renderers.puppet.picture.back_view import TrunkPicture, back_of_trunk
from bodydouble.renderers.puppet.picture.hair_behind import hanging_behind

Array = NDArray[np.float64]

LONG_MIN = 0.4
"""Square decimetres of hair below the joints of the shoulders from which on it is long. Measured: 0 of hair up to the
shoulders, 0.9 to 6.7 of long hair."""


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A trunk's layer with its head, from behind."""

    colour: Floats  # (h, w, 3) 0-255
    opacity: Floats  # (h, w) 0-1
    skull: Mask | None  # (h, w) the back of the head, down to the nape; None where no face tells where the head is


def from_behind(
    shown: TrunkPicture, solid: Mask, face: Mask, skin: Array, fit: BodyFit, template: BodyTemplate
) -> Behind:
    """The trunk that is ``shown``, from behind: the back, hair instead of the ``face`` (h, w), long hair on the back.

    ``solid`` (h, w) is the person, ``skin`` (3,) 0-255 the face's colour. A head without a face is the same from both
    sides.
    """
    back = back_of_trunk(shown, skin, fit, template)
    if not face.any():
        return Behind(colour=back.colour, opacity=back.opacity, skull=None)
    shoulders = fit.joints.points[SHOULDERS, :2]
    below = shown.hair[max(0, round(float(shoulders[:, 1].max()))) :]
    long = bool(np.count_nonzero(below) > LONG_MIN * fit.scale**2)
    head = back_of_head(back.colour, back.opacity, solid & ~back.cloth, face, skin, long=long)
    if not head.hangs:
        return Behind(colour=head.colour, opacity=head.opacity, skull=head.skull)
    colour, opacity = hanging_behind(head.colour, head.opacity, head.skull, shown.hair, back.body, shoulders, fit.scale)
    return Behind(colour=colour, opacity=opacity, skull=head.skull)

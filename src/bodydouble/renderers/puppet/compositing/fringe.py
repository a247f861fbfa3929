"""Bystanders and things without the removed person's rim: where they touch, the border has the colours of both."""

import cv2
import numpy as np
from cv2.typing import MatLike

from bodydouble.perception.arrays import Floats, Image, Matte
from bodydouble.renderers.puppet.discs import disc

SURE, KEPT = 110, 127
"""Levels (0-255) of the removed person's matte, and of a bystander's mask, from which a pixel is theirs."""
FRINGE, FRINGE_MIN_PIXELS = 0.008, 2
"""Picture heights outside a sure matte in which the person still shines through, and the least reach in pixels."""

THING_SURE = 0.5
"""Alpha (0-1) of a thing from which a pixel is rather the thing's."""


def without_fringe(image: Image, matte: Matte, others: Matte, height: int) -> Image:
    """``image`` (h, w, 3) with clean bystanders: where the person shines through, they get their own colours.

    ``matte`` (h, w) is the removed person's, ``others`` (h, w) shows the bystanders that are kept, both 0-255.
    ``height`` is the whole picture's. The same image where nobody touches the person.
    """
    sure = cv2.threshold(matte, SURE, 255, cv2.THRESH_BINARY)[1]
    kept = cv2.threshold(others, KEPT, 255, cv2.THRESH_BINARY)[1]
    reach = disc(FRINGE * height, FRINGE_MIN_PIXELS)
    near = cv2.subtract(cv2.dilate(sure, reach), sure)
    fringe = cv2.min(near, cv2.threshold(others, 0, 255, cv2.THRESH_BINARY)[1])
    x, y, w, h = cv2.boundingRect(fringe)
    if w == 0:
        return image
    pad = len(reach)
    here = np.s_[max(0, y - pad) : y + h + pad, max(0, x - pad) : x + w + pad]
    bare = cv2.subtract(kept[here], cv2.max(near, sure)[here])
    if not cv2.countNonZero(bare):
        return image
    result = image.copy()
    _take_nearest(result[here], bare, fringe[here])
    return result


def without_rim(image: Image, thing: Floats | None, person: Matte, height: int) -> Image:
    """``image`` (h, w, 3) with the rim of a ``thing`` (h, w), 0-1, in its own colours where a person shines through.

    That is before the ``person`` (h, w) 0-255: elsewhere the rim is the thing's, blurred by its movement. ``height`` is
    the whole picture's. The same image where there is no thing, or one that is all rim.
    """
    if thing is None:
        return image
    mask = cv2.threshold(np.asarray(thing, np.float32), 0, 255, cv2.THRESH_BINARY)[1].astype(np.uint8)
    x, y, w, h = cv2.boundingRect(mask)
    if w == 0:
        return image
    here = np.s_[y : y + h, x : x + w]
    solid = np.asarray(thing[here] > THING_SURE, np.uint8) * np.uint8(255)
    inner = cv2.erode(solid, disc(FRINGE * height, FRINGE_MIN_PIXELS), borderValue=255)
    if not cv2.countNonZero(inner):
        return image
    result = image.copy()
    _take_nearest(result[here], inner, cv2.min(cv2.subtract(mask[here], inner), person[here]))
    return result


def _take_nearest(image: Image, pure: MatLike, wanted: MatLike) -> None:
    """Give the pixels ``wanted`` (h, w) of ``image`` (h, w, 3) the colour of the nearest ``pure`` one, in place."""
    _, labels = cv2.distanceTransformWithLabels(
        cv2.bitwise_not(pure), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    label, given, taken = np.asarray(labels, np.int32), np.asarray(pure) > 0, np.asarray(wanted) > 0
    colour = np.zeros((int(label.max()) + 1, 3), np.uint8)
    colour[label[given]] = image[given]
    image[taken] = colour[label[taken]]

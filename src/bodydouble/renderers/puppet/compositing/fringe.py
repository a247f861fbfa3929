"""Bystanders without the removed person's rim: where two people touch, a matte's border has the colours of both."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Image, Matte
from bodydouble.renderers.puppet.discs import disc

SURE, KEPT = 110, 127
"""Levels (0-255) of the removed person's matte, and of a bystander's mask, from which a pixel is theirs."""
FRINGE, FRINGE_MIN_PIXELS = 0.008, 2
"""Picture heights outside a sure matte in which the person still shines through, and the least reach in pixels."""


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
    _, labels = cv2.distanceTransformWithLabels(
        cv2.bitwise_not(bare), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    result = image.copy()
    part, label, wanted = result[here], np.asarray(labels, np.int32), fringe[here] > 0
    colour = np.zeros((int(label.max()) + 1, 3), np.uint8)
    colour[label[bare > 0]] = part[bare > 0]
    part[wanted] = colour[label[wanted]]
    return result

"""What a picture shows beyond a bent elbow is no part of the arm."""

from dataclasses import replace

import cv2
import numpy as np

from bodydouble.renderers.puppet.bends import round_bend, strip_bend
from bodydouble.renderers.puppet.picture.layer import Layer

FAR = 6.0
"""Half widths of an arm beyond its elbow up to which what is there is left out."""


def without_corner(layer: Layer) -> Layer:
    """An arm's ``layer`` without what its picture shows beyond a bent elbow: a chair's arm, the end of a cape.

    Where the arm folds otherwise, that would stick out of the elbow.
    """
    height, width = layer.rgba.shape[:2]
    if layer.joint is None:
        return layer
    joint = layer.joint.points[:, :2]
    bend = round_bend(joint, strip_bend(*joint), layer.joint.reach, height, width, FAR)
    if bend is None:
        return layer
    (x0, y0, x1, y1), part = bend
    kept = np.full((height, width, 4), 255, np.uint8)
    kept[y0:y1, x0:x1] = part
    rgba, front, moved = (
        None if texture is None else np.asarray(cv2.multiply(texture, kept, scale=1 / 255), np.uint8)
        for texture in (layer.rgba, layer.front, layer.moved)
    )
    corners = np.clip(layer.vertices[:, :2].astype(int), 0, [width - 1, height - 1])
    whole = (kept[corners[:, 1], corners[:, 0], 0] == 255)[layer.triangles].all(1)
    return replace(
        layer,
        rgba=layer.rgba if rgba is None else rgba,
        front=front,
        moved=moved,
        opaque=np.asarray(layer.opaque & whole, np.bool_),
    )

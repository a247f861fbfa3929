"""Lays what a renderer drew into the source's own samples.

Renderers work in RGB. A pixel that a renderer left as it was keeps the source's samples, which are never converted.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.media.planes import Plane, PlaneFormat, Planes

Image = NDArray[np.uint8]

STRIP_ROWS = 64
"""Rows, an even number, that are converted at once: their numbers stay in the processor's cache."""


def composite(source: Planes, shown: Image, finished: Image, form: PlaneFormat) -> Planes:
    """The samples of ``finished`` where it differs from ``shown``, those of ``source`` elsewhere.

    ``shown`` is the source frame as the renderer saw it. Both images are (H, W, 3) RGB, of the size of ``source``.
    A chroma sample covers four pixels. It is the mean of the source's sample and the colour of the drawn pixels,
    weighted by their number.
    """
    changed = changed_pixels(shown, finished)
    x, y, width, height = cv2.boundingRect(changed)
    if not width:
        return source
    top, left = y // 2 * 2, x // 2 * 2  # whole blocks of 2 x 2
    bottom, right = (y + height + 1) // 2 * 2, (x + width + 1) // 2 * 2
    result = Planes(luma=source.luma.copy(), blue=source.blue.copy(), red=source.red.copy())
    for row in range(top, bottom, STRIP_ROWS):
        inside = np.s_[row : min(row + STRIP_ROWS, bottom), left:right]
        half = np.s_[row // 2 : inside[0].stop // 2, left // 2 : right // 2]
        _lay_in(result, inside, half, finished, changed, form)
    return result


def _lay_in(
    result: Planes,
    inside: tuple[slice, slice],
    half: tuple[slice, slice],
    finished: Image,
    changed: NDArray[np.uint8],
    form: PlaneFormat,
) -> None:
    """The ``changed`` (H, W) pixels of ``finished`` into ``result``, where it is ``inside``: in chroma ``half``."""
    weight = changed[inside].astype(np.float32)
    light, *drawn = samples_of(finished[inside], form)
    cv2.copyTo(_stored(light, form), changed[inside], result.luma[inside])
    share = _halved(weight)
    touched, kept = np.asarray(cv2.threshold(share, 0, 1, cv2.THRESH_BINARY)[1], np.uint8), 1 - share
    for plane, channel in zip((result.blue, result.red), drawn, strict=True):
        mixed = cv2.multiply(plane[half], kept, dtype=cv2.CV_32F)
        mixed = cv2.add(mixed, _halved(np.asarray(cv2.multiply(channel, weight), np.float32)))
        cv2.copyTo(_stored(np.asarray(mixed, np.float32), form), touched, plane[half])


def planes_of_image(image: Image, form: PlaneFormat) -> Planes:
    """The samples of an (H, W, 3) RGB image with even sides."""
    luma, *chroma = samples_of(image, form)
    blue, red = (_stored(_halved(channel), form) for channel in chroma)
    return Planes(luma=_stored(luma, form), blue=blue, red=red)


def changed_pixels(shown: Image, finished: Image) -> NDArray[np.uint8]:
    """(H, W), 1 where any channel differs."""
    # Grey is no colour's 0 where a channel is 255: OpenCV mixes channels several times faster than it splits them.
    unlike = cv2.cvtColor(cv2.compare(shown, finished, cv2.CMP_NE), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.threshold(unlike, 0, 1, cv2.THRESH_BINARY)[1], np.uint8)


def samples_of(image: Image, form: PlaneFormat) -> list[NDArray[np.float32]]:
    """Y', Cb and Cr samples (H, W) at full size, not rounded, of RGB (H, W, 3) or of an HDR video's view."""
    signal = image.astype(np.float32) * np.float32(1 / 255) if form.hdr is None else form.hdr.signal_of(image)
    # One row of the matrix after the other: to split three channels takes OpenCV four times as long.
    return [np.asarray(cv2.transform(signal, form.matrix[k : k + 1]), np.float32) for k in range(3)]


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of blocks of 2 x 2."""
    height, width = values.shape[:2]
    return np.asarray(cv2.resize(values, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.float32)


def _stored(values: NDArray[np.float32], form: PlaneFormat) -> Plane:
    """Rounded to samples."""
    if form.bits == 8:  # OpenCV rounds and clips as it converts; it takes the absolute value, and none is below -0.5
        return np.asarray(cv2.convertScaleAbs(values), np.uint8)
    return np.clip(np.rint(values), 0, (1 << form.bits) - 1).astype(form.dtype)

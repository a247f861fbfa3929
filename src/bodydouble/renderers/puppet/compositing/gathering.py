"""The background around a key frame as sampled frames show it: the nearest free sample, or the median of all."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, PixelBox
from bodydouble.renderers.puppet.compositing.pieces import boxes_about
from bodydouble.renderers.puppet.compositing.reduction import reduced
from bodydouble.renderers.puppet.compositing.registration import CameraPath, Homography
from bodydouble.renderers.puppet.compositing.removal import DOUBTFUL
from bodydouble.renderers.puppet.compositing.seams import SEAM_REACH, match_light
from bodydouble.renderers.puppet.compositing.stored_plates import cut_to

STRIP_ROWS = 40
"""Rows of which the median is taken at once: the stack of all samples would be large."""
FREE_ALPHA, DOUBTFUL_ALPHA = 250, 255 - DOUBTFUL - 2
"""Alpha (0-255) of a sample from which a pixel is certainly, and from which it is probably background, and none of the
border's blend."""
PATCH_PIXELS_MIN = 20
"""What a sample adds at least: smaller patches are ragged edges."""
PREFER_FRAMES = 64
"""A sample nearer to the key by so many frames is preferred to one that shows twice as much."""
CHOICE_STEP = 4
"""Pixels of the frame for one of the picture in which samples are compared before one is laid in."""
ONE_PIXEL_AROUND = np.ones((3, 3), np.uint8)
AGREE_MIN, UNLIKE_MIN = 3, 40
"""Samples of a place from which their median is trusted. Levels (0-255) by which a sample differs from the median in
some channel, from which it shows something else: a part of the person that its mask misses, or somebody who passes."""
STRAND_UNLIKE_MIN = 20
"""As ``UNLIKE_MIN``, of something too thin for ``UNLIKE_SIDE``: a lock of hair, a shoe's rim. It has to differ from all
that the median shows about that place, so that the edge of a thing in the background counts as none."""
STRAND_SIDE, DETAIL_MIN = 5, 8
"""Pixels of the square whose median shows nothing thin, and levels (0-255) by which something thin differs from it."""
UNLIKE_SIDE = np.ones((3, 3), np.uint8)
"""Smaller spots, in pixels of the small picture, are texture that the camera's path misses."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A frame from which background is learned."""

    index: int
    rgba: NDArray[np.uint8]  # (H, W, 4): alpha is 0 where people are, 255 - DOUBTFUL near them, else 255
    free: NDArray[np.uint8]  # alpha of every CHOICE_STEP-th pixel of every CHOICE_STEP-th row
    small: NDArray[np.uint8]  # (h, w, 4) the mean colours there, alpha 255: four bytes are warped and looked up faster

    @classmethod
    def of(cls, index: int, image: Image, taken: NDArray[np.uint8]) -> "Sample":
        """Frame ``index``, whose pixels say nothing of the background where ``taken``, as ``unknown_mask`` gives it."""
        alpha = cv2.bitwise_not(taken)
        rgba = cv2.merge([*cv2.split(image), alpha])
        columns, rows = choice_size(taken.shape)
        free = alpha[: rows * CHOICE_STEP : CHOICE_STEP, : columns * CHOICE_STEP : CHOICE_STEP]
        small = reduced(np.ascontiguousarray(image[: rows * CHOICE_STEP, : columns * CHOICE_STEP]), CHOICE_STEP)
        return cls(
            index=index,
            rgba=np.asarray(rgba, np.uint8),
            free=np.ascontiguousarray(free, np.uint8),
            small=np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2RGBA), np.uint8),
        )

    def hide(self, taken: NDArray[np.uint8] | None) -> None:
        """Let the pixels ``taken`` (H, W), which are not 0, say nothing of the background."""
        if taken is None:
            return
        self.rgba[..., 3][taken > 0] = 0
        columns, rows = choice_size(taken.shape)
        self.free[...] = self.rgba[: rows * CHOICE_STEP : CHOICE_STEP, : columns * CHOICE_STEP : CHOICE_STEP, 3]


def choice_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height of the picture in which samples of ``shape`` (H, W, ...) are compared."""
    return shape[1] // CHOICE_STEP, shape[0] // CHOICE_STEP


def median(samples: list[Sample]) -> tuple[Image, NDArray[np.bool_]]:
    """For a still camera: each pixel's median over the samples in which it is free, and which pixels have one."""
    height, width = samples[0].rgba.shape[:2]
    image = np.zeros((height, width, 3), np.uint8)
    known = np.zeros((height, width), np.bool_)
    for y in range(0, height, STRIP_ROWS):
        rows = np.s_[y : y + STRIP_ROWS]
        stack = np.stack([s.rgba[rows] for s in samples])
        taken = stack[..., 3] < FREE_ALPHA
        taken &= ~taken.all(0) | (stack[..., 3] < DOUBTFUL_ALPHA)  # where nothing is certain, what is probable
        image[rows] = _masked_median(stack, taken)[..., :3]
        known[rows] = ~taken.all(0)
    return image, known


def _masked_median(stack: NDArray[np.uint8], taken: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(N, h, w, 4) and (N, h, w) → (h, w, 4): median over the free samples, 0 where there is none."""
    # Taken samples are sorted behind the free ones, so that the median is at half the number of free ones.
    # The four bytes of a pixel are looked up as one number.
    ordered = np.where(taken, np.uint32(0xFFFFFFFF), stack.view(np.uint32)[..., 0])
    _sort(ordered[..., None].view(np.uint8))
    free = (~taken).sum(0)
    low, high = np.maximum((free - 1) // 2, 0), np.minimum(free // 2, len(stack) - 1)
    first, second = (
        np.take_along_axis(ordered, at[None], 0)[0][..., None].view(np.uint8).astype(np.uint16) for at in (low, high)
    )
    return np.where((free > 0)[..., None], (first + second + 1) // 2, 0).astype(np.uint8)


def _sort(stack: NDArray[np.uint8]) -> None:
    """Sort ``stack`` (N, ...) along its first axis, in place: whole layers are compared, twenty times as fast as rows.

    Batcher's merge exchange (Knuth, The Art of Computer Programming, 5.2.2, algorithm M).
    """
    count, spare = len(stack), np.empty_like(stack[0])
    top = (1 << (count - 1).bit_length()) >> 1
    step = top
    while step:
        reach, kept, away = top, 0, step
        while True:
            for k in range(count - away):
                if k & step == kept:
                    low, high = stack[k], stack[k + away]
                    np.minimum(low, high, out=spare)
                    np.maximum(low, high, out=high)
                    low[...] = spare
            if reach == step:
                break
            away, reach, kept = reach - step, reach // 2, step
        step //= 2


def nearest(path: CameraPath, key: int, samples: list[Sample]) -> tuple[Image, NDArray[np.bool_]]:
    """For a moving camera: each pixel of frame ``key`` from a sample near in time in which it is free, else probably.

    Also answers which pixels have one.
    """
    height, width = samples[0].rgba.shape[:2]
    image = np.zeros((height, width, 3), np.uint8)
    known = np.zeros((height, width), np.bool_)
    moved = [_MovedSample.of(sample, path, key) for sample in samples]
    for alpha_min in (FREE_ALPHA, DOUBTFUL_ALPHA):
        if not known.all():
            _lay_in(path, key, moved, image, known, alpha_min)
    return image, known


@dataclass(frozen=True, kw_only=True)
class _MovedSample:
    """A sample, and its small pictures moved to a key frame."""

    sample: Sample
    alpha: NDArray[np.uint8]  # (h, w)
    colours: NDArray[np.uint8]  # (h, w, 4), alpha 255

    @classmethod
    def of(cls, sample: Sample, path: CameraPath, key: int) -> "_MovedSample":
        size = sample.free.shape[::-1]
        shrink, enlarge = (np.diag([zoom, zoom, 1.0]) for zoom in (1 / CHOICE_STEP, CHOICE_STEP))
        matrix = shrink @ path.between(sample.index, key) @ enlarge
        return cls(
            sample=sample,
            alpha=np.asarray(cv2.warpPerspective(sample.free, matrix, size, flags=cv2.INTER_NEAREST), np.uint8),
            colours=np.asarray(cv2.warpPerspective(sample.small, matrix, size, borderValue=(0, 0, 0, 255)), np.uint8),
        )


def _lay_in(
    path: CameraPath, key: int, samples: list[_MovedSample], image: Image, known: NDArray[np.bool_], alpha_min: int
) -> None:
    """Complete ``image`` and ``known`` in place with what ``samples`` show with at least ``alpha_min``."""
    for sample, added, odd in _in_turn(key, samples, ~known, alpha_min):
        matrix = None if sample.index == key else path.between(sample.index, key)
        patches = [
            _Patch.of(sample, matrix, box, odd, known, alpha_min) for box in _full_size_boxes(added, known.shape)
        ]
        if sum(np.count_nonzero(patch.new) for patch in patches) < PATCH_PIXELS_MIN:
            continue
        for patch in patches:
            patch.lay_in(image, known)


@dataclass(frozen=True, kw_only=True)
class _Patch:
    """What a sample adds to a plate in one box of it."""

    here: tuple[slice, slice]
    moved: NDArray[np.uint8]  # (h, w, 4) the sample
    free: NDArray[np.bool_]  # (h, w)
    new: NDArray[np.bool_]  # (h, w) free, and not known before

    @classmethod
    def of(
        cls,
        sample: Sample,
        matrix: Homography | None,
        box: PixelBox,
        odd: NDArray[np.bool_],
        known: NDArray[np.bool_],
        alpha_min: int,
    ) -> "_Patch":
        """``matrix`` moves the ``sample`` to the plate, if at all; ``odd`` is of the small picture, as ``_in_turn``."""
        x0, y0, x1, y1 = box
        here = np.s_[y0:y1, x0:x1]
        moved = sample.rgba[here]
        if matrix is not None:
            moved = np.asarray(cv2.warpPerspective(sample.rgba, cut_to(box) @ matrix, (x1 - x0, y1 - y0)), np.uint8)
        free = cv2.erode(cv2.extractChannel(moved, 3), ONE_PIXEL_AROUND) > alpha_min
        small = odd[y0 // CHOICE_STEP : -(-y1 // CHOICE_STEP), x0 // CHOICE_STEP : -(-x1 // CHOICE_STEP)]
        if small.any():
            size = (small.shape[1] * CHOICE_STEP, small.shape[0] * CHOICE_STEP)
            large = cv2.resize(small.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            rows, columns = min(y1 - y0, large.shape[0]), min(x1 - x0, large.shape[1])
            free[:rows, :columns] &= large[:rows, :columns] == 0
        return cls(here=here, moved=moved, free=free, new=free & ~known[here])

    def lay_in(self, image: Image, known: NDArray[np.bool_]) -> None:
        """Complete ``image`` and ``known`` in place."""
        if not self.new.any():
            return
        under, before = image[self.here], known[self.here]
        colours = np.asarray(cv2.cvtColor(self.moved, cv2.COLOR_RGBA2RGB), np.uint8)
        shared = (self.free & before).view(np.uint8) * np.uint8(255)
        cv2.copyTo(match_light(colours, under, shared), self.new.view(np.uint8), under)
        before |= self.new


def _full_size_boxes(small: NDArray[np.bool_], shape: tuple[int, ...]) -> list[PixelBox]:
    """Boxes of the frame around all that is set in ``small`` (h, w), one pixel for ``CHOICE_STEP`` x ``CHOICE_STEP``.

    One box around scattered patches would be most of the frame.
    """
    height, width = small.shape
    margin = -(-SEAM_REACH // CHOICE_STEP) + 1
    return [
        (
            CHOICE_STEP * x0,
            CHOICE_STEP * y0,
            shape[1] if x1 == width else CHOICE_STEP * x1,
            shape[0] if y1 == height else CHOICE_STEP * y1,
        )
        for x0, y0, x1, y1 in boxes_about(small, margin)
    ]


def _in_turn(
    key: int, samples: list[_MovedSample], hole: NDArray[np.bool_], alpha_min: int
) -> Iterator[tuple[Sample, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Samples in the order in which they are laid under each other: few large patches, the near ones first.

    Many narrow strips would be ragged, because no sample is right for all depths of the scene. ``hole`` (H, W) is
    what is wanted, ``alpha_min`` as in ``_lay_in``. With each sample comes, in the small picture, what it adds, and
    where it shows something else than most do.
    """
    columns, rows = choice_size(hole.shape)
    hole = hole[: rows * CHOICE_STEP : CHOICE_STEP, : columns * CHOICE_STEP : CHOICE_STEP].copy()
    free = [moved.alpha > alpha_min for moved in samples]
    odd = _unlike_most([moved.colours for moved in samples], free, hole)
    for mine, other in zip(free, odd, strict=True):
        mine &= ~other
    away = np.array([abs(moved.sample.index - key) for moved in samples])
    nearness = 0.5 ** (away / PREFER_FRAMES)
    packed = np.packbits(np.stack(free).reshape(len(free), -1), axis=1)  # eight places in a byte
    left = sorted(range(len(samples)), key=lambda k: (away[k], samples[k].sample.index))
    following = left[0]  # the key's own frame
    while True:
        left.remove(following)
        added = free[following] & hole
        if added.any():
            yield samples[following].sample, added, odd[following]
        hole &= ~free[following]
        if not left or not hole.any():
            return
        gains = np.bitwise_count(packed[left] & np.packbits(hole.ravel())).sum(1) * nearness[left]
        if gains.max() == 0:
            return
        following = left[int(gains.argmax())]


def _unlike_most(
    colours: list[NDArray[np.uint8]], free: list[NDArray[np.bool_]], hole: NDArray[np.bool_]
) -> list[NDArray[np.bool_]]:
    """For each sample, (h, w) where in the ``hole`` (h, w) it is ``free`` and shows something else than most that are.

    ``colours`` (h, w, 4), with alpha 255, are of the same size.
    """
    shown = np.zeros(hole.shape, np.uint8)
    for mask in free:
        shown += mask.view(np.uint8)
    several = hole & (shown >= AGREE_MIN) & (shown < len(free))  # nobody covers the rest, and no plate is shown there
    odd = [np.zeros(hole.shape, np.bool_) for _ in free]
    if not several.any():
        return odd
    places = np.flatnonzero(several)
    # A pixel's four bytes are looked up and tested as one number.
    stack = np.stack([x.view(np.uint32).ravel().take(places) for x in colours])
    stack = stack.view(np.uint8).reshape(len(colours), len(places), 4)
    taken = ~np.stack([x.ravel().take(places) for x in free])
    usual = _masked_median(stack[:, None], taken[:, None])[0]
    low, high = _range_around(usual, places, hole.shape)
    for mine, picture, sample, hidden in zip(odd, colours, stack, taken, strict=True):
        wide = _any_channel(cv2.absdiff(sample, usual), hidden, UNLIKE_MIN)
        beyond = cv2.max(cv2.subtract(sample, high), cv2.subtract(low, sample))
        narrow = _any_channel(beyond, hidden, STRAND_UNLIKE_MIN)
        if not (wide.any() or narrow.any()):
            continue
        found = cv2.morphologyEx(_at(places, wide, hole.shape), cv2.MORPH_OPEN, UNLIKE_SIDE)
        if narrow.any():
            strands = _details(picture, _at(places, narrow, hole.shape))
            found = cv2.max(found, cv2.dilate(strands, UNLIKE_SIDE))
        mine[:] = cv2.dilate(found, UNLIKE_SIDE) > 0
    return odd


def _details(picture: NDArray[np.uint8], among: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) 1 where ``picture`` (h, w, 4) shows something thin and ``among`` (h, w) is 1, else 0.

    The edge of a shadow is nothing thin.
    """
    x, y, w, h = cv2.boundingRect(among)
    top, left = max(0, y - STRAND_SIDE), max(0, x - STRAND_SIDE)
    around = np.s_[top : y + h + STRAND_SIDE, left : x + w + STRAND_SIDE]
    grey = cv2.cvtColor(picture[around], cv2.COLOR_RGBA2GRAY)
    detail = cv2.absdiff(grey, cv2.medianBlur(grey, STRAND_SIDE))
    thin = cv2.threshold(detail, DETAIL_MIN, 1, cv2.THRESH_BINARY)[1]
    result = np.zeros_like(among)
    result[around] = cv2.min(among[around], thin)
    return result


def _at(places: NDArray[np.intp], flags: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """(h, w) of ``shape``: 1 at the ``places`` (N,), numbers of pixels, that have ``flags`` (N,), else 0."""
    result = np.zeros(shape, np.uint8)
    result.ravel()[places] = flags
    return result


def _any_channel(difference: MatLike, hidden: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """(N,) where ``difference`` (N, 4), 0-255, is more than ``least`` in some channel, but for the ``hidden``."""
    differs = cv2.threshold(difference, least, 255, cv2.THRESH_BINARY)[1]
    return (np.asarray(differs, np.uint8).view(np.uint32)[:, 0] > 0) & ~hidden


def _range_around(
    usual: NDArray[np.uint8], places: NDArray[np.intp], shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(N, 4) each: the darkest and the lightest of the ``usual`` colours (N, 4) about each of the ``places`` (N,).

    ``places`` are numbers of pixels in a picture of ``shape``.
    """
    low, high = np.full((*shape, 4), 255, np.uint8), np.zeros((*shape, 4), np.uint8)
    for side in (low, high):
        side.view(np.uint32).ravel()[places] = usual.view(np.uint32)[:, 0]
    around = (np.asarray(x, np.uint8) for x in (cv2.erode(low, UNLIKE_SIDE), cv2.dilate(high, UNLIKE_SIDE)))
    low, high = (x.view(np.uint32).ravel().take(places)[:, None].view(np.uint8) for x in around)
    return low, high

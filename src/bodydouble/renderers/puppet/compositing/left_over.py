"""What the mask of the removed person misses, told by the clean plate: locks of hair, shoes, hems and sleeves."""

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte, PixelBox
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.trunk import HIPS
from bodydouble.renderers.puppet.compositing.colours import Colours, colour_codes, counted_within
from bodydouble.renderers.puppet.compositing.held import skin_blends
from bodydouble.renderers.puppet.compositing.reduction import reduced
from bodydouble.renderers.puppet.compositing.removal import LEARNING_GROWTH, add_hair, shoulder_width
from bodydouble.renderers.puppet.painting import LINE_END_MAX

STEP = 2
"""Pixels of the frame for one of the picture in which both are compared."""
REACH, REACH_PIXELS_MAX = 1 / 15, 16
"""Picture heights from the inner mask in which something is looked for, and the most pixels of that picture. Farther
out the plate need not be known."""
HAND_REACH = 0.4
"""Shoulder widths about wrists and knuckles in which only skin is looked for: what a hand holds is not the person."""
PALM_REACH = 0.2
"""Shoulder widths about the middle of a hand in which its skin is seen: sleeves end before."""
HANDS = (BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST, BodyPoint.LEFT_INDEX, BodyPoint.RIGHT_INDEX)
MARGIN = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)), np.uint8)
"""What lies so near to the mask's edge is looked for too: the edge is soft. What is found is removed with as much."""
AROUND = np.ones((3, 3), np.uint8)
"""Pixels about one of the plate's among which the frame's may be found: texture that the camera's path misses."""
UNLIKE_MIN = 18
"""Levels (0-255) of some channel beyond what the plate shows there, from which a pixel is not the background."""
SEEN_LEVEL, PLAIN_LEVEL = 190, 140
"""Levels (0-255) of a plate's alpha above which some frame showed the background, and above which it is seen or sure,
as a plain wall that goes on is. Sure is enough beside a head, which hides the same place in many shots."""
OWN_SHARE_MIN = 0.02
"""Share of the removed person's pixels from which a colour is theirs."""
OWN_PIECE_MIN = 0.4
"""Share of a piece with the person's colours from which it is the person's: its rim is blended with the background."""
OUTER_SHARE_MAX = 0.02
"""Share of a piece that may lie at the end of the reach: what goes on there is another thing or person."""
SHADE_MIN, SHADE, SHADE_HUE_MAX = 0.42, 0.6, 14
"""Least and usual share of the plate's light that a shadow leaves, and levels (0-255) by which it changes the hue."""
FAINT_MIN = 8
"""As ``UNLIKE_MIN``, of single hairs where the plate is even, and above the hips. Chosen by eye on curls."""
STRAND_AROUND, DENSE_MIN = (9, 9), 128
"""Pixels about one; mean level (0-255) of a mask there, half of the range, from which it is texture and no hair."""
STRAND_GAP = np.ones((5, 5), np.uint8)
"""A single hair goes on beyond gaps that are narrower: there it is as light as the wall."""
SHADE_SIDE = np.ones((5, 5), np.uint8)
"""What is thinner is no shadow."""


def with_left_over(
    gone: Matte,
    source: Image,
    with_seen: NDArray[np.uint8],
    body: NDArray[np.floating],
    box: PixelBox,
    shape: tuple[int, ...],
) -> Matte:
    """(h, w) 0 or 255: ``gone`` (h, w), and what beside it is the removed person's.

    That is a piece that touches ``gone`` and ends near it, which differs from the plate and has colours of what is
    removed, or is a single hair before an even background. Shadows and what is in a hand are left. ``source`` is (h, w,
    3); ``with_seen`` (h, w, 4), from ``Plates``: a difference from a made-up plate says nothing, except from a plain
    wall beside the head. All of them are cut to ``box`` of a picture of ``shape`` (H, W, ...): what reaches one of its
    sides goes on beyond. ``body`` (33, 2 or 3) are landmarks in pixels of the whole picture.
    """
    body, height = body[:, :2] - box[:2], shape[0]
    small, plate = reduced(source, STEP), reduced(with_seen, STEP)
    behind = cv2.cvtColor(plate, cv2.COLOR_RGBA2RGB)
    whole = _every_other(gone, small.shape)
    inside = np.asarray(cv2.erode(whole, MARGIN), np.uint8)
    hair = np.zeros_like(inside)
    add_hair(hair, body / STEP, LEARNING_GROWTH)
    alpha = cv2.extractChannel(plate, 3)
    lifted = cv2.addWeighted(alpha, 1, hair, (SEEN_LEVEL - PLAIN_LEVEL) / 255, 0)
    rows = max(1, round(float(np.nanmax(body[HIPS, 1], initial=0)) / STEP))
    differs, faint = _differences(small, behind, rows)
    differs = cv2.min(differs, cv2.threshold(lifted, SEEN_LEVEL, 255, cv2.THRESH_BINARY)[1])
    strands = np.zeros_like(inside)
    strands[:rows] = _strands(cv2.min(faint, cv2.threshold(alpha[:rows], PLAIN_LEVEL, 255, cv2.THRESH_BINARY)[1]))
    reach = min(REACH_PIXELS_MAX, round(REACH * height / STEP))
    beside = cv2.min(cv2.bitwise_and(cv2.max(differs, strands), cv2.bitwise_not(inside)), _grown(inside, reach))
    blurred, held = _clear_hands(beside, body, small, behind, whole, cv2.min(differs, inside))
    x, y, w, h = cv2.boundingRect(beside)
    if w == 0:
        return gone
    here = np.s_[y : y + h, x : x + w]
    # Beside a head, what looks like a shadow is hair.
    shaded = shade(small[here], behind[here], cv2.subtract(beside[here], hair[here]))
    pieces = cv2.bitwise_and(beside[here], cv2.bitwise_not(shaded))
    removed = np.asarray(cv2.min(differs, inside), np.uint8)
    own = counted_within(small, removed)
    usual = own > OWN_SHARE_MIN * cv2.countNonZero(removed)
    found = np.zeros_like(inside)
    thin = np.ascontiguousarray(strands[here])
    near = np.asarray(cv2.max(_grown(inside, 1), cv2.min(_grown(whole, 1), blurred))[here], np.uint8)
    within = _grown(inside, reach - 1)[here]
    found[here] = _belonging(pieces, thin, blurred[here], near, within, small[here], usual)
    _leave_cut_off(found, whole, box, shape)
    if not cv2.countNonZero(found):
        return gone
    wide = cv2.subtract(cv2.dilate(found, MARGIN), held)
    large = cv2.resize(wide, (STEP * wide.shape[1], STEP * wide.shape[0]), interpolation=cv2.INTER_NEAREST)
    result = gone.copy()
    corner = result[: large.shape[0], : large.shape[1]]
    cv2.max(corner, large, dst=corner)
    return result


def _leave_cut_off(found: Matte, gone: Matte, box: PixelBox, shape: tuple[int, ...]) -> None:
    """Clear, in place, the pieces of ``found`` (h, w) beside ``gone`` (h, w) that reach a side of the ``box``.

    The sides of the whole picture, of ``shape`` (H, W, ...), do not count.
    """
    outside = cv2.subtract(found, gone)
    x0, y0, x1, y1 = box
    sides = (np.s_[:, :1], x0 > 0), (np.s_[:1], y0 > 0), (np.s_[:, -1:], x1 < shape[1]), (np.s_[-1:], y1 < shape[0])
    ends = [end for end, is_cut in sides if is_cut]
    if not any(cv2.countNonZero(outside[end]) for end in ends):
        return
    count, labels = cv2.connectedComponents(outside, ltype=cv2.CV_16U)
    label, going_on = np.asarray(labels, np.uint16), np.zeros(count, np.bool_)
    for end in ends:
        going_on[label[end]] = True
    going_on[0] = False
    found[going_on.take(label)] = 0


def _every_other(mask: Matte, shape: tuple[int, ...]) -> Matte:
    """``mask`` with one pixel for ``STEP`` x ``STEP``, as ``shape`` (h, w, ...) has them."""
    return np.ascontiguousarray(mask[: STEP * shape[0] : STEP, : STEP * shape[1] : STEP])


def unlike(image: Image, plate: Image) -> Matte:
    """(h, w) 0 or 255: where ``image`` shows what the ``plate`` shows nowhere about that place."""
    return _differences(image, plate, rows=1)[0]


def _differences(image: Image, plate: Image, rows: int) -> tuple[Matte, Matte]:
    """As ``unlike``, and the first ``rows`` of it with fainter differences too, where the plate is even."""
    lightest, darkest = cv2.dilate(plate, AROUND), cv2.erode(plate, AROUND)
    beyond = cv2.max(cv2.subtract(image, lightest), cv2.subtract(darkest, image))
    result = _any_channel(beyond, UNLIKE_MIN)
    faint = _any_channel(cv2.subtract(beyond[:rows], cv2.subtract(lightest[:rows], darkest[:rows])), FAINT_MIN)
    return result, np.asarray(cv2.max(result[:rows], faint), np.uint8)


def _any_channel(difference: MatLike, least: int) -> Matte:
    """(h, w) 0 or 255: where ``difference`` (h, w, 3) is more than ``least`` in some channel."""
    differs = cv2.threshold(difference, least, 255, cv2.THRESH_BINARY)[1]
    # Grey is no colour's 0 where a channel is 255: OpenCV mixes channels several times faster than it splits them.
    return np.asarray(cv2.threshold(cv2.cvtColor(differs, cv2.COLOR_RGB2GRAY), 0, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _strands(faint: MatLike) -> MatLike:
    """(h, w) 0 or 255: what of ``faint`` (h, w) is thin and alone: single hairs."""
    dense = cv2.threshold(cv2.blur(faint, STRAND_AROUND), DENSE_MIN, 255, cv2.THRESH_BINARY)[1]
    return cv2.subtract(faint, cv2.max(cv2.morphologyEx(faint, cv2.MORPH_OPEN, SHADE_SIDE), dense))


def shade(image: Image, plate: Image, within: MatLike) -> Matte:
    """(h, w) 0 or 255: where ``image`` is the ``plate``, only darker, in thick pieces of the mask ``within``."""
    light, below, shaded = (
        cv2.cvtColor(x, cv2.COLOR_RGB2YCrCb) for x in (image, plate, cv2.convertScaleAbs(plate, alpha=SHADE))
    )
    same = (cv2.inRange(cv2.absdiff(light, x), (0, 0, 0), (255, SHADE_HUE_MAX, SHADE_HUE_MAX)) for x in (below, shaded))
    darker = cv2.max(*same)
    lightness, lit = cv2.extractChannel(light, 0), cv2.extractChannel(below, 0)
    least = cv2.convertScaleAbs(lit, alpha=SHADE_MIN)
    between = cv2.min(cv2.compare(lightness, least, cv2.CMP_GE), cv2.compare(lightness, lit, cv2.CMP_LT))
    found = cv2.min(cv2.min(darker, between), within)
    return np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, SHADE_SIDE), np.uint8)


def _clear_hands(
    beside: MatLike, body: NDArray[np.floating], image: Image, plate: Image, gone: Matte, removed: MatLike
) -> tuple[Matte, Matte]:
    """Clear ``beside`` in place about the hands of ``body`` (33, 2), but for skin blended with the background.

    All others are (h, w) or (h, w, 3), one pixel for ``STEP`` x ``STEP``. ``removed`` is what of the mask ``gone`` is
    known to be the person. The answers, 0 or 255 each, are that skin, of a hand that moved while the frame was exposed,
    and what else is before the background there.
    """
    blurred, held = np.zeros_like(gone), np.zeros_like(gone)
    if not np.isfinite(body).all():
        return blurred, held
    unit, ends = shoulder_width(body) / STEP, np.clip(body[list(HANDS)] / STEP, -LINE_END_MAX, LINE_END_MAX)
    hands = _discs(beside, ends, HAND_REACH * unit)
    around = np.asarray(cv2.subtract(cv2.min(beside, hands), gone), np.bool_)
    palms = _discs(beside, (ends[:2] + ends[2:]) / 2, PALM_REACH * unit)
    skin = image[np.asarray(cv2.min(removed, palms), np.bool_)]
    if len(skin) and around.any():
        blurred[around] = skin_blends(image[around], plate[around], skin) * np.uint8(255)
    held[around & (blurred == 0)] = 255
    beside[hands > 0] = blurred[hands > 0]
    return blurred, held


def _discs(like: MatLike, centres: NDArray[np.floating], radius: float) -> Matte:
    """(h, w) as ``like``: 255 up to ``radius`` px from one of the ``centres`` (N, 2), else 0."""
    result = np.zeros(like.shape, np.uint8)
    for x, y in centres.astype(int).tolist():
        cv2.circle(result, (x, y), max(1, round(radius)), 255, -1)
    return result


def _grown(mask: MatLike, pixels: int) -> Matte:
    """``mask`` (h, w) grown by a square."""
    return np.asarray(cv2.dilate(mask, np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)), np.uint8)


def _belonging(
    pieces: MatLike, thin: Matte, blurred: Matte, beside: Matte, within: Matte, image: Image, own: Colours
) -> Matte:
    """(h, w) 0 or 255: those ``pieces`` that are ``beside`` the mask, end ``within`` reach and have ``own`` colours.

    What is ``thin`` goes on beyond small gaps. It may have any colour, as what is ``blurred``: it is blended with the
    background.
    """
    linked = cv2.max(pieces, cv2.dilate(cv2.min(pieces, thin), STRAND_GAP))
    count, labels = cv2.connectedComponents(linked, ltype=cv2.CV_16U)
    places, blends = np.flatnonzero(pieces), cv2.max(thin, blurred).ravel()
    label = np.asarray(labels, np.uint16).ravel().take(places)
    touches, outer, mine = (
        np.bincount(label[np.asarray(which)], minlength=count)
        for which in (
            beside.ravel().take(places) > 0,
            within.ravel().take(places) == 0,
            own.take(colour_codes(image.reshape(-1, 3)[places])) | (blends.take(places) > 0),
        )
    )
    size = np.bincount(label, minlength=count)
    kept = (touches > 0) & (outer <= OUTER_SHARE_MAX * size) & (mine > OWN_PIECE_MIN * size)
    result = np.zeros(pieces.shape, np.uint8)
    result.ravel()[places] = kept.take(label) * np.uint8(255)
    return result

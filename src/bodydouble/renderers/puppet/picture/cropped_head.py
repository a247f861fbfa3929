"""Completes a head that the picture's upper edge or sides cut off: the rest of its outline, and hair in it."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.compositing.light import lab_of
from bodydouble.renderers.puppet.motion.expression import smoothstep
from bodydouble.renderers.puppet.motion.head import OVAL, Head
from bodydouble.renderers.puppet.picture.anatomy import Anatomy
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.head_region import head_region
from bodydouble.renderers.puppet.picture.margins import BORDER, CUT_OFF, Margins
from bodydouble.renderers.puppet.picture.regions import softened

Array = NDArray[np.float64]

DIRECTIONS = 180
"""Directions around the middle of the face in which the outline's radius is known."""
ANGLES = ((np.arange(DIRECTIONS) + 0.5) / DIRECTIONS - 0.5) * 2 * np.pi
"""Radians of each direction: clockwise, 0 is the head's own up."""
USUAL_UP, USUAL_BESIDE = 1.6, 0.62
"""Half axes of the usual outline of a head with its hair: upwards in head sizes, as ``CROWN`` of the rest skeleton, and
to the sides in face widths, chosen by eye."""
TALLER = 1.15
"""Height over width of the ellipse that continues a head's outline. Chosen by eye, like the weights."""
MIRRORED_WEIGHT, USUAL_WEIGHT, NEAR = 0.3, 0.03, 20.0
"""Weights of the other side's outline and of the usual one beside the outline that is seen, in the fit of that ellipse;
and directions (40°) from the part that is cut off within which they count, one standard deviation."""
FORGOTTEN = 20.0
"""Directions from the seen outline over which the continued one goes over into the ellipse."""
HAIR_ALIKE, LIGHTNESS_WEIGHT = 12.0, 0.5
"""CIELAB distance from the colour at the picture's edge up to which what lies inside is the same hair, and the weight
of lightness in it: locks shine."""
HAIR_DEPTH = 0.7
"""Share of that hair that is mirrored: its end goes over into skin."""
FOREHEAD = 0.3
"""Share of the face above its middle that is forehead, and is mirrored where the edge cuts it; a cheek is not."""
HAIR_SIGMA = 3.0
"""Directions, or pixels, over which the hair's depth and colours are smoothed."""
DRAWN_OUT_MAX = 8.0
"""How far what is mirrored may be drawn out straight above a head; beside it, not at all."""
INSIDE = 2
"""Pixels inside the picture at which mirroring begins: its very border is often spoiled."""
RIM_SIGMA, ROOM = 1.0, 3
"""Standard deviation in pixels of the completed outline's rim, and what is left free for it."""
TINY = 1e-6
"""Lengths in pixels below it count as zero."""


@dataclass(frozen=True, kw_only=True)
class HeadOutline:
    """A head's outline in polar coordinates about the middle of the face."""

    up: Array  # (2,) unit vector, the head's own
    radii: Array  # (DIRECTIONS,) px
    hair: Array  # (DIRECTIONS,) px inside the picture's edge that may be mirrored at it
    cut: NDArray[np.bool_]  # (DIRECTIONS,) where the picture ends before the head does

    def inside(self, away: Array) -> Mask:
        """(...) which vectors ``away`` (..., 2) px from the centre end inside; below it hair hangs straight down."""
        across, above = away @ _right_of(self.up), away @ self.up
        beside = np.interp(np.sign(across) * np.pi / 2, ANGLES, self.radii)
        radius = np.interp(np.arctan2(across, above), ANGLES, self.radii, period=2 * np.pi)
        return np.asarray(np.where(above > 0, np.hypot(across, above) < radius, np.abs(across) < beside), np.bool_)

    def beyond(self, centre: Array, width: int) -> Margins:
        """How far it exceeds a picture that is ``width`` px wide and has it at ``centre`` (2,)."""
        places = (centre + _ways(self.up) * self.radii[:, None])[self.cut]
        (left, top), right = places.min(0), places[:, 0].max() - (width - 1)
        more = [int(np.ceil(lack)) + ROOM if lack > 0 else 0 for lack in (-left, -top, right)]
        return Margins(left=more[0], top=more[1], right=more[2])


def head_outline(anatomy: Anatomy, cutout: Cutout) -> HeadOutline | None:
    """The outline of the head in ``cutout``, guessed where the picture cuts it off.

    None where the picture shows no face, or cuts nothing off above its middle.
    """
    if anatomy.face is None:
        return None
    head = anatomy.head
    up = -head.rotation[:2, 1] / max(float(np.linalg.norm(head.rotation[:2, 1])), TINY)
    rows, columns = np.nonzero(head_region(anatomy, cutout.alpha))
    away = np.stack([columns, rows], 1) - head.centre
    angle = _angles(away, up)
    number = ((angle / (2 * np.pi) + 0.5) * DIRECTIONS).astype(np.intp) % DIRECTIONS
    seen, cut = np.zeros(DIRECTIONS), np.zeros(DIRECTIONS, np.bool_)
    np.maximum.at(seen, number, np.linalg.norm(away, axis=1))
    at_edge = (rows < BORDER) | (columns < BORDER) | (columns >= cutout.alpha.shape[1] - BORDER)
    cut[number[at_edge & (away @ up > 0)]] = True
    if not cut.any():
        return None
    guess = _continued(seen, (seen > 0) & ~cut, cut, head)
    upwards = np.maximum(np.cos(ANGLES), 0) ** 2
    beyond_face = np.maximum(seen - _face_radii(anatomy.face, head.centre, up) * (1 - FOREHEAD * upwards), 0)
    hair = np.minimum(_hair_depth(cutout.colour, head.centre, up, seen), beyond_face)
    most = seen + hair * (1 + (DRAWN_OUT_MAX - 1) * upwards**2)
    radii = np.where(cut, np.clip(guess, seen, most), seen)
    return HeadOutline(up=up, radii=radii, hair=hair, cut=cut)


def with_whole_head(cutout: Cutout, anatomy: Anatomy, outline: HeadOutline, margins: Margins) -> Cutout:
    """``cutout``, which has ``margins`` already, with what is missing of the head in them.

    ``anatomy`` is that of the widened picture. Along each ray from the middle of the face, hair goes on as in a mirror
    at the picture's edge.
    """
    head = head_region(anatomy, cutout.alpha) > 0
    height, width = head.shape
    own = np.s_[margins.top :, margins.left : width - margins.right]
    low = np.array([margins.left, margins.top]) + INSIDE
    high = np.array([width - margins.right, height]) - 1 - INSIDE
    rows, columns = np.mgrid[0:height, 0:width]
    centre = anatomy.head.centre
    away = np.stack([columns, rows], -1) - centre
    missing = outline.inside(away)
    missing[own] = False
    away = away[missing]
    # Where the way from the face to each pixel leaves the picture.
    share = (np.where(away > 0, high - centre, centre - low) / np.maximum(np.abs(away), TINY)).min(1)
    edge = np.round(centre + away * share[:, None]).astype(int)
    attached = head[edge[:, 1], edge[:, 0]]
    missing[missing] = attached
    away, share = away[attached], share[attached]
    length, angle = np.linalg.norm(away, axis=1), _angles(away, outline.up)
    radius, hair = (np.interp(angle, ANGLES, values, period=2 * np.pi) for values in (outline.radii, outline.hair))
    beyond = length * (1 - share)
    inwards = beyond * np.minimum(hair / np.maximum(radius - length * share, TINY), 1)
    source = np.zeros((height, width, 2), np.float32)
    source[missing] = centre + away * (share - inwards / np.maximum(length, TINY))[:, None]
    one_map: Any = None  # both coordinates are in ``source``
    mirrored = cv2.remap(cutout.colour, source, one_map, cv2.INTER_LINEAR)
    alpha = softened(missing | (cutout.alpha > CUT_OFF), RIM_SIGMA)
    alpha[own] = 0
    return replace(
        cutout,
        alpha=np.maximum(cutout.alpha, alpha),
        colour=np.where(missing[..., None], mirrored, cutout.colour).astype(np.float32),
    )


def _right_of(up: Array) -> Array:
    """(2,) the unit vector to the right in the image where ``up`` (2,) points up."""
    return np.array([-up[1], up[0]])


def _ways(up: Array) -> Array:
    """(DIRECTIONS, 2) unit vectors in all ``ANGLES`` from ``up`` (2,)."""
    return np.cos(ANGLES)[:, None] * up + np.sin(ANGLES)[:, None] * _right_of(up)


def _angles(away: Array, up: Array) -> Array:
    """(...) radians clockwise from ``up`` (2,) of the vectors ``away`` (..., 2), as in ``ANGLES``."""
    return np.asarray(np.arctan2(away @ _right_of(up), away @ up), np.float64)


def _face_radii(face: Array, centre: Array, up: Array) -> Array:
    """(DIRECTIONS,) px from ``centre`` (2,) to the outline of ``face`` (478, 3)."""
    away = face[list(OVAL), :2] - centre
    angle = _angles(away, up)
    order = np.argsort(angle, kind="stable")
    return np.interp(ANGLES, angle[order], np.linalg.norm(away, axis=1)[order], period=2 * np.pi)


def _continued(seen: Array, known: NDArray[np.bool_], cut: NDArray[np.bool_], head: Head) -> Array:
    """(DIRECTIONS,) px: the outline ``seen``, where it is ``known``, continued where it is ``cut``.

    An ellipse is laid through what is known near by, its reflection and, weakly, the usual outline. The head's own
    axes are upright.
    """
    upper = np.abs(ANGLES) < np.pi / 2
    known, every = known & upper, np.arange(DIRECTIONS)
    usual = 1 / np.hypot(np.cos(ANGLES) / (USUAL_UP * head.size), np.sin(ANGLES) / (USUAL_BESIDE * head.width))
    away = np.abs(every[:, None] - np.flatnonzero(cut)).min(1)
    near = np.exp(-0.5 * (away / NEAR) ** 2)
    radii = np.concatenate([seen, seen[::-1], usual])
    weight = np.concatenate(
        [near * known, MIRRORED_WEIGHT * near * (known[::-1] & ~known), USUAL_WEIGHT * upper * ~known]
    )
    angle = np.tile(ANGLES, 3)
    # A circle in coordinates in which the ellipse is one (Kåsa 1976): linear in its middle and radius.
    x, y = radii * np.sin(angle), radii * np.cos(angle) / TALLER
    design = np.stack([2 * x, 2 * y, np.ones_like(x)], 1) * weight[:, None]
    (u, v, rest), *_ = np.linalg.lstsq(design, (x * x + y * y) * weight, rcond=None)
    direction = np.stack([np.sin(ANGLES), np.cos(ANGLES) / TALLER], 1)
    square, along = (direction**2).sum(1), direction @ [u, v]
    ellipse = (along + np.sqrt(np.maximum(along**2 + square * rest, 0))) / square
    places = np.flatnonzero(known)
    if not len(places):
        return ellipse
    distance = np.abs(every[:, None] - places).min(1)
    off = np.interp(every, places, (seen - ellipse)[places])
    return ellipse + off * (1 - smoothstep(0, FORGOTTEN, distance))


def _hair_depth(colour: Floats, centre: Array, up: Array, seen: Array) -> Array:
    """(DIRECTIONS,) px from the outline ``seen`` (DIRECTIONS,) px away inwards that have the colour which is there."""
    steps = np.arange(max(int(seen.max()), 1))
    places = centre + _ways(up)[:, None] * np.maximum(seen[:, None] - INSIDE - steps, 0)[..., None]
    one_map: Any = None  # both coordinates are in ``places``
    smooth = cv2.GaussianBlur(colour, (0, 0), HAIR_SIGMA)
    along = cv2.remap(smooth, places.astype(np.float32), one_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lab = lab_of(np.asarray(along, np.float32))
    other = np.linalg.norm((lab - lab[:, :1]) * [LIGHTNESS_WEIGHT, 1, 1], axis=2) > HAIR_ALIKE
    depth = HAIR_DEPTH * np.where(other.any(1), np.argmax(other, 1), steps[-1])
    least = cv2.erode(depth[None], np.ones((1, 2 * round(HAIR_SIGMA) + 1)), borderType=cv2.BORDER_REPLICATE)
    return cv2.GaussianBlur(least, (0, 0), HAIR_SIGMA, borderType=cv2.BORDER_REPLICATE)[0]

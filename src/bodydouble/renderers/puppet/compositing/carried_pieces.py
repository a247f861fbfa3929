"""Pieces of one picture that the removed person's hands may carry, told from body, clothes and background."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, MaskImage
from bodydouble.renderers.puppet.compositing.carrier_view import REACH, View
from bodydouble.renderers.puppet.compositing.colours import LEVELS, Colours, counted
from bodydouble.renderers.puppet.compositing.occlusion import ARMS, FEET, HEAD, LEGS, PARTS, TRUNK
from bodydouble.renderers.puppet.discs import disc, distance_to
from bodydouble.renderers.puppet.painting import hull_mask

AT_HAND, ABOUT_HAND = 0.45, 0.6
"""Shoulder widths from the middle of a hand in which its thing begins, and in which its colours are counted."""
AWAY, AWAY_ARMS = 0.9, 0.5
"""Shoulder widths from the hands from which a part shows its own colours; arms, because forearms are never far away."""
SIDES = {TRUNK: 0.3, LEGS: 0.2, FEET: 0.2, ARMS: 0.2, HEAD: 0.25}
"""Shoulder widths by which each part is wider than its lines: cloth hangs loose, and landmarks err."""
LOOSE_CLOTH = 0.45
"""Shoulder widths by which clothes in a part's main colours stand off from it: skirts, open jackets."""
OFTENER = 4.0
"""How much more often a thing's colour is seen about the hands than at the part that it is before."""
RARE = 0.004
"""Share of a part below which a colour is not the part's."""
MAIN_SHARE, MAIN_OFTEN = 0.1, 0.5
"""Share of a part, in this share of the samples, from which a colour is the part's wherever the hands are."""
PART_PIXELS_MIN = 30
"""Pixels of a part from which its colours are counted."""
SIZE_MIN = 0.11
"""Square root of the smallest area of a piece, in shoulder widths."""
LENGTH_MIN = 0.28
"""Shoulder widths that a thing extends from the middle of each hand that has it: the hand itself ends before."""
LOOSE_REACH, OUT_MIN = 1.5, 0.15
"""Shoulder widths from a hand in which a piece begins that the person's own clothes part from it, and that it extends
beyond their rim."""
AIM, LONG_MIN = 0.3, 1.6
"""Shoulder widths by which the axis of such a piece may miss the middle of the hand; its length over its width from
which it has an axis."""
WRONG_MIN = 2.5
"""Squared shoulder widths about the hands, beside the person, that differ from a wrong plate. Measured: up to 1.8 with
bars and rackets, 3.4 to 13 where the camera's path is missed before an audience."""
ALONE, CROWD_MAX = 0.25, 0.3
"""Shoulder widths about a piece, and largest share of them that may differ from the plate too."""
WITHIN_MIN, MOSTLY = 0.8, 0.5
"""Share of a piece in the person, or in the head's place, from which it is within; share in the person from which what
is within the head's place is face or hair. Measured: up to 0.61 of a microphone is in that place, all of a profile."""
FOOT_REACH = 0.45
"""Shoulder widths about the feet's place in which a shoe with all that is under it ends. Chosen by eye on a skater who
holds her foot above the head."""
SOLID_MIN = 0.8
"""Share of the inside of an outline that differs from the plate too, from which it is that of one solid thing."""
AREA_MAX = 1.2
"""Squared shoulder widths that such a thing has at most. A tennis racket has half."""
SPREAD = 0.12
"""Shoulder widths about a thing's own colours in which others are its: strings, print, a blurred edge."""
SHAFT_END, SHAFT_HALF = 0.1, 0.05
"""Shoulder widths: length of the near end of such a piece, and half the width of its shaft in the hand."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """The colours of each part of the person."""

    own: NDArray[np.bool_]  # (PARTS, LEVELS ** 3) away from the hands
    main: NDArray[np.bool_]  # (PARTS, LEVELS ** 3) wherever the hands are

    @classmethod
    def of(cls, views: list[View]) -> "Looks":
        """The colours that each part has away from the hands, and those that it mainly has."""
        free, whole = (np.full((PARTS, len(views), LEVELS**3), np.nan, np.float32) for _ in range(2))
        about = np.zeros(LEVELS**3)
        for k, view in enumerate(views):
            nearest = view.nearest
            for part in SIDES:
                here = view.person & (view.parts == part)
                away = here & (nearest > (AWAY_ARMS if part == ARMS else AWAY))
                for rows, mask in ((free, away), (whole, here)):
                    codes = view.codes[mask]
                    if len(codes) >= PART_PIXELS_MIN:
                        rows[part, k] = counted(codes) / len(codes)
            codes = view.codes[view.front & (nearest < ABOUT_HAND) & ~view.forearms]
            about += counted(codes) / max(len(codes), 1)
        least = np.maximum(RARE, about / len(views) / OFTENER)
        own, main = np.zeros((2, PARTS, LEVELS**3), np.bool_)
        for part in SIDES:
            seen = free[part][np.isfinite(free[part, :, 0])]
            own[part] = np.median(seen, axis=0) >= least if len(seen) else False
            seen = whole[part][np.isfinite(whole[part, :, 0])]
            main[part] = (seen > MAIN_SHARE).mean(0) >= MAIN_OFTEN if len(seen) and part in (TRUNK, LEGS) else False
        return cls(own=own, main=main)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Something that may be carried, (h, w) 0 or 1, and the hands at which it is: 0, 1 or both."""

    mask: MaskImage
    hands: tuple[int, ...]


def pieces(view: View, looks: Looks, colours: Colours | None) -> list[Piece]:
    """What hands may carry; of the known ``colours``, if any are. Nothing where the plate is wrong all about."""
    if np.count_nonzero(view.front & ~view.rim) > WRONG_MIN * view.unit**2:
        return []
    foreign = _foreign(view, looks)
    # The person's rim differs from the plate too: there only the thing's own colours join pieces, but at the hand.
    rim = view.rim & ~view.person & (view.nearest > AT_HAND)
    near = np.ones_like(rim)
    if colours is not None:
        like = (foreign > 0) & colours.take(view.codes)
        near = distance_to(like) <= SPREAD * view.unit
        rim &= ~like
    count, labels, stats, _ = cv2.connectedComponentsWithStats(foreign * (~rim).view(np.uint8))
    least = (SIZE_MIN * view.unit) ** 2
    found = [labels == label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= least]
    return [piece for here in found if (piece := _piece(view, looks, here, near)) is not None]


def _piece(view: View, looks: Looks, here: NDArray[np.bool_], near: NDArray[np.bool_]) -> Piece | None:
    """The part of a component ``here`` (h, w) that is ``near`` (h, w) the thing's colours, if it is carried.

    In other light what sticks out at the hand may have none of them.
    """
    if _is_of_head(view, here) or _is_of_foot(view, here) or not stands_alone(view, here) or _is_cut_off(view, here):
        return None
    hands = tuple(side for side in range(2) if view.away[side][here].min() < AT_HAND)
    if np.count_nonzero(here & near) >= (SIZE_MIN * view.unit) ** 2:
        here = here & near
    elif not hands or not _is_out(view, here):
        return None
    if hands:
        length = min(float(view.away[side][here].max()) for side in hands)
        return Piece(mask=here.view(np.uint8), hands=hands) if length > LENGTH_MIN else None
    side = int(np.argmin([away[here].min() for away in view.away]))
    if view.away[side][here].min() > LOOSE_REACH or not _is_out(view, here) or not _is_aimed(view, here, side):
        return None
    shaft = _shaft(view, here, side) > 0
    if (view.parts[shaft] == HEAD).any():
        return None
    shaft &= ~(view.person & looks.own[ARMS].take(view.codes))
    return Piece(mask=(here | shaft).view(np.uint8), hands=(side,))


def _foreign(view: View, looks: Looks) -> MaskImage:
    """(h, w) 0 or 1: what is before the background and lacks the colours of the parts about it."""
    mine = view.person & looks.own[ARMS].take(view.codes)  # landmarks of arms err most
    for part, side in SIDES.items():
        mine |= (view.beside[part] <= side) & looks.own[part].take(view.codes)
    foreign = view.front & ~mine & ~clothes(view, looks) & ~view.forearms & (view.nearest < REACH)
    inside = cv2.morphologyEx((foreign & view.person).view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outside = (foreign & ~view.person).view(np.uint8)
    return np.asarray(cv2.morphologyEx(cv2.max(inside, outside), cv2.MORPH_CLOSE, disc(2, 1)), np.uint8)


def clothes(view: View, looks: Looks) -> NDArray[np.bool_]:
    """(h, w) what has the main colours of clothes about it."""
    found = np.zeros(view.person.shape, np.bool_)
    for part in (TRUNK, LEGS):
        if looks.main[part].any():
            found |= (view.beside[part] <= LOOSE_CLOTH) & looks.main[part].take(view.codes)
    return found


def _is_out(view: View, piece: NDArray[np.bool_]) -> bool:
    """Whether a ``piece`` (h, w) sticks out of the person."""
    touching = cv2.dilate(piece.view(np.uint8), disc(2, 1)) > 0
    return bool((touching & view.rim).any() and distance_to(view.rim)[piece].max() >= OUT_MIN * view.unit)


def stands_alone(view: View, piece: NDArray[np.bool_]) -> bool:
    """Whether little else about a ``piece`` (h, w) differs from the plate, or it is part of one solid thing that does.

    Else the plate's texture is misplaced there.
    """
    outside = view.front & ~view.rim
    about = (distance_to(piece) <= ALONE * view.unit) & ~piece & ~view.rim
    if not about.any() or float(outside[about].mean()) < CROWD_MAX:
        return True
    labels = np.asarray(cv2.connectedComponents(outside.view(np.uint8))[1], np.int32)
    whole = np.isin(labels, np.unique(labels[piece & outside])) & outside
    outlines, _ = cv2.findContours((piece | whole).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(piece.shape, np.uint8), list(outlines), -1, 1, -1) > 0
    area, solid = np.count_nonzero(whole), np.count_nonzero(filled & ~view.rim)
    others = float((outside & ~whole)[about].mean())
    return others < CROWD_MAX and bool(SOLID_MIN * solid < area < AREA_MAX * view.unit**2)


def _is_of_head(view: View, piece: NDArray[np.bool_]) -> bool:
    """Whether a ``piece`` (h, w) is face, hair or glasses: a raised hand is at them, and they turn into sight."""
    inside = float((view.parts == HEAD)[piece].mean()) > WITHIN_MIN
    return inside and float(view.person[piece].mean()) > MOSTLY


def _is_of_foot(view: View, piece: NDArray[np.bool_]) -> bool:
    """Whether a ``piece`` (h, w) is a shoe, a skate or a sole at which a hand is."""
    return float((view.beside[FEET][piece] < FOOT_REACH).mean()) > WITHIN_MIN


def _is_cut_off(view: View, piece: NDArray[np.bool_]) -> bool:
    """Whether a ``piece`` (h, w) within the person goes on beyond the picture's edge, as trousers do."""
    ends = [piece[0], piece[-1], piece[:, 0], piece[:, -1]]
    return any(end.any() for end in ends) and float(view.person[piece].mean()) > WITHIN_MIN


def _is_aimed(view: View, piece: NDArray[np.bool_], side: int) -> bool:
    """Whether the axis of a ``piece`` (h, w) passes a hand, if it is long, as a racket is."""
    points = np.stack(np.nonzero(piece)[::-1], 1).astype(np.float64)
    centre = points.mean(0)
    spread, axes = np.linalg.eigh(np.cov((points - centre).T))
    if spread[1] < LONG_MIN**2 * spread[0]:
        return True
    return abs(float((np.array(middle(view.away[side])) - centre) @ axes[:, 0])) <= AIM * view.unit


def _shaft(view: View, piece: NDArray[np.bool_], side: int) -> MaskImage:
    """(h, w) 0 or 1: the way from a hand to the near end of a ``piece`` that clothes of its colour part from it."""
    away = view.away[side]
    near = np.nonzero(piece & (away < away[piece].min() + SHAFT_END))[::-1]
    x, y = middle(away)
    r = max(1, round(SHAFT_HALF * view.unit))
    grip = [[x - r, y], [x + r, y], [x, y - r], [x, y + r]]
    return hull_mask(np.concatenate([np.stack(near, 1), grip]), piece.shape)


def middle(away: Floats) -> list[int]:
    """x, y of the pixel where ``away`` (h, w) is least."""
    y, x = np.unravel_index(int(away.argmin()), away.shape)
    return [int(x), int(y)]

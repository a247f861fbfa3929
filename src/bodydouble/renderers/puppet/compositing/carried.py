"""Things in the removed person's hands: a racket, a dumbbell, a cup. They stay, and move with the character's hands.

The landmarks say where hands are. A carried thing is in front of the background, begins at a hand, and has colours that
the part of the body behind it lacks. What a part looks like is learned away from the hands; colours that fill much of
a part in most frames are the part's also where hands are always near, as at the sides of shorts.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, MaskImage, Matte, PixelBox
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.carried_pieces import SIDES, Looks, Piece, clothes, middle, pieces
from bodydouble.renderers.puppet.compositing.carrier_view import PERSON, REACH, Carrier, View
from bodydouble.renderers.puppet.compositing.colours import Colours, counted
from bodydouble.renderers.puppet.compositing.held import skin_blends
from bodydouble.renderers.puppet.compositing.left_over import PALM_REACH
from bodydouble.renderers.puppet.compositing.occlusion import ARMS, HEAD
from bodydouble.renderers.puppet.compositing.reduction import reduced
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.stored_plates import Plates
from bodydouble.renderers.puppet.discs import disc, distance_to
from bodydouble.renderers.puppet.painting import hull_mask

SIGHTINGS_MIN, OFTEN_MIN = 4, 0.5
"""Samples, and share of those with hands in sight, in which a thing is seen."""
LARGEST = 0.75
"""Squared shoulder widths of all pieces together up to which a sighting teaches: more is rather somebody at the hands.
Measured on twelve clips: up to 0.5 with rackets, bars, bags and microphones, now and then 1.4 with a barbell's discs;
1.1 (median) where the search for people misses a companion, whose pieces then look like things."""
COLOUR_OFTEN = 0.15
"""Share of the sightings from which a colour is the thing's."""
DISTINCT = 1.5
"""How much more often the thing has its colours than the background about the hands has: strings let that through."""
CRUMB_MAX = 0.2
"""Share of the thing's usual area. Smaller pieces that lie wholly within the person are not the thing."""
GROWN_REACH = 0.65
"""Shoulder widths from the middle of a hand in which the thing is completed by its colours alone."""
BESIDE_MIN, MOVES_MIN = 0.3, 0.5
"""Mean share of a thing that is beside the person and their rim, or shoulder widths that it moves over the body
(standard deviation): what does neither may be the pocket at which a hand rests, or the blurred edge of a sleeve."""
OTHERS_MAX = 0.3
"""Largest share of a piece that may be other people."""
BACKDROP_ABOUT, BACKDROP_SHARED = 0.25, 0.5
"""Shoulder widths about a piece, and the share of its colours that the background has there too, from which it is
background that the camera's path misplaces. Measured beside the person: 0.6 to 0.8 of grass and stones about a hiker,
up to 0.3 of a racket before a crowd."""
PALM_PIXELS_MIN, BLURRED_REACH = 4, 0.7
"""Pixels of a hand's skin from which it is known; shoulder widths from the middle of a hand in which a blurred one
is."""
BLURRED_MIN = 0.65
"""Share of a piece, beside the person, that is so near to a hand and a blend of its skin and the background, from
which the piece is a blurred hand. Measured: 0.7 to 1 of a skateboarder's hands, up to 0.6 of rackets and straps."""
SOFT_MARGIN = 4
"""Reduced pixels about a thing in which its soft edge ends."""
HALF = 0.5
"""Alpha (0-1) from which a pixel is rather the thing's."""


@dataclass(frozen=True, kw_only=True)
class CarriedPiece:
    """What one hand carries, or both together, in a ``box`` of the frame."""

    box: PixelBox
    alpha: Floats  # (h, w) 0-1
    hands: tuple[int, ...]  # 0, 1 or both

    def is_somebody(self, others: Matte) -> bool:
        """Whether it is rather a part of other people, by their mask ``others`` 0-255 of what ``box`` is in."""
        x0, y0, x1, y1 = self.box
        return _is_somebody(self.alpha > HALF, others[y0:y1, x0:x1])


@dataclass(frozen=True, kw_only=True)
class Carried:
    """How the person looks, the thing's colours (LEVELS ** 3,), and its usual area in squared shoulder widths."""

    looks: Looks
    colours: Colours
    area: float

    def find(
        self, image: Image, with_seen: NDArray[np.uint8], matte: Matte, who: Carrier, rows: int
    ) -> list[CarriedPiece]:
        """What ``who`` carries in a crop of a frame of ``rows`` lines; boxes are in the crop.

        ``image`` (h, w, 3) and ``matte`` (h, w) are cut to it, and ``who`` is in pixels from its corner. ``with_seen``
        (h, w, 4) is the background, from ``Plates``.
        """
        box = who.reach(*matte.shape)
        if box is None:
            return []
        x0, y0, x1, y1 = box
        view = View.of(image, with_seen[y0:y1, x0:x1], matte, who, box, rows)
        return [_full_size(view, box, mask, hands) for hands, mask in self._found(view).items()]

    def _found(self, view: View) -> dict[tuple[int, ...], MaskImage]:
        """Hands → (h, w) 0 or 1 of what they carry, whole, without crumbs that the person is all around."""
        crumb = CRUMB_MAX * self.area * view.unit**2
        found: dict[tuple[int, ...], MaskImage] = {}
        for piece in pieces(view, self.looks, self.colours):
            if not view.person[piece.mask > 0].all() or np.count_nonzero(piece.mask) > crumb:
                whole = self._whole(view, piece)
                found[piece.hands] = np.maximum(found.get(piece.hands, whole), whole)
        return found

    def _whole(self, view: View, piece: Piece) -> MaskImage:
        """(h, w) 0 or 1: ``piece`` with what has the thing's colours at it, or between it and its hands.

        Neither the head nor skin is taken, and the main colours of clothes only between.
        """
        like = view.front & self.colours.take(view.codes) & ~self.looks.own[ARMS].take(view.codes)
        like &= view.beside[HEAD] > SIDES[HEAD]
        points, grips = np.stack(np.nonzero(piece.mask)[::-1], 1), [middle(view.away[side]) for side in piece.hands]
        between = hull_mask(np.concatenate([points, grips]), piece.mask.shape)
        mask = piece.mask | (between & like.view(np.uint8))
        free = like & ~clothes(view, self.looks)
        _, labels = cv2.connectedComponents(mask | (free & (view.nearest < GROWN_REACH)).view(np.uint8))
        whole = np.isin(labels, np.unique(labels[mask > 0])).view(np.uint8)
        return np.asarray(cv2.morphologyEx(whole, cv2.MORPH_CLOSE, disc(2, 1)), np.uint8)


def _full_size(view: View, box: PixelBox, mask: MaskImage, hands: tuple[int, ...]) -> CarriedPiece:
    """What is in ``mask`` (h, w), 0 or 1, of a ``view`` of ``box``, in pixels of the frame."""
    (height, width), step = mask.shape, view.step
    x, y, w, h = cv2.boundingRect(mask)
    left, top = max(0, x - SOFT_MARGIN), max(0, y - SOFT_MARGIN)
    right, bottom = min(width, x + w + SOFT_MARGIN), min(height, y + h + SOFT_MARGIN)
    # The view leaves out the last pixels of its box that make no whole one.
    x1 = box[2] if right == width else box[0] + right * step
    y1 = box[3] if bottom == height else box[1] + bottom * step
    place = (box[0] + left * step, box[1] + top * step, x1, y1)
    alpha = _enlarged(mask[top:bottom, left:right], step, (place[3] - place[1], place[2] - place[0]))
    return CarriedPiece(box=place, alpha=alpha, hands=hands)


def _enlarged(mask: MaskImage, step: int, shape: tuple[int, ...]) -> Floats:
    """``mask`` (h, w) 0 or 1 as a soft one of ``shape``."""
    wide = cv2.dilate(mask, np.ones((3, 3), np.uint8)).astype(np.float32)
    large = cv2.resize(wide, (mask.shape[1] * step, mask.shape[0] * step), interpolation=cv2.INTER_LINEAR)
    rest = shape[0] - large.shape[0], shape[1] - large.shape[1]
    large = cv2.copyMakeBorder(large, 0, rest[0], 0, rest[1], cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), max(0.8, step / 2)), np.float32)


def learn_carried(
    samples: list[SampleFrame],
    plates: Plates,
    track: PersonTrack,
    bystanders: BystanderMasks | None = None,
    ball: Colours | None = None,
) -> Carried | None:
    """What is carried in many of the ``samples``; None if nothing is. A known ``ball`` (LEVELS ** 3,) is in play."""
    glances: list[tuple[View, SampleFrame, PixelBox]] = []
    passed = None if bystanders is None or not samples else bystanders.passed(len(samples[0].matte))
    for sample in samples:
        if passed is not None and passed[sample.index]:
            continue  # what is at the hands may be who passes
        who = Carrier.of(track.body[sample.index], track.hands[sample.index])
        box = who.reach(*sample.matte.shape)
        if box is not None:
            plate = plates.with_seen(sample.index, box)
            glances.append((View.of(sample.image, plate, sample.matte, who, box, len(sample.matte)), sample, box))
    views = [view for view, _, _ in glances]
    least = max(SIGHTINGS_MIN, OFTEN_MIN * len(views))
    if len(views) < least:
        return None
    looks = Looks.of(views)
    seen: list[tuple[View, NDArray[np.bool_]]] = []
    for k, (view, sample, box) in enumerate(glances):
        if len(seen) + len(glances) - k < least:
            return None
        masks = [piece.mask for piece in pieces(view, looks, None)]
        if sum(map(np.count_nonzero, masks)) > LARGEST * view.unit**2:
            continue
        found = [mask for mask in masks if not _is_other(view, mask > 0, ball)]
        others = bystanders.unknown(sample.index, sample.image) if found and bystanders is not None else None
        if others is not None:
            x0, y0, x1, y1 = box
            near = np.asarray(reduced(others[y0:y1, x0:x1], view.step), np.uint8)
            found = [mask for mask in found if not _is_somebody(mask > 0, near)]
        if found and _without_rim(view, mask := np.maximum.reduce(found) > 0).any():
            seen.append((view, mask))
    if len(seen) < least or not _is_thing(seen):
        return None
    sure = [(view, _without_rim(view, mask)) for view, mask in seen]
    shares = [counted(view.codes[mask]) / np.count_nonzero(mask) for view, mask in sure]
    behind = [view.behind[~view.front & (view.nearest < REACH)] for view in views]
    around = np.mean([counted(codes) / max(len(codes), 1) for codes in behind], axis=0)
    often = np.mean([share > 0 for share in shares], axis=0) >= COLOUR_OFTEN
    colours = often & (np.mean(shares, axis=0) > DISTINCT * around)
    area = float(np.median([np.count_nonzero(mask) / view.unit**2 for view, mask in seen]))
    return Carried(looks=looks, colours=colours if ball is None else colours & ~ball, area=area)


def _without_rim(view: View, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``mask`` (h, w) without the blurred rim of the person's clothes, which has their colours."""
    return mask & (view.person | ~view.rim)


def _is_other(view: View, mask: NDArray[np.bool_], ball: Colours | None) -> bool:
    """Whether ``mask`` (h, w) is the known ``ball``, misplaced background or a blurred hand."""
    return _is_ball(view, mask, ball) or _is_background(view, mask) or _is_blurred_hand(view, mask)


def _is_ball(view: View, mask: NDArray[np.bool_], ball: Colours | None) -> bool:
    """Whether most of ``mask`` (h, w) has colours of the known ``ball``."""
    return ball is not None and float(ball.take(view.codes[mask]).mean()) > HALF


def _is_background(view: View, mask: NDArray[np.bool_]) -> bool:
    """Whether what of ``mask`` (h, w) is beside the person has the colours of the background about it."""
    outside = mask & ~view.rim
    if not outside.any():
        return False
    about = distance_to(outside) <= BACKDROP_ABOUT * view.unit
    own, other = (counts / counts.sum() for counts in (counted(view.codes[outside]), counted(view.behind[about])))
    return float(np.minimum(own, other).sum()) > BACKDROP_SHARED


def _is_blurred_hand(view: View, mask: NDArray[np.bool_]) -> bool:
    """Whether what of ``mask`` (h, w) is beside the person is a hand that moved while the frame was exposed."""
    outside = mask & ~view.rim
    skin = view.image[view.person & (view.nearest < PALM_REACH) & ~mask]
    if len(skin) < PALM_PIXELS_MIN or not outside.any():
        return False
    near = outside & (view.nearest < BLURRED_REACH)
    blurred = int(np.count_nonzero(skin_blends(view.image[near], view.plate[near], skin)))
    return blurred > BLURRED_MIN * int(np.count_nonzero(outside))


def _is_thing(seen: list[tuple[View, NDArray[np.bool_]]]) -> bool:
    """Whether what is seen in views, with masks (h, w), is no part of the person's clothes at which a hand rests.

    It is where the person is not, or moves over the body.
    """
    if np.mean([1 - view.rim[mask].mean() for view, mask in seen]) > BESIDE_MIN:
        return True
    places = [(np.stack(np.nonzero(mask)[::-1]).mean(1) - view.hips) / view.unit for view, mask in seen]
    return bool(np.sqrt(np.var(places, axis=0).sum()) > MOVES_MIN)


def _is_somebody(mask: NDArray[np.bool_], others: Matte) -> bool:
    """Whether much of ``mask`` (h, w) is in the mask ``others`` (h, w) 0-255 of other people."""
    return bool(np.mean(others[mask] > PERSON) > OTHERS_MAX)

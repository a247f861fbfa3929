"""The other people in a video: they are no background, and nothing may be painted over them.

The track knows bystanders only as boxes that are refreshed once a second, and misses many. Their pixels come from the
selfie network, which sees everybody, less the replaced person.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Matte, PixelBox
from bodydouble.perception.landmark_indices import KNEES
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.selfie import SelfieNet
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.tracking import torso_length
from bodydouble.perception.trunk import HIPS, LEGS_HIDDEN_MAX, SHOULDERS, legs_hidden
from bodydouble.renderers.puppet.compositing.left_over import SEEN_LEVEL
from bodydouble.renderers.puppet.compositing.reclaiming import reclaimed
from bodydouble.renderers.puppet.compositing.reduction import largest_channel
from bodydouble.renderers.puppet.compositing.removal import add_feet
from bodydouble.renderers.puppet.discs import disc

Flags = NDArray[np.bool_]

DISC_RADIUS_MIN = 1
"""Smallest radius in pixels of a disc that widens or narrows a mask."""
STALE_FRAMES = 24
"""Frames around a sighting in which a bystander is expected: ``perception.tracking`` looks again after as many."""
PLACE_MARGIN = 0.4
"""Share of the longer side of a bystander's box by which the place is wider in which they are expected: they move.
Elsewhere the network takes rocks, cushions and the replaced person's wide trousers for people."""
SIGHT_FRAMES = 2
"""Frames before and after one: the median of all of them tells down to which row the person is in sight."""
HIDDEN_FRAMES_MIN, HIDDEN_WINDOW = 8, 16
"""Frames with hidden legs, among so many in a row, from which somebody may stand before them: in fewer the landmarks
err. Measured: 2 of a dancer in wide trousers, 10 of somebody behind a passer-by, in runs of 4 and less."""
TILE_STEP = 0.25
"""Share of a tile's side between two tiles. The network was trained on squares around one person: in a wide frame it
sees nobody who is small, in squares as high as the frame it does (measured on a shop's camera, 480 x 270)."""
AROUND = 1.3
"""Side of the square that is looked at while drawing, over the longer side of what changes in the frame."""
PERSON_LEVEL = 110
"""Level (0-255) of the selfie network's mask, and of the replaced person's matte, from which a pixel is somebody's."""
UNKNOWN_LEVEL = 60
"""As ``PERSON_LEVEL``, where background is learned: a doubtful pixel is no background."""
RIM = 0.02
"""Picture heights. By as much a learning mask exceeds the network's, and a bystander beside the replaced person is
followed into that person's widened mask."""
CORE = 0.01
"""Picture heights: what is thinner and not the replaced person's is a rim of that person and no bystander."""
SOFT_SIGMA, SOFT_REACH = 1.0, 4
"""Pixels: of a mask's rim, and the width that OpenCV's blur reads for it, at least."""
FARTHER_TRUNK = 0.75
"""Length of a neighbour's trunk over the replaced person's, below which the neighbour is behind: the feet, which tell
it better, are not in sight. Measured: 0.48 to 0.55 of somebody behind, 1.0 to 1.08 of two side by side. Sizes of heads
and shoulders vary more, because people turn."""
FRONT_MARGIN = 0.02
"""Picture heights by which a bystander's feet may be above the replaced person's and still be as near."""

UNLIKE_MIN, UNLIKE_BLUR = 34, (5, 5)
"""Levels (0-255) of the largest channel's difference to the plate, blurred over a square of so many pixels, from which
a pixel is not the background. Chosen by eye on the development clips: above texture that the camera moves."""

LIKE_MAX, SOLID_SIDE = 12, np.ones((9, 9), np.uint8)
"""Levels of that difference up to which a pixel need not be kept: the plate looks the same, and the network takes floor
between people for people. Gaps of so many pixels in what differs are people nevertheless."""

LEGS_UNSURE_MAX = 0.5
"""Visibility of both knees below which somebody may stand before the legs, and is looked for there."""
SQUARE_MIN = 16
"""Pixels: in a smaller square nobody is told from anything."""
LEGS_REACH, LEGS_SIDE = 2.0, 2.4
"""A square about the legs is searched for people. Both in trunk lengths: where it ends below the hips, and its side. In
a square about the whole person, the network misses people in front whom the frame's edge cuts off. Chosen by eye on a
shop's camera."""
BEFORE_REACH = 0.06
"""Picture heights about somebody before the legs in which the widened mask says nothing: the matte has holes there."""
BOX_MARGIN = 0.1
"""Lengths of a person's box by which it is widened: clothes."""
OUTSIDE_MIN = 0.5
"""Share of a piece of people outside that box from which it is somebody who stands before its legs."""


class BystanderMasks:
    """Pixel masks of everybody but the replaced person. Safe to call from several threads."""

    def __init__(self, pack: ModelPack, track: PersonTrack) -> None:
        self._pack, self._track = pack, track
        self._net: SelfieNet | None = None
        self._noticed = np.zeros((0, 4), np.float32)
        self._noticed_in, self._noticed_reach = np.zeros(0, np.int64), STALE_FRAMES

    def notice(self, companions: Mapping[int, list[NDArray[np.float32]]], frames: int) -> None:
        """Expect ``companions`` (index → boxes), too: ``frames`` about a sighting, at least ``STALE_FRAMES``."""
        sightings = [(index, box) for index, boxes in companions.items() for box in boxes]
        if sightings:
            self._noticed_in, self._noticed = (np.array(x) for x in zip(*sightings, strict=True))
            self._noticed_reach = max(STALE_FRAMES, frames)

    def expected(self, index: int, height: int) -> bool:
        """Whether anybody but the replaced person may be in frame ``index`` of ``height`` lines.

        Where the replaced person is absent, nobody searched for others, so others may be there. Where the person's legs
        are hidden now, and are seen elsewhere in the shot, somebody may stand in front of them.
        """
        return self._anywhere(index, height) or len(self._sightings(index)) > 0

    def _anywhere(self, index: int, height: int) -> bool:
        """Whether somebody may be in frame ``index`` though the search for people found nobody else near it."""
        track = self._track
        if not track.present[index]:
            return True
        return self._loses_legs(index, height)

    def may_pass(self, index: int, height: int) -> bool:
        """Whether somebody may be before the replaced person about frame ``index``, of ``height`` lines.

        The legs are hidden in many frames about it, are seen elsewhere in the shot, and somebody else is seen there.
        """
        hips, others = self._track.body[index, HIPS, :2].mean(0), self._sightings(index)
        there = (others[:, :2] < hips).all(1) & (hips < others[:, 2:]).all(1)
        return bool(there.any()) and self._loses_legs(index, height)

    def _loses_legs(self, index: int, height: int) -> bool:
        """Whether the legs are hidden in many frames about frame ``index``, and are seen elsewhere in the shot."""
        track, frames = self._track, slice(max(0, index - STALE_FRAMES), index + STALE_FRAMES + 1)
        hidden = self._legs_hidden(frames, height, LEGS_HIDDEN_MAX) & track.present[frames]
        hidden &= track.shot[frames] == track.shot[index]
        if np.convolve(hidden, np.ones(HIDDEN_WINDOW)).max(initial=0) < HIDDEN_FRAMES_MIN:
            return False
        return bool(track.visibility[track.shot == track.shot[index]][:, KNEES].max() > LEGS_UNSURE_MAX)

    def sight(self, index: int) -> float:
        """The row of the lowest landmark in sight about frame ``index``: in one alone the network sees hidden legs."""
        track, frames = self._track, slice(max(0, index - SIGHT_FRAMES), index + SIGHT_FRAMES + 1)
        there = track.present[frames] & (track.shot[frames] == track.shot[index])
        return float(np.median(track.box[frames, 3][there]))

    def passed(self, height: int) -> Flags:
        """(F,) the frames, of ``height`` lines, in which somebody may be before the legs of the replaced person."""
        track = self._track
        hidden = self._legs_hidden(slice(None), height, LEGS_HIDDEN_MAX) & track.present
        for index in np.flatnonzero(hidden).tolist():
            hidden[index] = self.may_pass(index, height)
        return hidden

    def _sightings(self, index: int) -> NDArray[np.float32]:
        """(N, 4) boxes of the bystanders in each frame of the shot around frame ``index``."""
        track, frames = self._track, slice(max(0, index - STALE_FRAMES), index + STALE_FRAMES + 1)
        boxes = track.bystanders[frames][track.shot[frames] == track.shot[index]].reshape(-1, 4)
        boxes = boxes[np.isfinite(boxes[:, 0])]
        if len(self._noticed) == 0:
            return boxes
        near = np.abs(self._noticed_in - index) <= self._noticed_reach
        return np.concatenate([boxes, self._noticed[near & (track.shot[self._noticed_in] == track.shot[index])]])

    def _keep_expected(self, index: int, people: Matte, corner: tuple[int, int], height: int) -> None:
        """Clear the mask ``people`` (h, w), cut at ``corner``, in place where no bystander is expected.

        ``height`` is the picture's.
        """
        if self._anywhere(index, height):
            return
        places = np.zeros_like(people)
        for box in np.unique(self._sightings(index), axis=0):
            margin = PLACE_MARGIN * float((box[2:] - box[:2]).max())
            low = np.maximum(np.floor(box[:2] - margin - corner), 0).astype(int)
            high = np.maximum(np.ceil(box[2:] + margin - corner), 0).astype(int)
            places[low[1] : high[1], low[0] : high[0]] = 255
        cv2.bitwise_and(people, places, people)

    def unknown(self, index: int, image: Image) -> Matte | None:
        """(H, W) 0 or 255: where people may be in frame ``index``, for learning; None where nobody is expected."""
        height, width = image.shape[:2]
        if not self.expected(index, height):
            return None
        side = min(height, width)
        people = np.zeros((height, width), np.uint8)
        starts = np.linspace(
            0, max(height, width) - side, 1 + int(np.ceil((max(height, width) / side - 1) / TILE_STEP))
        )
        for start in starts.astype(int):
            here = np.s_[:, start : start + side] if width > height else np.s_[start : start + side]
            people[here] = cv2.max(people[here], self.people(np.ascontiguousarray(image[here])))
        self._keep_expected(index, people, (0, 0), height)
        self._look_before_legs(index, image, people, (0, 0))
        mask = cv2.threshold(people, UNKNOWN_LEVEL, 255, cv2.THRESH_BINARY)[1]
        return np.asarray(cv2.dilate(mask, disc(RIM * height, DISC_RADIUS_MIN)), np.uint8)

    def around(
        self,
        index: int,
        image: Image,
        matte: Matte,
        gone: Matte,
        box: PixelBox,
        plate: Image,
        passer: Matte | None = None,
        seen: Matte | None = None,
    ) -> tuple[Matte, Matte] | None:
        """Bystanders within ``box`` of frame ``index``, and those of them in front of the replaced person.

        Two masks (h, w) 0-255, soft; None where nobody is. ``matte`` and ``gone`` (H, W) are the replaced person's.
        ``plate`` (h, w, 3) is the background in ``box``: the network sees few who kneel or are half hidden, but they
        differ from it. ``passer`` (h, w) 0 or 255 is the mask of somebody who is known to be in front. ``seen`` (h, w),
        the alpha of ``Plates``, tells where the plate is made up (default: nowhere): a difference says nothing there.
        """
        height, width = matte.shape
        if not self.expected(index, height):
            return None
        x0, y0, x1, y1 = _square_around(box, width, height)
        here = np.s_[y0:y1, x0:x1]
        people = self.people(np.ascontiguousarray(image[here]))
        matte = matte.copy()
        add_feet(matte, self._track.body[index], self._track.visibility[index])
        inside = np.s_[box[1] - y0 : box[3] - y0, box[0] - x0 : box[2] - x0]
        difference = _difference(image[box[1] : box[3], box[0] : box[2]], plate)
        unlike = _above(difference, UNLIKE_MIN)
        unlike = unlike if seen is None else cv2.min(unlike, _above(seen, SEEN_LEVEL))
        people[inside] = cv2.max(unlike, cv2.min(people[inside], _solid(_above(difference, LIKE_MAX))))
        self._keep_expected(index, people, (x0, y0), height)
        self._look_before_legs(index, image, people, (x0, y0))
        others = np.asarray(cv2.threshold(people, PERSON_LEVEL, 255, cv2.THRESH_BINARY)[1], np.uint8)
        claimed = np.where(matte[here] > PERSON_LEVEL, others, 0).astype(np.uint8)
        if passer is None:  # a passer is told from the person already
            body = self._track.body[index, :, :2].astype(np.float64) - [x0, y0]
            free = np.asarray(cv2.subtract(others, claimed), np.uint8)
            back = reclaimed(image[here], claimed, free, body, self._track.visibility[index])
            if back is not None:
                matte[here][back > 0] = claimed[back > 0] = 0
        before = np.zeros_like(claimed) if passer is not None else self._before_legs(index, claimed, (x0, y0), height)
        others[(claimed > 0) & (before == 0)] = 0
        others |= before
        feet = min(float(self._track.box[index, 3]), height) - FRONT_MARGIN * height
        near = cv2.dilate(before, disc(BEFORE_REACH * height, DISC_RADIUS_MIN)) if before.any() else before
        # What the matte doubts, and only the widened mask takes for the replaced person, is rather somebody else here.
        sure = cv2.threshold(matte[here], PERSON_LEVEL, 255, cv2.THRESH_BINARY)[1]
        own = cv2.min(gone[here], cv2.dilate(sure, disc(CORE * height, DISC_RADIUS_MIN)))
        own = np.asarray(cv2.bitwise_and(own, cv2.bitwise_not(near)), np.uint8)
        pieces = _apart_from(others, own, height, feet - y0)
        if passer is None and (pieces is None or not pieces[0][inside].any()):
            return None
        pieces = pieces or (np.zeros_like(others), np.zeros_like(others))
        self._remove_farther(index, pieces[1], (x0, y0), height)
        if passer is not None:
            for mask in pieces:
                cv2.max(mask[inside], passer, dst=mask[inside])
        soft, soft_front = (_softened(mask, inside) for mask in pieces)
        return soft, soft_front

    def _remove_farther(self, index: int, front: Matte, corner: tuple[int, int], height: int) -> None:
        """Clear ``front`` (h, w), cut at ``corner``, in place about those whose trunks say that they are behind.

        Where the frame's edge cuts off the replaced person, everybody who reaches it would be as near.
        """
        track = self._track
        if track.box[index, 3] < height - FRONT_MARGIN * height:
            return
        own = torso_length(track.body[index, :, :2].astype(np.float64))
        seen = track.neighbours[index][np.isfinite(track.neighbours[index, :, 0])]
        behind = seen[:, 4] < FARTHER_TRUNK * own
        # Where several are, a pixel is that one's whose middle is nearest, in widths.
        nearest, far = np.full(front.shape, np.inf, np.float32), np.zeros(front.shape, np.bool_)
        for box, is_behind in zip(seen[:, :4].astype(np.float64), behind, strict=True):
            margin = BOX_MARGIN * float((box[2:] - box[:2]).max())
            low = np.maximum(np.floor(box[:2] - margin - corner), 0).astype(int)
            high = np.maximum(np.ceil(box[2:] + margin - corner), 0).astype(int)
            here = np.s_[low[1] : high[1], low[0] : high[0]]
            columns = np.arange(front.shape[1], dtype=np.float32)[here[1]] + corner[0]
            away = np.abs(columns - (box[0] + box[2]) / 2) / max(box[2] - box[0], 1.0)
            closer = away < nearest[here]
            nearest[here], far[here] = np.where(closer, away, nearest[here]), np.where(closer, is_behind, far[here])
        front[far] = 0

    def _before_legs(self, index: int, claimed: Matte, corner: tuple[int, int], height: int) -> Matte:
        """(h, w) 0 or 255: who stands before the legs of the replaced person, and was taken into that person's matte.

        ``claimed`` (h, w), cut at ``corner``, are people in the matte. Below the middle of the trunk a piece of them is
        somebody else if it is mostly outside the box of the landmarks that are in sight.
        """
        result, rows = np.zeros_like(claimed), self._track.body[index, :, 1].astype(np.float64)
        if not self._legs_hidden(slice(index, index + 1), height, LEGS_HIDDEN_MAX)[0]:
            return result
        shoulders, hips = float(rows[SHOULDERS].mean()), float(rows[HIPS].mean())
        left, top, right, bottom = self._box_about(index)
        margin, middle = BOX_MARGIN * (bottom - top), max(0, round((shoulders + hips) / 2) - corner[1])
        lower = claimed[middle:]
        x0, x1 = max(0, round(left - margin) - corner[0]), max(0, round(right + margin) - corner[0])
        inside = np.zeros_like(lower)
        inside[: max(0, round(bottom) - corner[1] - middle), x0:x1] = 255
        outlines, _ = cv2.findContours(lower, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for outline in outlines:
            piece = np.zeros_like(lower)
            cv2.drawContours(piece, [outline], -1, 255, -1)  # whole: the network leaves holes in plain clothes
            if np.count_nonzero(piece & inside) < (1 - OUTSIDE_MIN) * np.count_nonzero(piece):
                result[middle:] |= piece
        return result

    def _box_about(self, index: int) -> tuple[float, float, float, float]:
        """The box of the landmarks in sight, here and in the frames beside: one alone may be a network's mistake."""
        track, frames = self._track, slice(max(0, index - 1), index + 2)
        boxes = track.box[frames][track.present[frames] & (track.shot[frames] == track.shot[index])].astype(np.float64)
        (left, top), (right, bottom) = boxes[:, :2].min(0), boxes[:, 2:].max(0)
        return float(left), float(top), float(right), float(bottom)

    def _legs_hidden(self, frames: slice, height: int, seen_max: float) -> Flags:
        """(F,) as ``legs_hidden``."""
        return legs_hidden(self._track.body[frames], self._track.visibility[frames], height, seen_max)

    def _look_before_legs(self, index: int, image: Image, people: Matte, corner: tuple[int, int]) -> None:
        """Search a square about hidden legs for people, and add them to the mask ``people`` (h, w), in place.

        ``corner`` is the place of the mask's upper left pixel in ``image`` (H, W, 3).
        """
        height, width = image.shape[:2]
        if not self._legs_hidden(slice(index, index + 1), height, LEGS_UNSURE_MAX)[0]:
            return
        points = self._track.body[index, :, :2].astype(np.float64)
        hips = points[HIPS].mean(0)
        trunk = float(np.hypot(*(hips - points[SHOULDERS].mean(0))))
        side, bottom = round(LEGS_SIDE * trunk), min(height, round(float(hips[1]) + LEGS_REACH * trunk))
        left, top = round(float(hips[0])) - side // 2, max(0, bottom - side)
        x0, x1 = max(0, left), min(width, left + side)
        if min(x1 - x0, bottom - top) < SQUARE_MIN:
            return
        found = self.people(np.ascontiguousarray(image[top:bottom, x0:x1]))
        u0, v0 = max(x0, corner[0]), max(top, corner[1])
        u1, v1 = min(x1, corner[0] + people.shape[1]), min(bottom, corner[1] + people.shape[0])
        if u1 > u0 and v1 > v0:
            here = people[v0 - corner[1] : v1 - corner[1], u0 - corner[0] : u1 - corner[0]]
            here[:] = cv2.max(here, found[v0 - top : v1 - top, u0 - x0 : u1 - x0])

    def people(self, image: Image) -> Matte:
        """(h, w) 0-255: everybody in ``image``."""
        if self._net is None:  # two threads may make one each: all share the networks in memory
            self._net = SelfieNet(self._pack)
        return self._net.levels(image)


def _difference(image: Image, plate: Image) -> Matte:
    """(h, w) 0-255: how far ``image`` (h, w, 3) is from the background ``plate`` (h, w, 3) about each pixel."""
    return np.asarray(largest_channel(cv2.blur(cv2.absdiff(image, plate), UNLIKE_BLUR)), np.uint8)


def _above(levels: Matte, least: int) -> Matte:
    """(h, w) 0 or 255: where ``levels`` (h, w) are more than ``least``."""
    return np.asarray(cv2.threshold(levels, least, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _solid(mask: Matte) -> Matte:
    """``mask`` (h, w) without small holes."""
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, SOLID_SIDE), np.uint8)


def _square_around(box: PixelBox, width: int, height: int) -> PixelBox:
    """A square about ``box``, ``AROUND`` times as long, cut to the frame."""
    x0, y0, x1, y1 = box
    half = round(AROUND * max(x1 - x0, y1 - y0) / 2)
    x, y = (x0 + x1) // 2, (y0 + y1) // 2
    return max(0, min(x0, x - half)), max(0, min(y0, y - half)), min(width, x + half), min(height, y + half)


def _apart_from(others: Matte, gone: Matte, height: int, row: float) -> tuple[Matte, Matte] | None:
    """The pieces of the mask ``others`` (h, w) that are not only a rim of ``gone``, and those of them down to ``row``.

    ``height`` is the picture's. Only a box around the possible pieces is computed. None without such pieces.
    """
    core = cv2.bitwise_and(others, cv2.bitwise_not(gone))
    x, y, w, h = cv2.boundingRect(core)
    if w == 0:
        return None
    thin, rim = disc(CORE * height, DISC_RADIUS_MIN), disc(RIM * height, DISC_RADIUS_MIN)
    reach = len(thin) + len(rim)
    top, left = max(0, y - reach), max(0, x - reach)
    here = np.s_[top : y + h + reach, left : x + w + reach]
    core = cv2.morphologyEx(core[here], cv2.MORPH_OPEN, thin)
    found, front = np.zeros_like(others), np.zeros_like(others)
    found[here] = cv2.bitwise_and(others[here], cv2.dilate(core, rim))
    front[here] = _reaching_down(found[here], row - top)
    return found, front


def _softened(mask: Matte, inside: tuple[slice, slice]) -> Matte:
    """The part ``inside`` of ``mask``, with a soft rim."""
    rows, columns = inside
    top, left = max(0, rows.start - SOFT_REACH), max(0, columns.start - SOFT_REACH)
    around = mask[top : rows.stop + SOFT_REACH, left : columns.stop + SOFT_REACH]
    soft = cv2.GaussianBlur(around, (0, 0), SOFT_SIGMA)
    return np.asarray(soft[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left], np.uint8)


def _reaching_down(mask: Matte, row: float) -> Matte:
    """The pieces of ``mask`` (h, w), 0 or 255, that reach ``row`` or lower."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    low = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] >= row
    low[0] = False
    return low[:count].take(np.asarray(labels, np.int32)).astype(np.uint8) * np.uint8(255)

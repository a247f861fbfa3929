"""What stays before the replaced person on purpose: hands of others, and things that are played with.

A matte counts them as the actor's. They are told from the driving video and from what stayed of it alone: no renderer
is asked what it kept.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.evaluation.regions import neighbourhood
from bodydouble.perception.arrays import Image, Mask, Points
from bodydouble.perception.landmark_indices import HandPoint
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import spine_vector

HAND_REACH = 3.2
"""Hand lengths (wrist to middle knuckle) around a hand's middle in which what hangs together with it belongs to it: the
forearm, and what it holds."""
EDGE_MARGIN = 0.03
"""Share of the frame's height from its edge, up to which a piece comes from there: mattes end before the edge."""
PIECE_SHARE_MIN = 0.001
"""Share of the actor from which a piece is looked at."""
FRAMES_MIN = 4
"""Frames that show a thing in play: with fewer its path says nothing."""
ROAMING_MIN = 0.3
"""Spine lengths that a thing in play moves relative to every landmark of the actor (standard deviation)."""
SEEN_MIN = 0.5
"""Visibility from which a landmark's place is known."""
LEVELS = 8
"""Levels a colour channel is counted in."""
OWN_SHARE_MIN, OWN_OFTEN_MIN = 0.004, 0.5
"""A colour is the actor's own if it covers this share of the body in this share of the frames."""
FOREIGN_MIN = 0.5
"""Share of a piece's pixels in colours that the actor does not have, from which the piece may be a thing."""
ALIKE_MAX = 48.0
"""Levels (0-255) of the mean colour's largest channel difference up to which pieces of two frames are one thing: a ball
in light and shade."""


def hand_pieces(left: Mask, hands: list[Points], body: Mask) -> Mask:
    """(H, W) those pieces of ``left`` (H, W) that are other people's ``hands`` (21, 2) with arm and what they hold.

    A piece has to come from the frame's edge, and ends within ``HAND_REACH``. What lies on the actor's own ``body``
    (H, W) is the actor's.
    """
    result = np.zeros(left.shape, np.bool_)
    labels = np.asarray(cv2.connectedComponents(left.astype(np.uint8))[1], np.int32)
    margin = max(1, round(EDGE_MARGIN * left.shape[0]))
    edge = np.ones(left.shape, np.bool_)
    edge[:-margin, margin:-margin] = False  # from below and from both sides
    from_edge = np.unique(labels[edge & left])
    for hand in hands:
        length = float(np.hypot(*(hand[HandPoint.MIDDLE_MCP] - hand[HandPoint.WRIST])))
        hull, near = np.zeros(left.shape, np.uint8), np.zeros(left.shape, np.uint8)
        cv2.fillConvexPoly(hull, cv2.convexHull(np.round(hand).astype(np.int32)), 1)
        cv2.circle(near, np.round(hand.mean(0)).astype(int).tolist(), round(HAND_REACH * length), 1, -1)
        touched = np.intersect1d(np.unique(labels[(hull > 0) & left]), from_edge)
        result |= np.isin(labels, touched) & left & (near > 0)
    return result & ~body


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """A part of the actor's matte that stayed, in one frame."""

    frame: int  # row of ``ThingsInPlay``
    share: float  # of the actor
    colour: NDArray[np.float64]  # (3,) mean, 0-255
    codes: NDArray[np.float64]  # (LEVELS ** 3,) share of its pixels by colour
    away: NDArray[np.float64]  # (33, 2) from the actor's landmarks, spine lengths; NaN where they are not seen

    def foreign(self, own: NDArray[np.bool_]) -> float:
        """Share of its pixels that have none of the actor's ``own`` colours (LEVELS ** 3,): a hand may be on a ball."""
        return float(self.codes[~own].sum())


@dataclass
class ThingsInPlay:
    """Finds the pieces that are no part of the actor, by their path and colours.

    What is left of the actor stays at its place on the body: hair at the head, a hand at its wrist. A ball moves
    relative to every landmark. And its colours are not those of the actor's body.
    """

    _pieces: list[_Piece] = field(default_factory=list[_Piece])
    _own: list[NDArray[np.bool_]] = field(default_factory=list[NDArray[np.bool_]])  # colours of the body, by frame

    def add(self, image: Image, left: Mask, body: Mask, total: int, track: PersonTrack, i: int) -> None:
        """One frame. ``left`` (H, W) of the actor's ``total`` pixels stayed, ``body`` (H, W) is surely the actor."""
        step = 256 // LEVELS
        codes = np.asarray((image // step).astype(np.int32) @ np.array([LEVELS**2, LEVELS, 1], np.int32), np.int32)
        spine = max(float(np.hypot(*spine_vector(track.body[i, :, :2].astype(np.float64)))), 1.0)
        landmarks = np.where(track.visibility[i, :, None] > SEEN_MIN, track.body[i, :, :2].astype(np.float64), np.nan)
        count, labels, stats, centres = cv2.connectedComponentsWithStats(left.astype(np.uint8))
        for k in range(1, count):
            if stats[k, cv2.CC_STAT_AREA] < PIECE_SHARE_MIN * total:
                continue
            here = labels == k
            shares = np.bincount(codes[here], minlength=LEVELS**3) / np.count_nonzero(here)
            away = (centres[k] - landmarks) / spine
            mean = image[here].mean(0)
            share = float(stats[k, cv2.CC_STAT_AREA]) / total
            self._pieces.append(_Piece(frame=len(self._own), share=share, colour=mean, codes=shares, away=away))
        side = neighbourhood(image.shape[0])
        around = cv2.dilate(left.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        own = codes[body & ~around]
        usual = np.bincount(own, minlength=LEVELS**3) > OWN_SHARE_MIN * max(len(own), 1)
        self._own.append(_with_neighbours(usual))

    def skip(self) -> None:
        """A frame in which nobody was found: nothing is known of it."""
        self._own.append(np.zeros(LEVELS**3, np.bool_))

    def shares(self) -> NDArray[np.float64]:
        """(F,) share of the actor that is a thing in play, in each frame that was added."""
        result = np.zeros(len(self._own))
        own = np.mean(self._own, axis=0) >= OWN_OFTEN_MIN if self._own else np.zeros(LEVELS**3, np.bool_)
        foreign = [piece for piece in self._pieces if piece.foreign(own) >= FOREIGN_MIN]
        for thing in _alike(foreign):
            if len(thing) >= FRAMES_MIN and _roams(thing):
                for piece in thing:
                    result[piece.frame] += piece.share * piece.foreign(own)
        return result


def _with_neighbours(colours: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``colours`` (LEVELS ** 3,) and those one level away: light and compression move colours."""
    cube = colours.reshape(LEVELS, LEVELS, LEVELS).astype(np.uint8)
    for axis in range(3):
        flat = np.moveaxis(cube, axis, 0).reshape(LEVELS, -1)
        wide = np.asarray(cv2.dilate(flat, np.ones((3, 1), np.uint8)), np.uint8)
        cube = np.moveaxis(wide.reshape(LEVELS, LEVELS, LEVELS), 0, axis)
    return np.asarray(cube.ravel() > 0, np.bool_)


def _alike(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Pieces of one colour, the largest one of each frame."""
    groups: list[list[_Piece]] = []
    for piece in pieces:
        for group in groups:
            if np.abs(np.mean([other.colour for other in group], axis=0) - piece.colour).max() <= ALIKE_MAX:
                if group[-1].frame != piece.frame:
                    group.append(piece)
                elif piece.share > group[-1].share:
                    group[-1] = piece
                break
        else:
            groups.append([piece])
    return groups


def _roams(thing: list[_Piece]) -> bool:
    """Whether it moves relative to every landmark that is seen with it."""
    away = np.array([piece.away for piece in thing])
    known = np.isfinite(away[..., 0]).sum(0) >= FRAMES_MIN
    if not known.any():
        return False
    moved = np.sqrt(np.nanvar(away[:, known], axis=0).sum(-1))
    return float(moved.min()) > ROAMING_MIN

"""How much of the replaced person is still visible."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.evaluation.kept_things import ThingsInPlay, hand_pieces
from bodydouble.evaluation.regions import core, neighbourhood
from bodydouble.evaluation.tears import body_core
from bodydouble.perception import ModelPack
from bodydouble.perception.arrays import Image, Mask, Matte
from bodydouble.perception.other_hands import OtherHandFinder
from bodydouble.perception.smoothing import spans
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import SHOULDERS, legs_hidden

UNCHANGED_MAX = 8.0
"""0-255: encoding changes a kept pixel by less."""
UNTOUCHED_MAX = 3.0
"""0-255, mean over a neighbourhood."""
COVERED_MIN = 128
"""Alpha (0-255) of the output's matte from which a pixel is covered."""
PASSING_FRAMES = 12
"""Frames during which legs that the network sees are still hidden, if they are so before and after: in some frames it
takes a passer's legs for the actor's. The longest such time on the development clips is seven frames."""


class Residue:
    """Share of the actor's core pixels that are uncovered and unchanged.

    A matte also covers a person who stands in front of the actor's legs. That person has to stay in the result, so
    ``own_part`` leaves the place out. It covers other people's hands and balls too, which have to stay: ``kept_things``
    tells them from what is left of the actor.

    Outside the character a pixel counts when it differs by less than ``UNCHANGED_MAX`` from the source. Under the
    character a single pixel may have the actor's colour by chance. A whole neighbourhood within coding noise does not:
    it is a part of the actor that the output's matte includes.
    """

    def __init__(self, pack: ModelPack, track: PersonTrack) -> None:
        """``track`` is the actor's."""
        self._track, self._hands = track, OtherHandFinder(pack, track)
        self._left: list[float] = []
        self._by_hands: list[float] = []
        self._things = ThingsInPlay()

    def add(
        self, i: int, source: Image, source_matte: Matte, output_matte: Matte, changed: NDArray[np.float32]
    ) -> None:
        """Frame ``i`` of both videos.

        ``changed`` (H, W) is the mean absolute difference of the two, 0-255.
        """
        height, width = changed.shape
        actor = core(source_matte) & own_part(self._track, i, source_matte.shape)
        total = int(np.count_nonzero(actor))
        if total == 0:
            return
        side = neighbourhood(height)
        untouched = cv2.boxFilter(changed, -1, (side, side)) < UNTOUCHED_MAX
        covered = output_matte >= COVERED_MIN
        left = actor & np.where(covered, untouched, changed < UNCHANGED_MAX)
        present = bool(self._track.present[i])
        body = body_core(self._track, i, width, height) if present else np.zeros_like(left)
        hands = hand_pieces(left, self._hands.find(i, source), body) if present and left.any() else np.zeros_like(left)
        if present:
            self._things.add(source, left & ~hands, body, total, self._track, i)
        else:
            self._things.skip()
        self._left.append(float(np.count_nonzero(left)) / total)
        self._by_hands.append(float(np.count_nonzero(hands)) / total)

    def result(self) -> float | None:
        """What is left of the actor, without kept things, mean over the frames, 0-1."""
        return float(np.mean(np.array(self._left) - self._kept())) if self._left else None

    def kept(self) -> float | None:
        """Other people's hands and things in play that were left, over the actor, mean over the frames, 0-1."""
        return float(np.mean(self._kept())) if self._left else None

    def _kept(self) -> NDArray[np.float64]:
        return np.array(self._by_hands) + self._things.shares()


def own_part(track: PersonTrack, i: int, shape: tuple[int, ...]) -> Mask:
    """(H, W) where the actor's matte counts as the actor's own.

    That is everywhere, unless somebody hides the actor's legs, in frame ``i`` or shortly before and after it. Then it
    ends at the shoulders: the head of who passes reaches up to the chest. Legs that the frame's edge cuts off are not
    hidden by anybody.
    """
    result, first = np.ones(shape[:2], np.bool_), max(i - PASSING_FRAMES, 0)
    near = np.s_[first : i + PASSING_FRAMES + 1]
    hidden = legs_hidden(track.body[near], track.visibility[near], shape[0])
    if any(start <= i - first < stop for start, stop in spans(hidden, track.shot[near], PASSING_FRAMES)):
        result[max(0, round(float(track.body[i, SHOULDERS, 1].mean()))) :] = False
    return result

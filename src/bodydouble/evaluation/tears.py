"""Holes in the character and pieces that came off."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.evaluation import regions
from bodydouble.evaluation.regions import CHANGE_WINDOW, PRESENT_MIN, disc, grown
from bodydouble.perception.arrays import Mask, Matte, Points
from bodydouble.perception.geometry import COORDINATE_MAX
from bodydouble.perception.interpolation import TRUNK_OUTLINE, body_width
from bodydouble.perception.landmark_indices import BodyPoint, FacePoint
from bodydouble.perception.matte import LIMBS
from bodydouble.perception.track import PersonTrack

LINE_WIDTH = 0.07
"""Thickness, in body widths, of the lines along limbs that are surely inside the character, thin ones too."""
INNER_SHARE = 0.6
"""Trunk and face shrink towards their middle by this factor: waists are narrower than shoulders and hips."""
SEEN_MIN = 0.5
"""Visibility of both ends from which a limb is examined."""
CUT_SHARE = 0.5
"""Share of a limb, from its end within the frame, that is examined if the other end is outside. The network guesses
that end, and the farther from the seen joint, the more the line misses the limb: a guessed ankle puts a shin beside the
leg. Half of a thigh still shows whether it hangs together with the hip."""
TOES = (BodyPoint.LEFT_TOE, BodyPoint.RIGHT_TOE)
"""The network places them up to half a foot beyond bare feet: what lies on the way there is no hole."""
SOLID_LEVEL, OPEN_LEVEL = 128, 64
"""Levels of the output's matte (0-255). The silhouette is at least half opaque. A hole is clearly transparent, because
the segmentation is weak on thin legs."""
MATTE_SHARE_MIN = 0.5
"""Share of the character's core that is in its matte at least, for the matte to show holes."""
SHOWS_THROUGH_MAX = 4.0
"""0-255: a pixel this near to the source's own, where no actor was, is background: encoding differs by less."""
FLAT_DIVISOR = 110
"""Frame height over the radius of the disc in which all pixels have to be background: one may be so by chance."""
HOLE_SHARE_MIN = 0.005
"""Share of the character's core from which a hole counts: viewers do not notice a smaller one."""
PIECE_SHARE_MIN = 0.005
"""Share of the silhouette from which a detached piece counts: viewers do not notice a smaller one."""
CHANGED_MIN = 40.0
"""0-255: a pixel that differs by more from the source, where no actor was, was painted; a plate differs by less."""
THIN_DIVISOR = 220
"""Frame height over the radius of what is too thin for a hole."""
ACTOR_MARGIN = 0.03
"""Share of the frame's height around the actor in which a changed pixel may belong to the plate."""


class Tears:
    """Counts frames whose character has a hole or a piece that hangs in the air."""

    def __init__(self) -> None:
        self._holes: list[float] = []
        self._pieces: list[float] = []

    def add(
        self,
        track: PersonTrack,
        i: int,
        output_matte: Matte,
        source_matte: Matte,
        changed: NDArray[np.float32],
        others: Mask | None = None,
    ) -> None:
        """The character in row ``i`` of ``track``; ``changed`` (H, W) is the difference to the source, 0-255.

        ``others`` (H, W) are other people's pixels in the source: what is behind them is neither missing nor detached.
        """
        if not track.present[i]:
            return
        height, width = output_matte.shape
        core = body_core(track, i, width, height)
        actor = np.asarray(grown((source_matte > PRESENT_MIN).astype(np.uint8), ACTOR_MARGIN * height), np.bool_)
        smooth = cv2.boxFilter(changed, -1, CHANGE_WINDOW)
        painted = np.asarray(smooth > CHANGED_MIN, np.bool_)
        silhouette = np.asarray(output_matte >= SOLID_LEVEL, np.bool_)
        opening = np.asarray((output_matte < OPEN_LEVEL) & ~(painted & ~actor), np.bool_)
        if others is not None:
            core &= ~others
        if np.count_nonzero(core & silhouette) < MATTE_SHARE_MIN * np.count_nonzero(core):
            opening[:] = False  # the network lost the character: its matte says nothing
        background = np.asarray((changed < SHOWS_THROUGH_MAX) & ~actor, np.bool_)
        self._holes.append(self._hole_share(core, opening, background))
        # Changed pixels of the actor are character or plate: they connect, but are no pieces.
        body = silhouette | core | (painted & actor)
        joining = np.asarray(smooth > regions.CHANGED_MIN, np.bool_)  # a wrist may look like the shelf behind it
        if others is not None:
            joining |= others
        self._pieces.append(self._piece_share(body, painted & ~actor, joining))

    @staticmethod
    def _hole_share(core: Mask, opening: Mask, background: Mask) -> float:
        """Largest hole over the core: pixels inside the body that are transparent or show the background."""
        height = core.shape[0]
        solid_background = cv2.morphologyEx(background.astype(np.uint8), cv2.MORPH_OPEN, disc(height / FLAT_DIVISOR))
        missing = (core & (opening | (solid_background > 0))).astype(np.uint8)
        wide = cv2.morphologyEx(missing, cv2.MORPH_OPEN, disc(height / THIN_DIVISOR))
        return _largest(np.asarray(wide > 0, np.bool_)) / max(int(np.count_nonzero(core)), 1)

    @staticmethod
    def _piece_share(body: Mask, painted: Mask, joining: Mask) -> float:
        """Largest ``painted`` piece that neither touches the ``body`` nor hangs together with it by ``joining`` pixels.

        Over the body; all are (H, W).
        """
        height = body.shape[0]
        thin = disc(height / FLAT_DIVISOR)
        whole = cv2.morphologyEx((body | painted | joining).astype(np.uint8), cv2.MORPH_OPEN, thin)
        solid = cv2.morphologyEx((body | painted).astype(np.uint8), cv2.MORPH_OPEN, thin) > 0
        _, labels = cv2.connectedComponents(whole)
        largest = np.argmax(np.bincount(labels[body & solid], minlength=1))
        pieces = (labels != largest) & painted & solid
        return _largest(np.asarray(pieces, np.bool_)) / max(int(np.count_nonzero(body)), 1)

    def torn(self) -> float | None:
        """Share of the frames with a hole or a piece that is noticed, 0-1."""
        if not self._holes:
            return None
        torn = (np.array(self._holes) > HOLE_SHARE_MIN) | (np.array(self._pieces) > PIECE_SHARE_MIN)
        return float(torn.mean())

    def holes(self) -> float | None:
        """Largest hole over the body's core, mean over the frames."""
        return float(np.mean(self._holes)) if self._holes else None

    def pieces(self) -> float | None:
        """Largest detached piece over the silhouette, mean over the frames."""
        return float(np.mean(self._pieces)) if self._pieces else None


def body_core(track: PersonTrack, i: int, width: int, height: int) -> Mask:
    """(height, width): pixels that are inside any person in the pose of row ``i``, whatever they wear; without feet."""
    points = track.body[i, :, :2].astype(np.float64)
    seen = track.visibility[i] > SEEN_MIN
    core = np.zeros((height, width), np.uint8)
    thickness = max(1, round(LINE_WIDTH * body_width(points)))

    def line(a: Points, b: Points) -> None:
        ends = np.round(np.clip([a, b], -COORDINATE_MAX, COORDINATE_MAX)).astype(int).tolist()
        cv2.line(core, ends[0], ends[1], 255, thickness)

    def polygon(corners: Points) -> None:
        inner = corners.mean(0) + INNER_SHARE * (corners - corners.mean(0))
        cv2.fillConvexPoly(core, cv2.convexHull(np.round(inner).astype(np.int32)), 255)

    inside = np.logical_and.reduce([points[:, 0] >= 0, points[:, 0] < width, points[:, 1] >= 0, points[:, 1] < height])
    for a, b, _ in LIMBS:
        if b in TOES or not (seen[a] and seen[b]):
            continue
        if inside[a] and inside[b]:
            line(points[a], points[b])
        elif inside[a] or inside[b]:
            start, beyond = (points[a], points[b]) if inside[a] else (points[b], points[a])
            line(start, start + CUT_SHARE * (beyond - start))
    corners = points[TRUNK_OUTLINE]
    if (corners[:, 1] >= height).any():  # a desk may hide the body down to the frame's edge
        middle = corners[:, 1].mean()
        corners[:, 1] = np.minimum(corners[:, 1], middle)
    if np.abs(corners).max() < COORDINATE_MAX:
        polygon(corners)
    if track.face_found[i]:
        face = track.face[i, :, :2].astype(np.float64)
        polygon(face)
        line(face[FacePoint.CHIN], (points[BodyPoint.LEFT_SHOULDER] + points[BodyPoint.RIGHT_SHOULDER]) / 2)
    return np.asarray(core > 0, np.bool_)


def _largest(mask: Mask) -> int:
    """Pixels of the largest connected region."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))

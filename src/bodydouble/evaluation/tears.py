"""Holes in the character and pieces that came off."""

import cv2
import numpy as np

from bodydouble.evaluation.regions import disc, grown
from bodydouble.perception.arrays import Mask, Matte
from bodydouble.perception.matte import draw_capsules
from bodydouble.perception.person_landmarks import read_track_row
from bodydouble.perception.track import PersonTrack

CORE_WIDTH = 0.35
"""Width factor of the body's lines that are surely inside the character."""
SOLID_LEVEL = 128
"""Of the output's matte (0-255): at least half opaque."""
SHOWS_THROUGH_MAX = 4.0
"""0-255: a pixel this near to the source's own, where no actor was, is background: encoding differs by less."""
FLAT_RADIUS = 110
"""Frame height over the radius of the disc in which all pixels have to be background: one may be so by chance."""
HOLE_SHARE_MIN = 0.005
"""Of the character's core: a smaller hole is not noticed."""
PIECE_SHARE_MIN = 0.005
"""Of the silhouette: a smaller piece is not noticed."""
CHANGED_MIN = 25.0
"""0-255: a pixel that differs by more from the source, where no actor was, was painted."""
ACTOR_MARGIN = 0.03
"""Share of the frame's height around the actor in which a changed pixel may belong to the plate."""


class Tears:
    """Counts frames whose character has a hole or a piece that hangs in the air."""

    def __init__(self) -> None:
        self._holes: list[float] = []
        self._pieces: list[float] = []

    def add(self, track: PersonTrack, i: int, output_matte: Matte, source_matte: Matte, changed: np.ndarray) -> None:
        """The character in row ``i`` of ``track``; ``changed`` (H, W) is the difference to the source, 0-255."""
        if not track.present[i]:
            return
        height, width = output_matte.shape
        core = draw_capsules(read_track_row(track, i), width, height, CORE_WIDTH, (0.0, 0.0), 1.0) > 0
        actor = np.asarray(grown((source_matte > 4).astype(np.uint8), ACTOR_MARGIN * height), np.bool_)
        silhouette = np.asarray(output_matte >= SOLID_LEVEL, np.bool_)
        self._holes.append(self._hole_share(core, silhouette, actor, changed))
        self._pieces.append(self._piece_share(core, silhouette, actor, changed))

    @staticmethod
    def _hole_share(core: Mask, silhouette: Mask, actor: Mask, changed: np.ndarray) -> float:
        """Largest hole over the core: pixels inside the body that are transparent or show the background."""
        radius = max(1, core.shape[0] // FLAT_RADIUS)
        background = cv2.erode(((changed < SHOWS_THROUGH_MAX) & ~actor).astype(np.uint8), disc(radius))
        open_pixels = core & (~silhouette | (cv2.dilate(background, disc(radius)) > 0))
        return _largest(open_pixels) / max(int(np.count_nonzero(core)), 1)

    @staticmethod
    def _piece_share(core: Mask, silhouette: Mask, actor: Mask, changed: np.ndarray) -> float:
        """Largest painted piece that does not touch the character, over the silhouette."""
        height = core.shape[0]
        painted = cv2.boxFilter(changed, -1, (5, 5)) > CHANGED_MIN
        body = silhouette | core | (actor & painted)
        whole = (body | (painted & ~actor)).astype(np.uint8)
        whole = cv2.morphologyEx(whole, cv2.MORPH_OPEN, disc(height / FLAT_RADIUS))
        _, labels = cv2.connectedComponents(whole)
        touching = np.unique(labels[core])
        pieces = (labels > 0) & ~np.isin(labels, touching)
        return _largest(np.asarray(pieces, np.bool_)) / max(int(np.count_nonzero(silhouette)), 1)

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


def _largest(mask: Mask) -> int:
    """Pixels of the largest connected region."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))

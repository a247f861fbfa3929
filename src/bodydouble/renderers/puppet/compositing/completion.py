"""Completes a picture: each patch in the hole becomes like some patch of the known part.

Space-time completion (Wexler, Shechtman and Irani, IEEE TPAMI 2007) for one picture: each patch about the hole finds
its most similar known patch, each pixel becomes the mean of what these patches say, and both are repeated from a coarse
picture to the fine one. The first estimate is a guide that the caller has. The search is PatchMatch (Barnes et al.,
SIGGRAPH 2009), exhaustive where it begins. No place is decided for good before its surroundings are, as it is where a
hole is filled from its border inwards.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask

Numbers = NDArray[np.int32]
Value = TypeVar("Value", bound=np.generic)

RADIUS = 3
"""Radius of a patch in pixels. Every other pixel of it is compared."""
POINTS = tuple((y, x) for y in range(-RADIUS, RADIUS + 1) for x in range(-RADIUS, RADIUS + 1) if (x + y) % 2 == 0)
"""The compared pixels of a patch: y, x from its centre."""
FAR_X, FAR_Y, FAR_MAX = 0.1, 1.0, 100.0
"""Cost of the way to a source, per squared pixel of the finest picture, and the largest, in squared levels (0-255) of a
mean channel's misfit: a street goes on beside itself. What is farther than a few pixels is all as far: the frame of a
door goes on from high above. Chosen by eye on the development clips, and measured on drawn scenes."""
LEVELS, COARSE_SIDE_MIN = 2, 20
"""Sizes of the picture, each half of the one before, and the shortest side of the coarsest."""
SPARSE = 3
"""Every so many patches of a row and of a column are compared with all sources; the others begin with their steps."""
ROUNDS = 2
"""Repetitions of search and mean."""
REACHES = (8, 2)
"""Pixels around a source within which a random other one is tried."""
TRUST_LOSS = 0.85
"""Factor of a patch's weight for each pixel that it lies deeper in the hole."""
MISFIT_PERCENTILE = 75
"""Percentile of the misfits that is their standard deviation when patches are weighed. Source: Wexler et al."""
WEIGHT_MIN = 1e-6
"""Least weight of a patch: some patch has to say what a pixel is."""
TILE_PATCHES = 128
"""Patches that are compared with all sources at once: bounds the memory."""
KNOWN_MIN, SOURCE_MIN = 0.5, 0.99
"""Share of known pixels and of sources under a pixel of the next coarser picture, from which it is one."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """``picture`` (h, w, 3) without holes; where its pixels about the hole come from.

    ``steps`` (h, w, 2): y, x to the source's patch; ``weight`` (h, w) of that patch, 0 away from the hole.
    """

    picture: Image
    steps: Numbers
    weight: Floats


def complete(picture: Image, hole: Mask, source: Mask, guide: Image) -> Completion | None:
    """Complete ``picture`` (h, w, 3) in the ``hole`` (h, w) from patches of ``source`` (h, w).

    ``guide`` (h, w, 3) says roughly what is in the hole: the search begins with what is like it. None where no whole
    patch is source.
    """
    levels = [(picture, hole, source)]
    while len(levels) < LEVELS and min(levels[-1][1].shape) >= 2 * COARSE_SIDE_MIN:
        levels.append(_coarser(*levels[-1]))
    chance = np.random.default_rng(0)
    found: Completion | None = None
    for number in reversed(range(len(levels))):
        known, inside, given = levels[number]
        level = _Level.of(inside, given, 2.0**number)
        if level is None:
            continue
        estimate, steps = _start(known, inside, found, guide)
        found = level.improved(estimate, steps, chance)
    return found


def _coarser(picture: Image, hole: Mask, source: Mask) -> tuple[Image, Mask, Mask]:
    """The same at half the size: the mean of what is known."""
    height, width = hole.shape[0] // 2, hole.shape[1] // 2
    whole = np.s_[: 2 * height, : 2 * width]

    def halved(values: NDArray[np.generic]) -> Floats:
        large = values[whole].astype(np.float32)
        return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.float32)

    share = halved(~hole)
    colours = halved(np.where(hole[..., None], 0, picture)) / np.maximum(share, WEIGHT_MIN)[..., None]
    small = np.clip(colours + np.float32(0.5), 0, 255).astype(np.uint8)
    return small, share < KNOWN_MIN, halved(source) > SOURCE_MIN


def _start(picture: Image, hole: Mask, coarse: Completion | None, guide: Image) -> tuple[Image, Numbers | None]:
    """A first estimate of ``picture`` (h, w, 3), and of the steps (h, w, 2): enlarged ones, where there are any."""
    height, width = hole.shape
    if coarse is None:
        rough = cv2.resize(guide, (width, height), interpolation=cv2.INTER_AREA)
        return np.where(hole[..., None], rough, picture).astype(np.uint8), None
    large = cv2.resize(coarse.picture, (width, height), interpolation=cv2.INTER_LINEAR)
    rows = np.minimum(np.arange(height) // 2, coarse.steps.shape[0] - 1)
    columns = np.minimum(np.arange(width) // 2, coarse.steps.shape[1] - 1)
    return np.where(hole[..., None], large, picture).astype(np.uint8), 2 * coarse.steps[rows][:, columns]


@dataclass(frozen=True, kw_only=True)
class _Level:
    """One size of the picture: the N patches about its hole, and the places of whole source patches."""

    hole: Mask  # (h, w)
    whole: Mask  # (h, w) centres of patches that are source
    nearest: Numbers  # (h, w) for each place, the flat index of the nearest such centre
    rows: Numbers  # (N,) centres of the patches about the hole
    columns: Numbers  # (N,)
    number: Numbers  # (h, w) which of the N patches is there, -1 for none
    trust: Floats  # (N,) weight by depth in the hole
    far: tuple[float, float]  # cost of the way y, x, summed over a patch's values
    far_max: float  # and the largest

    @classmethod
    def of(cls, hole: Mask, source: Mask, step: float) -> "_Level | None":
        """``step``: pixels of the finest picture for one of this. None without a hole or a whole source patch."""
        side = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)
        whole = cv2.erode(source.astype(np.uint8), side, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
        if not whole.any() or not hole.any():
            return None
        rows, columns = (axis.astype(np.int32) for axis in np.nonzero(cv2.dilate(hole.astype(np.uint8), side)))
        number = np.full(hole.shape, -1, np.int32)
        number[rows, columns] = np.arange(len(rows))
        at = np.nonzero(whole)
        depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)[rows, columns]
        values = 3 * len(POINTS)
        return cls(
            hole=hole,
            whole=whole,
            nearest=np.flatnonzero(whole).astype(np.int32)[_nearest(hole.shape, *at)],
            rows=rows,
            columns=columns,
            number=number,
            trust=np.asarray(TRUST_LOSS**depth, np.float32),
            far=(FAR_Y * values * step**2, FAR_X * values * step**2),
            far_max=FAR_MAX * values,
        )

    def improved(self, picture: Image, steps: Numbers | None, chance: np.random.Generator) -> Completion:
        """The completion that begins with the estimate ``picture`` (h, w, 3), and with ``steps`` (h, w, 2) if given."""
        patches = _patches(picture)  # those of the source stay as they are
        wanted = patches[self.rows * self.hole.shape[1] + self.columns].astype(np.float32)
        at = self._places(self._sparse_steps(patches, wanted) if steps is None else steps)
        weight = np.zeros(len(at), np.float32)
        for turn in range(ROUNDS):
            if turn:
                wanted = self._wanted(picture)
            at, misfit = self._better(patches, wanted, at, chance)
            deviation = max(float(np.percentile(misfit, MISFIT_PERCENTILE)), 1.0)
            weight = self.trust * np.exp(misfit / np.float32(-2 * deviation)) + np.float32(WEIGHT_MIN)
            picture = self._mean(picture, at, weight)
        row, column = np.divmod(at, self.hole.shape[1])
        return Completion(
            picture=picture,
            steps=self._spread(np.stack([row - self.rows, column - self.columns], 1)),
            weight=self._spread(weight),
        )

    def _spread(self, values: NDArray[Value]) -> NDArray[Value]:
        """(h, w, ...) ``values`` (N, ...) of the patches at their centres, elsewhere 0."""
        result = np.zeros((*self.hole.shape, *values.shape[1:]), values.dtype)
        result[self.rows, self.columns] = values
        return result

    def _wanted(self, picture: Image) -> Floats:
        """(N, 3 * len(POINTS)) the compared values of the patches about the hole in ``picture`` (h, w, 3)."""
        wide = cv2.copyMakeBorder(picture, RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE)
        corner = (self.rows + RADIUS) * wide.shape[1] + self.columns + RADIUS
        flat = wide.reshape(-1, 3)
        around = np.array([down * wide.shape[1] + right for down, right in POINTS], np.int32)
        return flat[corner[:, None] + around].reshape(len(corner), -1).astype(np.float32)

    def _places(self, steps: Numbers) -> Numbers:
        """(N,) flat indices of source patches, the nearest ones to where ``steps`` (h, w, 2) lead."""
        height, width = self.hole.shape
        mine = steps[self.rows, self.columns]
        return self.nearest[
            np.clip(self.rows + mine[:, 0], 0, height - 1), np.clip(self.columns + mine[:, 1], 0, width - 1)
        ]

    def _cost(self, patches: Image, wanted: Floats, at: Numbers, which: Numbers) -> Floats:
        """(K,) misfit of the patches ``which`` (K,) to the sources ``at`` (K,), with the cost of the way."""
        difference = patches.take(at, axis=0) - wanted.take(which, axis=0)
        row, column = np.divmod(at, self.hole.shape[1])
        way = self.far[0] * (row - self.rows[which]) ** 2 + self.far[1] * (column - self.columns[which]) ** 2
        return np.einsum("ij,ij->i", difference, difference) + np.minimum(way, self.far_max).astype(np.float32)

    def _sparse_steps(self, patches: Image, wanted: Floats) -> Numbers:
        """(h, w, 2) steps to sources. Every ``SPARSE``-th patch gets the best of all; the others get the nearest's."""
        some = np.flatnonzero((self.rows % SPARSE == 0) & (self.columns % SPARSE == 0)).astype(np.int32)
        if len(some) == 0:
            return np.zeros((*self.hole.shape, 2), np.int32)
        row, column = np.divmod(self._best(patches, wanted, some), self.hole.shape[1])
        mine = np.stack([row - self.rows[some], column - self.columns[some]], 1)
        return mine[_nearest(self.hole.shape, self.rows[some], self.columns[some])]

    def _best(self, patches: Image, wanted: Floats, which: Numbers) -> Numbers:
        """(K,) for each of the patches ``which`` (K,) the best source of all."""
        places = np.flatnonzero(self.whole).astype(np.int32)
        given, compared = patches.take(places, axis=0).astype(np.float32), wanted.take(which, axis=0)
        # |a - b|^2 = |a|^2 - 2ab + |b|^2: the last is the same for all sources.
        squares = (given * given).sum(1)
        at = np.stack(np.divmod(places, self.hole.shape[1])).astype(np.float32)
        here = np.stack([self.rows[which], self.columns[which]]).astype(np.float32)
        best = np.zeros(len(which), np.int32)
        for start in range(0, len(which), TILE_PATCHES):
            part = slice(start, start + TILE_PATCHES)
            way = np.zeros((len(which[part]), len(places)), np.float32)
            for axis, far in enumerate(self.far):
                distance = np.subtract.outer(here[axis, part], at[axis])
                way += np.float32(far) * np.square(distance, out=distance)
            cost = squares - 2 * (compared[part] @ given.T)
            cost += np.minimum(way, np.float32(self.far_max), out=way)
            best[part] = places[cost.argmin(1)]
        return best

    def _better(
        self, patches: Image, wanted: Floats, at: Numbers, chance: np.random.Generator
    ) -> tuple[Numbers, Floats]:
        """(N,) sources that are not worse than ``at`` (N,), and their cost: the neighbours' ones, and random ones."""
        height, width = self.hole.shape
        every = np.arange(len(at), dtype=np.int32)
        at, cost = at.copy(), self._cost(patches, wanted, at, every)

        def attempt(row: Numbers, column: Numbers) -> None:
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            place = np.where(inside, row * width + column, at)
            new = np.flatnonzero((place != at) & self.whole.ravel()[place])
            found = self._cost(patches, wanted, place[new], new.astype(np.int32))
            better = found < cost[new]
            at[new[better]], cost[new[better]] = place[new[better]], found[better]

        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            beside = self.number[np.clip(self.rows + down, 0, height - 1), np.clip(self.columns + right, 0, width - 1)]
            row, column = np.divmod(np.where(beside >= 0, at[beside], at), width)
            there = beside >= 0
            attempt((row - down * there).astype(np.int32), (column - right * there).astype(np.int32))
        for reach in REACHES:
            row, column = np.divmod(at, width)
            moved = chance.integers(-reach, reach + 1, (2, len(at)), np.int32)
            attempt(row + moved[0], column + moved[1])
        return at, cost

    def _mean(self, picture: Image, at: Numbers, weight: Floats) -> Image:
        """``picture`` with each pixel of the hole the mean of what the sources of the patches over it say."""
        width = self.hole.shape[1]
        rows, columns = np.nonzero(self.hole)
        flat = picture.reshape(-1, 3)
        total, colours = np.zeros(len(rows), np.float32), np.zeros((len(rows), 3), np.float32)
        around = cv2.copyMakeBorder(self.number, RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE)
        wide, numbers = around.shape[1], np.asarray(around, np.int32).ravel()
        centre = (rows + RADIUS) * wide + columns + RADIUS
        for down, right in POINTS:
            patch = numbers.take(centre - (down * wide + right))
            share = weight.take(patch)
            colours += flat.take(at.take(patch) + (down * width + right), axis=0) * share[:, None]
            total += share
        result = picture.copy()
        result[rows, columns] = np.clip(colours / total[:, None] + np.float32(0.5), 0, 255).astype(np.uint8)
        return result


def _nearest(shape: tuple[int, ...], rows: NDArray[np.integer], columns: NDArray[np.integer]) -> Numbers:
    """(h, w) for each place, which of the points ``rows`` (N,), ``columns`` (N,) is the nearest."""
    points = np.ones(shape, np.uint8)
    points[rows, columns] = 0
    _, labels = cv2.distanceTransformWithLabels(points, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    label = np.asarray(labels, np.int32)
    number = np.zeros(int(label.max()) + 1, np.int32)
    number[label[rows, columns]] = np.arange(len(rows))
    return number[label]


def _patches(picture: Image) -> Image:
    """(h * w, 3 * len(POINTS)) uint8 the compared values of the patch around each pixel of ``picture`` (h, w, 3)."""
    height, width = picture.shape[:2]
    wide = cv2.copyMakeBorder(picture, RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE)
    result = np.empty((height, width, len(POINTS), 3), np.uint8)
    for k, (down, right) in enumerate(POINTS):
        result[:, :, k] = wide[RADIUS + down : RADIUS + down + height, RADIUS + right : RADIUS + right + width]
    return result.reshape(height * width, -1)

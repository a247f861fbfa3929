"""Holes that become like the rest of the picture."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.completion import POINTS, _Level, _patches, complete


def _grass(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(90, 150, (height, width, 3)).astype(np.uint8)


def _guide(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Smooth colours in the hole, from those around it."""
    return np.asarray(cv2.inpaint(image, hole.astype(np.uint8) * 255, 3, cv2.INPAINT_TELEA), np.uint8)


def test_a_texture_goes_on_in_the_middle_of_a_large_hole() -> None:
    """Far from all that is known there is as much detail as outside, and no blur; known pixels stay."""
    image = _grass(80, 120)
    hole = np.zeros((80, 120), np.bool_)
    hole[15:65, 40:80] = True
    holed = np.where(hole[..., None], 0, image).astype(np.uint8)
    found = complete(holed, hole, ~hole, _guide(holed, hole))
    assert found is not None
    assert np.array_equal(found.picture[~hole], image[~hole])
    detail = np.abs(np.diff(found.picture.astype(int), axis=1)).mean(-1)
    assert detail[30:50, 52:68].mean() > 0.5 * detail[:10].mean()


def test_a_line_that_the_hole_interrupts_goes_on() -> None:
    """A dark bar from the left to the right edge is whole, at its height and of its thickness."""
    image = np.full((80, 120, 3), 180, np.uint8)
    image[40:46] = 40
    hole = np.zeros((80, 120), np.bool_)
    hole[10:70, 45:75] = True
    holed = np.where(hole[..., None], 0, image).astype(np.uint8)
    found = complete(holed, hole, ~hole, _guide(holed, hole))
    assert found is not None
    middle = found.picture[:, 60, 0]
    assert middle[42:44].max() < 80
    assert middle[15:37].min() > 150
    assert middle[49:65].min() > 150


def test_steps_lead_to_whole_patches_of_the_source() -> None:
    """All patches that a pixel of the hole is made of lie in the source; where nothing is source there is no answer."""
    image = _grass(60, 90)
    hole, source = np.zeros((60, 90), np.bool_), np.ones((60, 90), np.bool_)
    hole[20:40, 30:60] = True
    source[:, :25] = False
    source &= ~hole
    found = complete(image, hole, source, _guide(image, hole))
    assert found is not None
    rows, columns = np.nonzero(found.weight)
    goal = np.stack([rows, columns], 1) + found.steps[rows, columns]
    for point in POINTS:
        assert source[tuple((goal + point).T)].all()
    assert complete(image, hole, source & False, image) is None


def test_the_best_source_is_that_of_a_plain_comparison_of_all() -> None:
    """The products that compare all sources at once choose what a loop over them chooses."""
    image = _grass(24, 30)
    hole = np.zeros((24, 30), np.bool_)
    hole[9:14, 12:18] = True
    level = _Level.of(hole, ~hole, 4.0)
    assert level is not None
    patches = _patches(image)
    wanted = patches[level.rows * 30 + level.columns].astype(np.float32)
    which = np.arange(0, len(wanted), 7, dtype=np.int32)
    best = level._best(patches, wanted, which)
    cost = level._cost(patches, wanted, best, which)
    places = np.flatnonzero(level.whole).astype(np.int32)
    for k, number in enumerate(which):
        costs = level._cost(patches, wanted, places, np.full(len(places), number, np.int32))
        assert cost[k] <= costs.min() * 1.0001 + 1


def test_the_guide_decides_between_sources_that_fit_alike() -> None:
    """In the middle between a dark and a light half, the hole is divided where the guide divides it."""
    image = np.full((80, 120, 3), 60, np.uint8)
    image[:, 60:] = 180
    hole = np.zeros((80, 120), np.bool_)
    hole[:, 40:80] = True
    for edge in (48, 60, 72):
        guide = np.full_like(image, 60)
        guide[:, edge:] = 180
        found = complete(np.where(hole[..., None], 0, image).astype(np.uint8), hole, ~hole, guide)
        assert found is not None
        assert found.picture[40, 40 : edge - 4].max() < 120
        assert found.picture[40, edge + 4 : 80].min() > 120

"""What a picture's last rows show goes on below them."""

import numpy as np

from bodydouble.renderers.puppet.picture.carried_on import carried_on, weave

SCALE, EDGE, WIDTH = 40.0, 60, 120
CLOTH, STRAP = np.array([150.0, 140.0, 90.0]), np.array([60.0, 30.0, 20.0])
EVERYWHERE = np.ones((EDGE, WIDTH), np.bool_)


def _below(colour: np.ndarray, shown: np.ndarray = EVERYWHERE, flesh: np.ndarray = ~EVERYWHERE) -> np.ndarray:
    """(260, w, 3) what is made up below ``colour`` (h, w, 3)."""
    below = np.broadcast_to(CLOTH.astype(np.float32), (260, WIDTH, 3)).copy()
    return carried_on(below, colour, shown, flesh, EVERYWHERE, EDGE, SCALE)[EDGE:]


def _between(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(h, w, 3) cloth with something darker between the columns ``left`` and ``right`` (h,)."""
    columns = np.arange(WIDTH)[None]
    inside = (columns >= left[:, None]) & (columns < right[:, None])
    return np.where(inside[..., None], STRAP, CLOTH).astype(np.float32)


def test_a_strap_goes_on_and_ends_far_below() -> None:
    """Right below the edge it has its own columns and colour; far below all is the usual cloth."""
    below = _below(_between(np.full(EDGE, 50), np.full(EDGE, 62)))
    assert np.abs(below[:20, 53:59] - STRAP).max() < 8
    assert np.abs(below[:20, [30, 90]] - CLOTH).max() < 8
    assert np.abs(below[-10:] - CLOTH).max() < 8


def test_lapels_that_run_together_close() -> None:
    """What two slanting lines enclose becomes narrower below the edge as above it, until they meet."""
    down = np.arange(EDGE)
    below = _below(_between(10 + 0.6 * down, 110 - 0.6 * down))
    dark = (np.abs(below - STRAP).max(2) < 40).sum(1)
    assert dark[2] > 20
    assert dark[12] < dark[2] - 6
    assert dark[100] == 0


def test_skin_at_the_edge_does_not_go_on() -> None:
    """It ends in a neckline that is made elsewhere: neither its colours nor those of its collar run down."""
    colour, flesh = _between(np.full(EDGE, 40), np.full(EDGE, 80)), np.zeros((EDGE, WIDTH), np.bool_)
    flesh[:, 44:76] = True
    assert np.abs(_below(colour, flesh=flesh)[5:, 38:82] - CLOTH).max() < 8


def test_cloth_that_is_made_up_has_the_texture_of_what_is_seen() -> None:
    """Its detail is as strong, and has nothing of a button."""
    threads = np.random.default_rng(3).normal(0, 6, (EDGE, WIDTH, 1)).astype(np.float32)
    colour = (CLOTH + threads).astype(np.float32)
    colour[20:26, 20:26] = 0
    detail = weave(colour, EVERYWHERE, (80, WIDTH), SCALE)
    assert 4 < detail.std() < 8
    assert np.abs(detail).max() < 40


def test_folds_are_no_texture() -> None:
    """Repeated, they would be stripes: the texture is that of cloth beside them, or none."""
    threads = np.random.default_rng(3).normal(0, 2, (EDGE, WIDTH, 1)).astype(np.float32)
    folds = np.zeros((EDGE, WIDTH, 1), np.float32)
    folds[:, 4:90:6] = folds[:, 5:90:6] = 40
    detail = weave(CLOTH.astype(np.float32) + threads + folds, EVERYWHERE, (80, WIDTH), SCALE)
    assert 1 < detail.std() < 3
    assert not weave(CLOTH.astype(np.float32) + folds[:, :80], EVERYWHERE[:, :80], (80, WIDTH), SCALE).any()


def test_no_cloth_has_no_texture() -> None:
    """Where nothing as large as a patch is seen, what is made up is plain."""
    assert not weave(np.zeros((EDGE, WIDTH, 3), np.float32), ~EVERYWHERE, (9, WIDTH), SCALE).any()

"""Outlines that an arm or hand covers."""

import numpy as np

from bodydouble.renderers.puppet.picture.outlines import behind, without_specks


def rectangle(left, top, right, bottom):
    """(100, 100) true from ``left`` and ``top`` up to ``right`` and ``bottom``."""
    mask = np.zeros((100, 100), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_a_hand_leaves_no_notch_in_a_thigh():
    """Behind a hand the outline goes on as far beside the body as above and below it; nothing else is added."""
    model, hand = rectangle(40, 0, 60, 100), rectangle(28, 40, 44, 60)
    part = rectangle(34, 0, 66, 100) & ~hand

    added = behind(part, hand, model, reach=20)

    assert added[43:57, 34:44].all()
    assert not added[:, :34].any()
    assert not (added & ~hand).any()


def test_at_the_right_too():
    """Both sides of a part are completed."""
    model, hand = rectangle(40, 0, 60, 100), rectangle(56, 40, 72, 60)
    part = rectangle(34, 0, 66, 100) & ~hand

    added = behind(part, hand, model, reach=20)

    assert added[43:57, 57:65].all()
    assert not added[:, 67:].any()


def test_far_from_what_is_seen_nothing_is_added():
    """An arm that covers a whole side tells nothing about it, but near its end."""
    model, arm = rectangle(40, 0, 60, 100), rectangle(28, 0, 44, 80)
    part = rectangle(34, 0, 66, 100) & ~arm

    added = behind(part, arm, model, reach=20)

    assert added[68:77, 34:44].all()
    assert not added[:60].any()


def test_a_leg_before_a_sleeve_keeps_its_own_side():
    """A sleeve that hangs behind a hip hides nothing of it."""
    model, sleeve = rectangle(40, 0, 60, 100), rectangle(28, 20, 38, 50)
    part = rectangle(38, 0, 66, 50) | rectangle(32, 50, 66, 100)

    assert not behind(part, sleeve, model, reach=20).any()


def test_faint_pieces_beside_a_layer_vanish() -> None:
    """The soft rim of what is opaque stays, and so does a layer that is faint all over."""
    alpha = np.zeros((20, 30), np.float32)
    alpha[4:12, 4:12], alpha[6:10, 6:10] = 0.3, 1
    speck = alpha.copy()
    speck[14:16, 20:24] = 0.3
    assert np.array_equal(without_specks(speck), alpha)
    assert np.array_equal(without_specks(speck * 0.4), (speck * 0.4))

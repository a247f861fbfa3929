"""Bystanders without the removed person's rim."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.fringe import without_fringe, without_rim

JACKET, SHIRT = (20, 30, 60), (200, 200, 200)


def test_a_rim_on_a_bystander_takes_the_bystanders_colours() -> None:
    """Beside the person the matte's border shines through; where nobody is kept, nothing changes."""
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100], image[:, 100:] = SHIRT, JACKET
    image[:, 100:103] = (110, 115, 130)
    matte, others = np.zeros((100, 200), np.uint8), np.zeros((100, 200), np.uint8)
    matte[:, :100] = 255
    others[:50, 100:] = 255
    found = without_fringe(image, matte, others, 480)
    assert (found[:46, 100:] == JACKET).all()
    assert (found[54:] == image[54:]).all()
    assert (found[:, :100] == image[:, :100]).all()


def test_without_bystanders_the_image_is_the_same() -> None:
    """Far from the person, or nobody at all: nothing is copied."""
    image, matte = np.zeros((100, 200, 3), np.uint8), np.zeros((100, 200), np.uint8)
    others = matte.copy()
    matte[:, :50] = 255
    assert without_fringe(image, matte, others, 480) is image
    others[:, 150:] = 255
    assert without_fringe(image, matte, others, 480) is image


def test_a_things_rim_has_its_own_colours() -> None:
    """A white ball half before a dark shirt: there the grey ring between them becomes white, and the rest stays."""
    image = np.full((80, 80, 3), 20, np.uint8)
    cv2.circle(image, (40, 40), 20, (240, 240, 240), -1)
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8)
    ball = np.zeros((80, 80), np.float32)
    cv2.circle(ball, (40, 40), 21, (1.0,), -1)
    person = np.zeros((80, 80), np.uint8)
    person[:, :40] = 255
    clean, before = without_rim(image, ball, person, 480), (ball > 0) & (person > 0)
    assert (clean[before] > 220).all()
    assert np.array_equal(clean[~before], image[~before])
    assert without_rim(image, None, person, 480) is image
    assert without_rim(image, np.zeros_like(ball), person, 480) is image

"""Long hair is told from what it hangs over."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.picture.hair import hanging_hair

HAIR, SKIN, DRESS = (150, 70, 40), (230, 190, 165), (90, 120, 180)
SCALE = 20.0
CHIN = 60.0


def person(hair=HAIR):
    """Picture, person, head, face, body and a lock before the body, of a figure with long hair."""
    image = np.full((200, 160, 3), 128, np.uint8)
    opaque, head, face, body, lock = (np.zeros((200, 160), np.uint8) for _ in range(5))
    for mask, start, stop in ((head, (50, 15), (110, 70)), (body, (40, 70), (120, 199))):
        cv2.rectangle(mask, start, stop, 1, -1)
    cv2.ellipse(face, (80, 45), (14, 18), 0, 0, 360, 1, -1)
    cv2.rectangle(lock, (50, 70), (62, 130), 1, -1)
    opaque |= head | body
    image[body > 0] = DRESS
    image[(head > 0) | (lock > 0)] = hair
    image[face > 0] = SKIN
    noise = np.random.default_rng(0).integers(-6, 7, image.shape)
    return (np.clip(image + noise, 0, 255).astype(np.uint8), *(m > 0 for m in (opaque, head, face, body & ~lock, lock)))


def test_a_lock_before_the_body_is_hair():
    """What hangs from the head in the hair's colour is found down to its end."""
    image, opaque, head, face, body, lock = person()
    found = hanging_hair(image, opaque, head, face, body, CHIN, SCALE)
    assert found[lock].mean() > 0.9
    assert found[body].mean() < 0.02


def test_a_patch_that_does_not_hang_on_the_head_is_no_hair():
    """A bag in the hair's colour stays the body's."""
    image, opaque, head, face, body, _ = person()
    image[160:190, 70:100] = HAIR
    assert not hanging_hair(image, opaque, head, face, body, CHIN, SCALE)[160:190, 70:100].any()


@pytest.mark.parametrize("hair", [DRESS, SKIN])
def test_hair_like_everything_else_is_not_looked_for(hair):
    """Where dress or skin has the hair's colour, nothing of the body is taken for hair."""
    image, opaque, head, face, body, _ = person(hair)
    image[face] = image[body][0] if hair == DRESS else image[face]
    body = body & (np.arange(200)[:, None] > 70)
    assert hanging_hair(image, opaque, head, face, body, CHIN, SCALE)[body].mean() < 0.02

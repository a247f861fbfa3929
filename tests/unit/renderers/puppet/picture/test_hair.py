"""Long hair is told from what it hangs over."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.picture.hair import hanging_hair, lock_before

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


def arms(sleeve, twin_sleeve):
    """Picture, hair, arm and twin, and what a lock covers of the arm below a gap in the shade."""
    image = np.full((200, 160, 3), 128, np.uint8)
    hair, arm, twin, lock = (np.zeros((200, 160), np.bool_) for _ in range(4))
    hair[20:60, 40:60] = arm[64:180, 30:60] = twin[64:180, 100:130] = lock[64:110, 44:60] = True
    image[arm], image[twin], image[hair | lock] = sleeve, twin_sleeve, HAIR
    noise = np.random.default_rng(0).integers(-6, 7, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), hair, arm, twin, lock


def test_a_lock_that_the_twin_lacks_is_no_arm():
    """Hair over one sleeve is told from it by the other sleeve, although a shade parts it from the hair above."""
    image, hair, arm, twin, lock = arms(DRESS, DRESS)
    found = lock_before(image, hair, arm, twin, SCALE)
    assert found[lock].mean() > 0.9
    assert found[arm & ~lock].mean() < 0.02


def test_sleeves_like_hair_are_no_locks():
    """Where both arms have the hair's colour, or what has it is far from the hair, the arm is whole."""
    image, hair, arm, twin, _ = arms(DRESS, HAIR)
    assert lock_before(image, hair, arm, twin, SCALE)[arm].mean() < 0.02
    image, hair, arm, twin, _ = arms(DRESS, DRESS)
    hair[40:] = False
    assert not lock_before(image, hair, arm, twin, SCALE).any()

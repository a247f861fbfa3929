"""Single hairs beside the mask of the removed person."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.removal import unknown_mask
from bodydouble.renderers.puppet.compositing.strands import strands_beside

SIZE = (240, 200)


def wall_with_person() -> tuple[np.ndarray, np.ndarray]:
    """An even wall (H, W, 3) with a dark person, and that person's mask (H, W)."""
    image = np.full((*SIZE, 3), 150, np.uint8)
    image += np.random.default_rng(0).integers(0, 4, image.shape, np.uint8)
    person = np.zeros(SIZE, np.uint8)
    person[60:, 100:160] = 255
    image[person > 0] = 40
    return image, np.asarray(cv2.dilate(person, np.ones((9, 9), np.uint8)), np.uint8)


def drawn(image: np.ndarray, *ends: tuple[int, int]) -> np.ndarray:
    """(H, W) where a dark hair along ``ends`` was drawn into ``image``, in place."""
    hair = np.zeros(SIZE, np.uint8)
    cv2.polylines(hair, [np.array(ends, np.int32)], False, 255, 1)
    wide = cv2.dilate(hair, np.ones((2, 2), np.uint8))
    image[wide > 0] = 90
    return wide > 0


def test_a_hair_before_a_wall_is_found() -> None:
    """A dark curl that begins at the mask and ends near it is found; wall and person are not."""
    image, person = wall_with_person()
    curl = drawn(image, (101, 80), (92, 90), (90, 100), (95, 106))
    found = strands_beside(image, person, SIZE[0]) > 0
    assert found[curl & (person == 0)].mean() > 0.9
    assert not found[cv2.dilate(curl.view(np.uint8), np.ones((15, 15), np.uint8)) == 0].any()


def test_lines_and_texture_of_the_wall_are_none() -> None:
    """A line that goes on beyond the reach is the wall's, and so is gravel."""
    image, person = wall_with_person()
    drawn(image, (101, 100), (20, 100))
    assert not strands_beside(image, person, SIZE[0]).any()
    image, person = wall_with_person()
    gravel = np.random.default_rng(1).integers(90, 210, (SIZE[0] // 3, SIZE[1] // 3, 3), np.uint8)
    texture = gravel.repeat(3, 0).repeat(3, 1)
    image[: len(texture), : texture.shape[1]][person[: len(texture), : texture.shape[1]] == 0] = texture[
        person[: len(texture), : texture.shape[1]] == 0
    ]
    assert strands_beside(image, person, SIZE[0]).mean() < 2


def test_no_background_is_learned_from_a_hair() -> None:
    """What may be the person includes a curl beside the shoulder, far from the head."""
    image, person = wall_with_person()
    curl = drawn(image, (95, 130), (86, 140), (87, 150))
    body, visibility = np.full((33, 3), 200.0), np.zeros(33)
    unknown = unknown_mask(image, person, body, visibility)
    assert (unknown[curl] == 255).mean() > 0.9

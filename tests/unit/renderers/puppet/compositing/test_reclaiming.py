"""Pieces of other people that the removed person's matte claims."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.reclaiming import reclaimed
from mannequin import joints, picture
from synthetic_scene import scenery

SIZE = (600, 500)
WIDE = np.ones((9, 9), np.uint8)
SEEN = np.full(33, 0.95)


def scene(colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """An image (H, W, 3), the person's mask, and head, in ``colour``, and trunk (H, W) of somebody in brown."""
    person, share = picture(joints(), SIZE)
    mask = (share > 0.5).astype(np.uint8) * np.uint8(255)
    image = np.where(mask[..., None] > 0, person, scenery(*SIZE)).astype(np.uint8)
    head, trunk = np.zeros_like(mask), np.zeros_like(mask)
    cv2.circle(head, (400, 260), 30, 255, -1)
    cv2.rectangle(trunk, (360, 260), (480, 490), 255, -1)
    trunk[head > 0] = 0
    image[trunk > 0], image[head > 0] = (120, 60, 20), colour
    return image, mask, head, trunk


def given_back(colour: tuple[int, int, int], *, claims_trunk: bool = False, width: int = 120) -> float:
    """The share of a head in ``colour``, which the matte claims, that goes back to a trunk of ``width`` pixels."""
    image, mask, head, trunk = scene(colour)
    trunk[:, 360 + width :] = 0
    claimed = np.maximum(head, trunk) if claims_trunk else head
    everybody = np.maximum(mask, np.maximum(head, trunk))
    mask = np.where(trunk > 0, claimed, np.maximum(mask, claimed))
    found = reclaimed(image, mask, np.where(mask > 0, np.uint8(0), everybody), joints(), SEEN)
    return 0.0 if found is None else float((found[head > 0] > 0).mean())


def test_a_head_that_the_matte_claims_goes_back_to_its_trunk() -> None:
    """It is away from the person's limbs, in other colours, and most of its outline is somebody else's or nobody's."""
    assert given_back((240, 230, 120)) > 0.8


def test_what_has_the_persons_colours_or_outline_stays_theirs() -> None:
    """Cloth in the person's colours is theirs, and so is what goes on in nobody else."""
    assert given_back((40, 70, 160)) == 0
    assert given_back((240, 230, 120), claims_trunk=True) == 0
    assert given_back((240, 230, 120), width=30) == 0  # a rim, or a lock of hair


def test_the_person_alone_loses_nothing() -> None:
    """The whole matte is theirs where nobody else is."""
    image, mask, *_ = scene((240, 230, 120))
    wide = np.asarray(cv2.dilate(mask, WIDE), np.uint8)
    assert reclaimed(image, wide, np.zeros_like(mask), joints(), SEEN) is None
    assert reclaimed(image, wide, np.zeros_like(mask), np.full((33, 2), np.nan), SEEN) is None

"""Colours by body part."""

import numpy as np
import pytest

from bodydouble.evaluation.clothes import ClothesLikeness
from mannequin import joints, picture, track_of


@pytest.fixture
def dressed():
    """The mannequin: picture, track of one frame, matte 0-255."""
    pose = joints()
    image, mask = picture(pose)
    return image, track_of([pose]), (mask * 255).astype(np.uint8)


def _likeness(dressed, image) -> tuple[float | None, dict[str, float]]:
    reference, track, matte = dressed
    clothes = ClothesLikeness(reference, track, matte.astype(np.float32) / 255)
    clothes.add("output", image, track, 0, matte)
    return clothes.result("output"), clothes.by_part("output")


def test_the_same_clothes_are_alike_in_a_little_more_light(dressed):
    """A frame 8 levels brighter shows the same clothes."""
    same, parts = _likeness(dressed, dressed[0])
    brighter, _ = _likeness(dressed, np.clip(dressed[0].astype(int) + 8, 0, 255).astype(np.uint8))

    assert same == pytest.approx(1)
    assert set(parts) == {"trunk", "upper arms", "forearms", "thighs", "shins", "feet"}
    assert brighter is not None
    assert brighter > 0.6


def test_other_trousers_are_told_by_part(dressed):
    """Red trousers instead of green ones: thighs and shins differ, the shirt does not."""
    image = dressed[0].copy()
    image[(image == (40, 120, 70)).all(-1)] = (200, 30, 40)

    _, parts = _likeness(dressed, image)

    assert parts["thighs"] < 0.2
    assert parts["shins"] < 0.2
    assert parts["trunk"] == pytest.approx(1)


def test_nobody_is_not_measured(dressed):
    """Without frames there is no value."""
    reference, track, matte = dressed
    clothes = ClothesLikeness(reference, track, matte.astype(np.float32) / 255)
    track.present[:] = False
    clothes.add("output", reference, track, 0, matte)

    assert clothes.result("output") is None
    assert clothes.by_part("output") == {}

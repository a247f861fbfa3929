"""How soft a video shows its person."""

import cv2
import numpy as np
import pytest

from bodydouble.perception.arrays import Bytes
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from bodydouble.renderers.puppet.compositing.softness import edge_width, measure_softness, softened_puppet
from bodydouble.renderers.puppet.drawing.drawing import Drawing

SIDE = 240
EVERYWHERE = np.ones((SIDE, SIDE), np.bool_)


def patterned(sigma: float) -> Bytes:
    """(SIDE, SIDE, 3) squares of random lightness, blurred."""
    levels = np.random.default_rng(3).integers(20, 235, (12, 12, 1), np.uint8)
    sharp = np.repeat(np.repeat(np.repeat(levels, 20, 0), 20, 1), 3, 2)
    return np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigma), np.uint8)


def film(sigma: float, count: int = 6) -> list[SampleFrame]:
    """Frames that show such a pattern as the person."""
    matte = np.full((SIDE, SIDE), 255, np.uint8)
    return [SampleFrame(index=i, image=patterned(sigma), matte=matte) for i in range(count)]


def drawn(sigma: float) -> Drawing:
    """A puppet with the same pattern."""
    alpha = np.full((SIDE, SIDE), 255, np.uint8)
    rgba = np.dstack([patterned(sigma), alpha])
    box = (0, 0, SIDE, SIDE)
    return Drawing(bounds=box, rgba=rgba, alpha=alpha, hands=(), face=None, face_cover=None)


@pytest.mark.parametrize("sigma", [0.8, 1.2, 2.0])
def test_the_width_of_an_edge_is_that_of_its_blur(sigma: float) -> None:
    """Within a tenth of the blur of sharp steps and the 0.7 pixels by which gradients are measured."""
    assert edge_width(patterned(sigma), EVERYWHERE) == pytest.approx(np.hypot(sigma, 0.7), rel=0.1)


def test_edges_count_within_the_mask_alone() -> None:
    """What is sharp beside the person says nothing about them."""
    picture = patterned(2.0)
    picture[:, : SIDE // 2] = patterned(0.5)[:, : SIDE // 2]
    right = EVERYWHERE.copy()
    right[:, : SIDE // 2] = False
    assert edge_width(picture, right) == pytest.approx(2.0, rel=0.15)


def test_plain_cloth_has_no_edges_to_measure() -> None:
    """Nothing is said about a person without edges, and their double stays as it is."""
    assert edge_width(np.full((SIDE, SIDE, 3), 90, np.uint8), EVERYWHERE) is None
    plain = [SampleFrame(index=0, image=np.full((SIDE, SIDE, 3), 90, np.uint8), matte=EVERYWHERE.astype(np.uint8))]
    assert measure_softness(plain, lambda *_: drawn(0.5)) == 0


def test_a_sharp_puppet_gets_the_blur_that_it_lacks() -> None:
    """Blurs add up by their squares: 0.5 needs 1.1 to become 1.2."""
    assert measure_softness(film(1.2), lambda *_: drawn(0.5)) == pytest.approx(1.1, rel=0.15)


@pytest.mark.parametrize("own", [1.2, 2.0])
def test_a_puppet_that_is_soft_enough_stays_as_it_is(own: float) -> None:
    """One that is as soft as the video, or softer, is not blurred."""
    assert measure_softness(film(1.2), lambda *_: drawn(own)) == 0


def test_a_shot_that_draws_nobody_needs_no_blur() -> None:
    """Neither a shot without samples nor one in which nothing is drawn."""
    assert measure_softness([], lambda *_: drawn(0.5)) == 0
    assert measure_softness(film(1.2), lambda *_: None) == 0


@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_a_soft_edge_has_the_colours_of_what_it_ends(sigma: float) -> None:
    """A hard edge of a light puppet, with nothing beside it, does not become dark; its inside stays as sharp."""
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[:, :20] = (220, 200, 180, 255)
    rgba[:, 5] = (20, 20, 20, 255)
    alpha = np.ascontiguousarray(rgba[..., 3])
    drawing = Drawing(bounds=(0, 0, 40, 40), rgba=rgba, alpha=alpha, hands=(), face=None, face_cover=None)
    soft, edge = softened_puppet(drawing, sigma)
    assert 0 < edge[20, 20] < 255
    seen = edge[20] > 20
    straight = soft[20, seen, :3].astype(float) * 255 / soft[20, seen, 3:]
    assert np.abs(straight[10:] - (220, 200, 180)).max() < 12
    assert (soft[20, 5, 0] == 20) == (sigma == 0)

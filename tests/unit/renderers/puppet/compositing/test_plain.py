"""Plain walls go on where nothing is seen of them."""

import numpy as np

from bodydouble.renderers.puppet.compositing.colours import LEVELS, colour_codes, with_neighbours
from bodydouble.renderers.puppet.compositing.plain import blends, plain_places

HAIR = (20, 18, 16)


def _wall() -> np.ndarray:
    """A wall whose light changes from left to right."""
    ramp = np.linspace(90, 150, 240).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (160, 240, 3)))


def _hair_colours() -> np.ndarray:
    colours = np.zeros(LEVELS**3, np.bool_)
    colours[colour_codes(np.array([[HAIR]], np.uint8))[0, 0]] = True
    return with_neighbours(colours)


def _judged() -> np.ndarray:
    judged = np.zeros((160, 240), np.uint8)
    judged[40:120, 80:160] = 255
    return judged


def test_hair_that_is_half_wall_is_found_and_light_on_the_wall_is_not() -> None:
    """Both differ from the wall as much; only one of them can be a blend with hair."""
    image = _wall()
    image[60:100, 88:108] = image[60:100, 88:108] // 2 + np.array(HAIR) // 2
    image[60:100, 132:152] += 60
    found = blends(image, _judged(), _hair_colours())
    assert (found[64:96, 92:104] == 255).all()
    assert not found[:, 116:].any()
    assert not found[:50].any()


def test_before_a_textured_wall_nothing_is_told() -> None:
    """A dark place in it may be its own."""
    image = _wall()
    image[::8] -= 40
    image[60:100, 88:108] = HAIR
    assert not blends(image, _judged(), _hair_colours()).any()


def test_a_hole_in_a_plain_wall_is_as_good_as_seen() -> None:
    """Beside foliage it is not; what is seen is no hole."""
    image, hole = _wall(), np.zeros((160, 240), np.bool_)
    hole[40:120, 40:60] = hole[40:120, 180:200] = True
    rows, columns = np.mgrid[:160, :240]
    image[(columns >= 120) & ((rows // 5 + columns // 5) % 2 == 0)] = 20
    found = plain_places(image, hole)
    assert found[44:116, 44:56].all()
    assert not found[:, 180:].any()
    assert not found[~hole].any()

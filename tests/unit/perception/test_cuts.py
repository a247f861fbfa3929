import itertools

import numpy as np

import material
from bodydouble.perception.cuts import frame_signature, is_cut


def test_neighbours_in_a_shot_are_no_cut():
    """A talking man in a moving car stays one shot."""
    looks = [frame_signature(image) for image in material.carphone(12, 240)]

    assert not any(is_cut(a, b) for a, b in itertools.pairwise(looks))


def test_another_scene_is_a_cut():
    """From the car to the hills, and to a black frame, there is a cut."""
    car, hills = material.carphone(1, 240)[0], material.landscape(1, (294, 240))[0]

    assert is_cut(frame_signature(car), frame_signature(hills))
    assert is_cut(frame_signature(car), frame_signature(np.zeros_like(car)))


def test_a_flash_is_no_cut():
    """A photographer's flash brightens a frame but changes no shot."""
    car = material.carphone(1, 240)[0]
    flash = np.clip(car.astype(np.int32) + 90, 0, 255).astype(np.uint8)

    assert not is_cut(frame_signature(car), frame_signature(flash))
    assert not is_cut(frame_signature(flash), frame_signature(car))


def test_a_fast_pan_is_no_cut():
    """A camera that turns by a twelfth of the picture each frame stays in its shot."""
    wide = material.landscape(120, (320, 240))
    looks = [frame_signature(image) for image in wide[::27]]

    assert not any(is_cut(a, b) for a, b in itertools.pairwise(looks))

"""The character from behind."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.body_template import BodyTemplate
from bodydouble.renderers.puppet.body.fit import BodyFit, fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.back_view import TrunkPicture, back_of_trunk, steady_rows
from mannequin import Joints, joints, picture, track_of
from tube_body import tube_body

SKIN, SHIRT, TROUSERS = np.array([225.0, 180.0, 150.0]), np.array([40.0, 70.0, 160.0]), np.array([40.0, 120.0, 70.0])


def _trunk() -> tuple[TrunkPicture, Joints, BodyFit, BodyTemplate]:
    """A trunk in a shirt and trousers without a person's head; the pose, the body, and its template."""
    pose, template = joints(), tube_body()
    _, mask = picture(pose)
    anatomy = anatomy_of(track_of([pose]))
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    rows, columns = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    colour = np.where((rows < pose[23, 1])[..., None], SHIRT, TROUSERS).astype(np.float32)
    nothing = np.zeros(mask.shape, np.bool_)
    beside = np.abs(columns - 250) < 52
    shown = TrunkPicture(
        colour=colour, opacity=mask * beside, arms=nothing, hair=nothing, model=(mask > 0.5) & beside, hem=None
    )
    return shown, pose, fit, template


def _chest(pose: Joints) -> tuple[slice, slice]:
    return np.s_[int(pose[11, 1]) + 20 : int(pose[23, 1]) - 20, 244:256]


def test_an_open_jacket_is_closed_from_behind():
    """A bright stripe down the middle of the chest takes the colour of the sides; legs stay."""
    shown, pose, fit, template = _trunk()
    shown.colour[: int(pose[23, 1]), 242:258] = 250
    back = back_of_trunk(shown, SKIN, fit, template).colour
    assert np.abs(back[_chest(pose)] - SHIRT).max() < 45
    legs = np.s_[int(pose[25, 1]) :]
    assert np.array_equal(back[legs], shown.colour[legs])


def test_cloth_that_goes_across_the_front_goes_across_the_back():
    """Stripes that the sides have too are no print: they stay."""
    shown, pose, fit, template = _trunk()
    chest = _chest(pose)
    shown.colour[chest[0].start : chest[0].stop : 6] = shown.colour[chest[0].start + 1 : chest[0].stop : 6] = 230
    shown.colour[chest[0].start + 2 : chest[0].stop : 6] = 230
    back = back_of_trunk(shown, SKIN, fit, template).colour
    below = np.s_[chest[0].start + 60 : chest[0].stop, chest[1]]
    assert np.abs(back[below] - shown.colour[below]).max() < 5


def test_long_hair_beside_the_trunk_is_no_cloth():
    """Strands down one side of the chest do not colour the back; clothes of the hair's colour stay."""
    shown, pose, fit, template = _trunk()
    hair = np.array([90.0, 40.0, 110.0])
    shoulders, hips = int(pose[11, 1]), int(pose[23, 1])
    locks = np.zeros(shown.opacity.shape, np.bool_)
    locks[: (shoulders + hips) // 2, :225] = True
    shown.colour[: (shoulders + hips) // 2 + 12, :225] = hair  # its ends are not followed
    back = back_of_trunk(replace(shown, hair=locks), SKIN, fit, template).colour
    assert np.abs(back[_chest(pose)] - SHIRT).max() < 45


def test_what_arms_tore_off_the_sides_is_whole_from_behind():
    """A notch where an arm lay before the side, and a rag beside it, are gone: the side is smooth, and a shirt."""
    shown, pose, fit, template = _trunk()
    middle = int(pose[[11, 23], 1].mean())
    opacity, arms = shown.opacity.copy(), np.zeros(shown.opacity.shape, np.bool_)
    arms[middle - 30 : middle + 30, :225] = True
    opacity[middle - 30 : middle + 30, :225] = 0
    opacity[middle - 2 : middle + 2, 180:225] = 1
    back = back_of_trunk(replace(shown, opacity=opacity, arms=arms), SKIN, fit, template)

    whole = back_of_trunk(shown, SKIN, fit, template)
    sides = [np.argmax(trunk.opacity[middle - 25 : middle + 25] > 0.5, axis=1) for trunk in (back, whole)]
    assert np.abs(sides[0] - sides[1]).max() < 8
    assert np.abs(np.diff(sides[0])).max() <= 1
    assert np.abs(back.colour[middle - 20 : middle + 20, 212:220] - SHIRT).max() < 45


def test_a_neckline_is_covered_from_behind():
    """Bare skin below the throat is cloth on the back."""
    shown, pose, fit, template = _trunk()
    shoulders = int(pose[11, 1])
    neckline: NDArray[np.intp] = np.arange(shoulders - 5, shoulders + 20)
    shown.colour[neckline, 238:262] = SKIN
    back = back_of_trunk(shown, SKIN, fit, template).colour
    assert np.abs(back[shoulders : shoulders + 20, 244:256] - SHIRT).max() < 45


def test_rows_of_large_pictures_are_steadied():
    """A strap of few rows goes, a change of cloth stays, however many pixels a decimetre has."""
    for scale in (5.0, 60.0):
        rows = np.repeat([[200.0] * 3, [60.0] * 3], round(10 * scale), axis=0)
        strap = slice(round(4 * scale), round(4.3 * scale))
        rows[strap] = 20
        steady = steady_rows(rows, 1.0, 0.05, scale)
        assert steady[strap].min() > 190
        assert steady[round(8 * scale)].min() > 190
        assert steady[round(12 * scale)].max() < 70


def test_the_edge_of_an_open_jacket_does_not_shine_through():
    """A dark zip beside the bright stripe of an open jacket leaves no line on the back."""
    shown, pose, fit, template = _trunk()
    shown.colour[: int(pose[23, 1]), 242:258] = 250
    shown.colour[: int(pose[23, 1]), 258:260] = 0
    back = back_of_trunk(shown, SKIN, fit, template).colour
    rows, _ = _chest(pose)
    assert np.abs(np.diff(back[rows, 250:268], axis=1)).max() < 12


def test_a_side_in_shade_makes_no_band_of_another_colour():
    """The right half of an open jacket is darker and greyer: what is made up between has one hue."""
    shown, pose, fit, template = _trunk()
    shown.colour[: int(pose[23, 1]), 250:] = 0.8 * SHIRT + 14
    shown.colour[: int(pose[23, 1]), 225:275] = 250
    back = back_of_trunk(shown, SKIN, fit, template).colour
    rows = slice(int(pose[11, 1]) + 40, int(pose[23, 1]) - 20)
    left, right = (back[rows, columns].mean((0, 1)) for columns in (slice(232, 242), slice(258, 268)))
    assert np.abs(left[0] / left[2] - right[0] / right[2]) < 0.02

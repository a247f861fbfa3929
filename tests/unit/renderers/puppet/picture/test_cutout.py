"""Cutting the character out, and keeping the result."""

import numpy as np
import pytest

from bodydouble.perception import Portrait
from bodydouble.renderers.puppet.picture import cutout
from bodydouble.renderers.puppet.picture.cutout import (
    CACHE_NAME,
    cached_cut_out,
    cut_out,
    largest_piece,
    surer_feet,
    trimap_of,
)
from mannequin import joints, picture, portrait_of, track_of


def _portrait(mask: np.ndarray) -> Portrait:
    return portrait_of(track_of([joints()]), mask)


def test_trimap_is_sure_inside_and_outside_and_unknown_at_the_edge():
    """A coarse mask's edge becomes an unknown band, its middle and its surroundings stay sure."""
    mask = np.zeros((140, 100), np.float32)
    mask[30:110, 20:80] = 1
    trimap = trimap_of(mask)
    assert trimap[70, 50] == 1
    assert trimap[5, 5] == 0
    assert trimap[70, 20] == 0.5


def test_a_shoe_of_the_floors_colour_is_opaque_inside():
    """About feet the unknown band is narrower: most of a shoe is sure, its rim and what the mask lacks are not."""
    mask = np.zeros((700, 300), np.float32)
    mask[500:660, 100:124] = 1
    trimap = trimap_of(mask)
    assert trimap[600, 112] == 1
    assert trimap[600, 104] == 0.5
    feet = np.zeros(mask.shape, np.bool_)
    feet[560:, :] = True
    surer = surer_feet(trimap, mask, feet)
    assert surer[600, 104] == 1
    assert surer[600, 100] == 0.5
    assert surer[600, 95] == 0.5
    assert surer[520, 104] == 0.5  # above the feet


def test_islands_are_dropped():
    """What is not connected with the person is not a part of them."""
    alpha = np.zeros((60, 60), np.float32)
    alpha[10:50, 10:30] = 1
    alpha[20:25, 50:55] = 1
    kept = largest_piece(alpha)
    assert kept[20:25, 50:55].max() == 0
    assert kept[10:50, 10:30].min() == 1


def test_the_cutout_follows_the_person():
    """Alpha agrees with the drawn person although the mask it starts from is blurred."""
    image, mask = picture(joints())
    made = cut_out(image, _portrait(mask), np.zeros(mask.shape, np.bool_))
    assert np.abs(made.alpha - mask).mean() < 0.02
    assert made.colour.shape == image.shape


def test_the_cutout_is_kept_and_found_again(tmp_path, monkeypatch):
    """The second call reads the file, answers the same, and no half-written file is left."""
    image, mask = picture(joints(head=30, centre=120, top=10), (240, 240))
    bones = np.zeros(mask.shape, np.bool_)
    first = cached_cut_out(image, _portrait(mask), bones, bones, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [CACHE_NAME]
    monkeypatch.setattr("bodydouble.renderers.puppet.picture.cutout.cut_out", lambda *_: pytest.fail("made again"))
    second = cached_cut_out(image, _portrait(mask), bones, bones, tmp_path)
    assert np.array_equal(first.alpha, second.alpha)
    assert np.array_equal(first.colour, second.colour)


def test_a_faint_veil_is_removed_and_half_stays_about_half(monkeypatch) -> None:
    """What the solver finds hardly there is nothing, and nearly whole is whole."""
    ramp = np.tile(np.linspace(0, 1, 101, dtype=np.float32), (60, 1))
    monkeypatch.setattr(cutout, "closed_form_alpha", lambda image, trimap: ramp)
    alpha = cutout.cut_out(np.full((60, 101, 3), 120, np.uint8), _portrait(ramp), ramp > 1).alpha[30]
    assert (alpha[:13] == 0).all()
    assert (alpha[96:] == 1).all()
    assert abs(float(alpha[52]) - 0.5) < 0.06


def test_what_one_pass_alone_takes_for_the_person_is_cut_away_before_a_landscape() -> None:
    """Before a backdrop of many colours the passes of the network vote; before an even one colours decide."""
    image, mask = picture(joints())
    rock = np.zeros(mask.shape, np.bool_)
    rock[200:280, 250:400] = True
    scene = np.random.default_rng(0).integers(0, 255, (25, 25, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    landscape = np.where(mask[..., None] > 0, image, scene)
    generous = np.where(rock, 1, mask).astype(np.float32)
    portrait = Portrait(track=track_of([joints()]), mask=generous, agreed=mask)
    bones = np.zeros(mask.shape, np.bool_)

    assert cut_out(landscape, portrait, bones).alpha[220:260, 360:390].max() == 0
    assert cut_out(landscape, _portrait(generous), bones).alpha[220:260, 360:390].min() > 0.9

"""An even backdrop tells what of an uncertain mask is the person."""

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.picture.anatomy import anatomy_of, bones_within
from bodydouble.renderers.puppet.picture.backdrop import with_backdrop
from bodydouble.renderers.puppet.picture.cutout import cut_out, trimap_of
from mannequin import joints, picture, portrait_of, track_of


@pytest.fixture
def figure():
    """Picture, exact mask, a mask that holds the backdrop between the legs, and the bones, of a standing person."""
    pose = joints()
    image, mask = picture(pose)
    between = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(between, np.round(pose[[23, 24, 28, 27]]).astype(np.int32), 1)
    return (
        image,
        mask,
        np.maximum(mask, between).astype(np.float32),
        bones_within(anatomy_of(track_of([pose])), mask.shape),
    )


def test_backdrop_between_the_legs_is_no_part_of_the_person(figure):
    """What an even backdrop shows between the legs is transparent, although the mask holds it."""
    image, mask, coarse, bones = figure
    made = cut_out(image, portrait_of(track_of([joints()]), coarse), bones).alpha
    assert np.abs(made - mask).mean() < 0.005
    assert made[350, 250] == 0


def test_cloth_of_the_backdrop_s_colour_stays(figure):
    """A shirt in the backdrop's colour is no gap."""
    image, mask, _, bones = figure
    shirt = (image == (40, 70, 160)).all(2)
    image[shirt] = (150, 150, 150)
    outlined = cv2.erode(shirt.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    image[shirt & ~outlined] = (0, 0, 0)
    made = cut_out(image, portrait_of(track_of([joints()]), mask), bones).alpha
    assert made[outlined].min() == 1


def test_hair_that_the_mask_lacks_is_found_and_writing_is_not(figure):
    """What has another colour than an even backdrop and touches the person belongs to them; writing does not."""
    image, mask, _, bones = figure
    cv2.line(image, (250, 45), (180, 20), (20, 10, 10), 12)
    cv2.line(image, (60, 60), (100, 60), (20, 10, 10), 12)
    made = cut_out(image, portrait_of(track_of([joints()]), mask), bones).alpha
    assert made[22, 186] > 0.9
    assert made[60, 80] == 0


def test_a_landscape_tells_nothing(figure):
    """Where other things stand beside the person their colours say nothing."""
    image, mask, coarse, bones = figure
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (20, 20, 3), np.uint8), (500, 500), interpolation=cv2.INTER_NEAREST)
    image = np.where(mask[..., None] > 0, image, scene)
    trimap = trimap_of(coarse)
    assert with_backdrop(trimap, image, bones) is None


def test_a_small_gap_is_told_by_a_colourful_backdrop_only(figure):
    """A spot of ten pixels in the backdrop's colour is a gap if that is green, and a button or highlight if grey."""
    image, mask, _, bones = figure
    beside_bones = cv2.dilate(bones.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    y, x = np.argwhere((cv2.erode(mask, np.ones((21, 21), np.uint8)) > 0) & beside_bones)[0]
    made = {}
    for name, colour in (("grey", (150, 150, 150)), ("green", (40, 160, 60))):
        scene = np.where(mask[..., None] > 0, image, np.array(colour, np.uint8)).astype(np.uint8)
        scene[y - 2 : y + 3, x - 2 : x + 3] = colour
        made[name] = cut_out(scene, portrait_of(track_of([joints()]), mask), bones).alpha[y, x]
    assert made == {"grey": pytest.approx(1), "green": pytest.approx(0)}

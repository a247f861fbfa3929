"""What was never seen is made up."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.inpaint import fill_holes
from synthetic_scene import scenery


def test_known_pixels_stay_and_the_hole_is_filled_with_the_surroundings_colours() -> None:
    """Far from the hole nothing changes; inside there are only values that the picture has."""
    image = scenery(320, 240)
    known = np.ones((240, 320), np.bool_)
    known[80:160, 130:190] = False
    filled = fill_holes(np.where(known[..., None], image, 0).astype(np.uint8), known, ~known & False)
    assert np.array_equal(filled[:60], image[:60])
    inside = filled[90:150, 140:180]
    assert inside.min() > 60
    assert inside.std() > 3


def test_nothing_is_copied_from_bystanders() -> None:
    """The only red of the picture, a bystander next to the hole, is not cloned into it."""
    image = (120 + np.random.default_rng(1).normal(0, 6, (240, 320, 3))).astype(np.uint8)
    image[60:200, 200:240] = (220, 20, 20)
    known = np.ones((240, 320), np.bool_)
    known[70:190, 130:198] = False
    forbidden = np.zeros_like(known)
    forbidden[55:205, 196:245] = True
    filled = fill_holes(np.where(known[..., None], image, 0).astype(np.uint8), known, forbidden)
    inside = filled[75:185, 135:192].astype(int)
    assert ((inside[..., 0] - inside[..., 1]) > 60).mean() < 0.02


def test_filling_is_the_same_every_time() -> None:
    """Two fillings have the same bytes."""
    image = scenery(320, 240)
    known = np.ones((240, 320), np.bool_)
    known[60:180, 100:200] = False
    holed = np.where(known[..., None], image, 0).astype(np.uint8)
    assert np.array_equal(fill_holes(holed, known, ~known & False), fill_holes(holed, known, ~known & False))


def test_what_is_made_up_is_as_sharp_as_what_is_beside_it() -> None:
    """In a wall of fine bricks the filling has bricks: pixels of the picture, not an enlarged small one."""
    tile = np.full((8, 16, 3), (170, 90, 70), np.uint8)
    tile[0], tile[:, 0] = (220, 215, 205), (220, 215, 205)
    shade = np.linspace(0.7, 1.1, 640)[None, :, None]
    image = np.clip(np.tile(tile, (60, 40, 1)) * shade, 0, 255).astype(np.uint8)
    known = np.ones((480, 640), np.bool_)
    known[150:330, 270:370] = False
    filled = fill_holes(np.where(known[..., None], image, 0).astype(np.uint8), known, ~known & False)
    detail = np.abs(np.diff(filled.astype(int), axis=0)).mean(-1)
    assert detail[160:320, 280:360].mean() > 0.8 * detail[160:320, 120:200].mean()
    assert abs(filled[160:320, 280:360].mean() - image[160:320, 280:360].mean()) < 12


def test_a_sign_beside_the_hole_is_not_hung_up_again_and_streets_go_on() -> None:
    """Between two rows of houses the filling is houses: dark as they are, with nothing of the white sign in it."""
    rng = np.random.default_rng(5)
    image = np.clip(60 + rng.normal(0, 12, (240, 426, 3)), 0, 255).astype(np.uint8)
    image[:90] = np.clip(150 + rng.normal(0, 6, (90, 426, 3)), 0, 255)
    image[100:150, 30:120] = (235, 235, 235)
    known = np.ones((240, 426), np.bool_)
    known[60:240, 150:290] = False
    filled = fill_holes(np.where(known[..., None], image, 0).astype(np.uint8), known, ~known & False)
    grey = filled[:, 155:285].mean(-1)
    assert grey[100:].max() < 170
    assert np.abs(grey[66:84].mean() - 150) < 10
    assert np.abs(grey[100:].mean() - 60) < 10


def test_a_plain_wall_goes_on_in_its_changing_light() -> None:
    """Where the wall is lighter at one side, the filling has no edge between copies from both sides."""
    wall = np.linspace(90, 170, 320)[None, :, None] + np.zeros((240, 1, 3))
    image = np.clip(wall + 0.5, 0, 255).astype(np.uint8)
    known = np.ones((240, 320), np.bool_)
    known[40:200, 110:210] = False
    filled = fill_holes(np.where(known[..., None], image, 0).astype(np.uint8), known, ~known & False)
    row = filled[60:180, 105:215].astype(int)
    assert np.abs(np.diff(row, axis=1)).max() <= 4
    assert np.abs(row.mean(0) - image[60, 105:215]).max() < 12


def test_copies_from_several_places_meet_without_blocks() -> None:
    """Soft foam on water goes on from several places: the small picture in which they were chosen shows as no grid."""
    noise = np.random.default_rng(3).normal(0, 40, (480, 640)).astype(np.float32)
    foam = np.clip(140 + 5 * cv2.GaussianBlur(noise, (0, 0), 4), 0, 255)
    image = np.repeat(foam[..., None], 3, 2).astype(np.uint8)
    known = np.ones(image.shape[:2], np.bool_)
    known[120:360, 200:440] = False

    filled = fill_holes(image, known, np.zeros_like(known))

    bends = [np.abs(np.diff(part.astype(float), 2, axis=1)) for part in (filled[125:355, 205:435], image)]
    assert np.percentile(bends[0], 99) < 1.5 * np.percentile(bends[1], 99)


def test_the_frame_of_a_door_goes_on_behind_a_head() -> None:
    """Between a light wall and a dark door the filling changes where the door's frame enters above and below."""
    image = np.full((480, 320, 3), (205, 200, 185), np.uint8)
    image[50:, 110:270] = (225, 222, 205)
    image[60:, 120:260] = (60, 20, 24)
    image = np.clip(image + np.random.default_rng(4).normal(0, 3, image.shape), 0, 255).astype(np.uint8)
    known = np.ones((480, 320), np.bool_)
    cv2.ellipse(holes := np.zeros((480, 320), np.uint8), (150, 220), (60, 120), 0, 0, 360, 1, -1)
    known[holes > 0] = False
    filled = fill_holes(np.where(known[..., None], image, 0).astype(np.uint8), known, ~known & False)
    wrong = np.abs(filled.astype(int) - image).max(-1) > 60
    assert wrong[~known].mean() < 0.02


def test_copies_of_a_wall_in_unlike_light_meet_without_an_edge() -> None:
    """A rough wall that is lighter at one side has no seam in the middle of the hole."""
    rng = np.random.default_rng(6)
    light = np.linspace(90, 150, 320)[None, :, None]
    image = np.clip(light + rng.normal(0, 9, (240, 320, 1)) + np.zeros(3), 0, 255).astype(np.uint8)
    known = np.ones((240, 320), np.bool_)
    known[40:200, 100:220] = False
    filled = fill_holes(np.where(known[..., None], image, 0).astype(np.uint8), known, ~known & False)
    columns = filled[50:190, 105:215].mean((0, 2))
    assert np.abs(columns - light[0, 105:215, 0]).max() < 8

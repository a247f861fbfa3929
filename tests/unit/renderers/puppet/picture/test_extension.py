"""What is made up below a picture's lower edge."""

from dataclasses import replace

import numpy as np
import pytest

from bodydouble.renderers.puppet.body.fit import BodyFit, fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.extension import (
    ExtendedPicture,
    extend_below,
    skin_like,
    usual_cloth,
)
from mannequin import joints, picture, track_of
from tube_body import tube_body

SKIN, CLOTH = np.array([200.0, 150.0, 120.0]), np.array([40.0, 70.0, 160.0])


def headshot(
    edge_below_shoulders: int,
    naked_columns: int,
    folds: float = 0.0,
    shades: tuple[np.ndarray, np.ndarray] = (SKIN, SKIN),
) -> tuple[ExtendedPicture, int]:
    """The mannequin cut off below its shoulders, with skin ``naked_columns`` wide down to the edge.

    ``folds``: levels by which the cloth's left third is lighter. ``shades``: colours of that skin's halves.
    """
    pose = joints()
    image, mask = picture(pose)
    edge = round(float(pose[[11, 12], 1].mean())) + edge_below_shoulders
    middle = round(float(pose[[11, 12], 0].mean()))
    alpha, colour = mask[:edge].astype(np.float32), np.zeros((edge, image.shape[1], 3), np.float32)
    colour[:] = CLOTH
    colour[:, : middle - 12] += folds
    colour[: round(float(pose[[11, 12], 1].mean())) - 15] = SKIN
    if naked_columns:
        colour[:, middle - naked_columns // 2 : middle + naked_columns // 2] = SKIN
        colour[-40:, middle - naked_columns // 2 : middle] = shades[0]
        colour[-40:, middle : middle + naked_columns // 2] = shades[1]
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, alpha.shape))
    neck = np.zeros(alpha.shape, bool)
    neck[:, middle - 12 : middle + 12] = True
    cutout = Cutout(alpha=alpha, colour=colour)
    return extend_below(colour.astype(np.uint8), cutout, fit, template, neck, SKIN, legs=False), middle


def test_below_an_open_neckline_cloth_goes_on_and_no_skin():
    """Skin that reaches the edge ends in a round neckline; farther down all is cloth, also below the neck."""
    extended, middle = headshot(20, 30)
    colour, edge = extended.cutout.colour, extended.edge
    assert extended.made_up[edge + 40, middle]
    below = colour[edge + 14 : edge + 60, middle - 10 : middle + 10]
    assert np.abs(below - CLOTH).max() < 40
    assert np.abs(colour[edge + 1, middle] - SKIN).max() < 40


def test_below_bare_shoulders_arms_are_bare_and_cloth_begins_below_the_armpits():
    """A headshot whose edge shows skin from shoulder to shoulder goes on with bare arms and a top without sleeves."""
    extended, middle = headshot(6, 84)
    colour, edge, naked = extended.cutout.colour, extended.edge, extended.naked
    assert np.abs(colour[edge + 10, middle] - SKIN).max() < 40
    assert np.abs(colour[edge + 60, middle] - CLOTH).max() < 40
    row = edge + 30
    beside = np.flatnonzero(naked[row])
    assert len(beside)
    assert np.abs(colour[row, beside[0]] - SKIN).max() < 60


def test_a_shirt_in_the_colour_of_skin_has_no_second_neckline():
    """Far below the shoulders what has the colour of skin goes on as cloth does, in one colour."""
    extended, middle = headshot(60, 200)
    below = extended.cutout.colour[extended.edge : extended.edge + 30, middle - 10 : middle + 10]
    assert not extended.naked.any()
    assert np.abs(below - SKIN).max() < 40


def test_a_neckline_is_as_wide_as_a_neck_that_is_half_in_the_shade():
    """The chin's shade makes half of the neck darker and of another hue than the face: it is skin all the same."""
    shades = SKIN * [0.93, 0.9, 0.76], SKIN * [0.85, 0.76, 0.5]
    extended, middle = headshot(20, 30, shades=shades)
    below = extended.cutout.colour[extended.edge + 2, middle - 10 : middle + 10]
    assert np.abs(below - SKIN).max(1).max() < 70
    assert np.abs(below - CLOTH).max(1).min() > 60


def test_below_a_closed_collar_is_cloth():
    """Nothing of the face's colour appears below an edge at which only cloth is seen."""
    extended, _ = headshot(20, 0)
    below = extended.cutout.colour[extended.edge + 1 :][extended.made_up[extended.edge + 1 :]]
    assert np.abs(below - CLOTH).max() < 40


def test_skin_is_told_by_its_colour_within_the_mask_alone():
    """A shaded tone of the skin is like it, cloth is not; what is outside the mask is never asked."""
    skin = np.array([210.0, 160.0, 140.0])
    colour = np.zeros((4, 3, 3), np.float32)
    colour[0], colour[1], colour[2], colour[3] = skin, skin * 0.9, (60, 90, 160), skin
    where = np.ones((4, 3), np.bool_)
    where[3] = False
    assert np.array_equal(skin_like(colour, skin, where).all(1), [True, True, False, False])
    assert not skin_like(colour, skin, np.zeros_like(where)).any()


def test_folds_at_the_edge_go_on_below_it():
    """A shirt that is lighter at one side has no line where the picture ends, and one shade farther down."""
    extended, middle = headshot(20, 0, folds=25.0)
    colour, edge = extended.cutout.colour, extended.edge
    left, right = np.s_[edge + 2, middle - 22], np.s_[edge + 2, middle + 22]
    assert np.abs(colour[left] - colour[edge - 5, middle - 22]).max() < 10
    assert np.abs(colour[right] - colour[edge - 5, middle + 22]).max() < 10
    far = colour[edge + 70][extended.made_up[edge + 70]]
    assert np.ptp(far, axis=0).max() < 0.6 * 25


def test_above_the_edge_the_picture_keeps_its_colours():
    """Skin that ends at the edge has no line of cloth's colour in the rows above it."""
    extended, middle = headshot(20, 30)
    rows = extended.cutout.colour[extended.edge - 12 : extended.edge - 3, middle - 10 : middle + 10]
    assert np.abs(rows - SKIN).max() < 1


def test_no_cloth_is_made_up_around_a_hand():
    """Hands that hang below the edge are left to the arm's layer, so that no glove surrounds them."""
    extended, _ = headshot(20, 0)
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    points = joints_of(anatomy, template, (extended.edge, 500)).points
    for wrist, tip in ((15, 19), (16, 20)):
        x, y = np.round(0.2 * points[wrist, :2] + 0.8 * points[tip, :2]).astype(int)
        assert not extended.made_up[y - 2 : y + 3, x - 2 : x + 3].any()


def _cut_off_at_the_left(
    image: np.ndarray, alpha: np.ndarray, pose: np.ndarray, left: int, room: int
) -> tuple[ExtendedPicture, BodyFit]:
    """A picture that begins at the column ``left``, with ``room`` columns to be made up beside it; the whole fit."""
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, alpha.shape))
    crop = np.s_[:, left - room :]
    cutout = Cutout(alpha=alpha[crop], colour=np.full((*alpha[crop].shape, 3), CLOTH, np.float32))
    moved = replace(fit, vertices=fit.vertices - [left - room, 0, 0])
    never = np.zeros(cutout.alpha.shape, bool)
    return extend_below(image[crop], cutout, moved, template, never, SKIN, legs=False, margins=(room, 0)), fit


@pytest.mark.parametrize("edge", [160, 136])
def test_a_shoulder_that_the_side_cuts_off_falls_outwards(edge: int):
    """Beside the picture the body is made up from the row at which its side cuts the shoulder, and nothing above."""
    pose = joints()
    image, mask = picture(pose)
    left, room = round(float(pose[12, 0])), 40
    alpha = np.zeros((edge, 500), np.float32)
    alpha[:, left:] = mask[:edge, left:]
    alpha[: round(float(pose[12, 1])) + 12, left : left + 5] = 0
    alpha[60:64, left : left + 5] = 1  # a strand of hair at the side is no shoulder
    extended, _ = _cut_off_at_the_left(image[:edge], alpha, pose, left, room)
    assert not extended.made_up[: round(float(pose[12, 1])) + 12, :room].any()
    assert extended.made_up[round(float(pose[12, 1])) + 12 : edge - 3, :room].any()


def test_the_body_models_head_is_not_made_up_beside_hair_that_the_side_cuts_off():
    """Hair hangs along the picture's left side from the crown to the edge: beside it are shoulders and no skull."""
    pose = joints()
    image, mask = picture(pose)
    shoulder, left, room = round(float(pose[12, 1])), round(float(pose[[11, 12], 0].mean())), 60
    edge = shoulder + 20
    alpha = np.asarray(mask[:edge], np.float32)
    alpha[20:, left : left + 30] = 1
    alpha[:, :left] = 0
    extended, fit = _cut_off_at_the_left(image[:edge], alpha, pose, left, room)
    made_up = extended.made_up
    skull = round(float(fit.joints.head[1] - 0.5 * fit.scale))
    assert not made_up[:skull, :room].any()
    assert made_up[shoulder:edge, :room].any()


def test_shoulders_below_a_collar_fall_outwards():
    """Where the edge shows a narrow neck between background, shoulders begin at it and become wider row by row."""
    pose = joints()
    edge, middle = round(float(pose[[11, 12], 1].mean())) - 4, round(float(pose[[11, 12], 0].mean()))
    alpha = np.zeros((edge, 500), np.float32)
    alpha[:, middle - 15 : middle + 15] = 1
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, alpha.shape))
    cutout = Cutout(alpha=alpha, colour=np.full((*alpha.shape, 3), CLOTH, np.float32))
    neck = np.zeros(alpha.shape, bool)
    made_up = extend_below(cutout.colour.astype(np.uint8), cutout, fit, template, neck, SKIN, legs=False).made_up
    widths = made_up[edge : edge + 40].sum(1)
    assert widths[0] < 60
    assert (np.diff(widths) >= 0).all()
    assert widths[-1] > 100


def test_a_shoulder_beside_the_picture_is_no_box():
    """In the added columns it falls from where the side cuts it, and its outer end is round."""
    pose = joints()
    image, mask = picture(pose)
    left, room, cut = round(float(pose[12, 0])), 40, round(float(pose[12, 1])) - 4
    edge = cut + 70
    alpha = np.asarray(mask[:edge], np.float32).copy()
    alpha[:, :left] = 0
    alpha[:cut, left : left + 5] = 0
    alpha[cut:, left : left + 5] = 1
    extended, _ = _cut_off_at_the_left(image[:edge], alpha, pose, left, room)
    beside = extended.made_up[:edge, :room]
    columns = np.flatnonzero(beside.any(0))
    first = beside[:, columns].argmax(0)
    away = room - columns
    assert away.max() > 10
    assert (first > cut + away / 2.2 - 3).all()
    steps = -np.diff(first.astype(int))
    assert steps[:3].mean() > 2 * steps[-6:].mean()


@pytest.mark.parametrize(("shown", "widest"), [(40, 45), (90, 86)])
def test_arms_below_the_edge_begin_as_wide_as_it_shows_the_person(shown: int, widest: int):
    """Hands in pockets and narrow shoulders: the body model's arms do not jut out beside the picture's lower edge."""
    pose = joints()
    edge = round(float(0.5 * pose[11, 1] + 0.5 * pose[23, 1]))
    alpha = np.zeros((edge, 500), np.float32)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, alpha.shape))
    alpha[:, 250 - shown : 250 + shown] = 1
    cutout = Cutout(alpha=alpha, colour=np.full((*alpha.shape, 3), CLOTH, np.float32))
    never = np.zeros(alpha.shape, bool)
    made_up = extend_below(cutout.colour.astype(np.uint8), cutout, fit, template, never, SKIN, legs=False).made_up
    assert np.abs(np.flatnonzero(made_up[edge + 2]) - 250).max() == pytest.approx(widest, abs=6)


def test_a_trunk_goes_on_as_wide_as_the_edge_shows_it():
    """Below a wide jacket the made-up one begins as wide and becomes the body's at the hips."""
    pose = joints()
    edge = round(float(0.5 * pose[11, 1] + 0.5 * pose[23, 1]))
    alpha = np.zeros((edge, 500), np.float32)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    points = joints_of(anatomy, template, alpha.shape)
    fit = fit_body(template, anatomy, points)
    middle, half = 250, round(2.0 * fit.scale)
    alpha[:, middle - half : middle + half] = 1
    cutout = Cutout(alpha=alpha, colour=np.full((*alpha.shape, 3), CLOTH, np.float32))
    neck = np.zeros(alpha.shape, bool)
    made_up = extend_below(cutout.colour.astype(np.uint8), cutout, fit, template, neck, SKIN, legs=False).made_up
    assert made_up[edge + 1, middle - half + 4 : middle + half - 4].all()
    hips = round(float(points.hips[1]))
    near = made_up[hips - 2, middle - half : middle + half]
    assert near.sum() < made_up[edge + 1, middle - half : middle + half].sum() - 4


def test_sleeves_that_are_wider_than_arms_have_no_step_at_the_edge():
    """They begin as wide as the edge shows them and become the body model's arms."""
    pose = joints()
    edge = round(float(0.5 * pose[11, 1] + 0.5 * pose[23, 1]))
    alpha = np.zeros((edge, 500), np.float32)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, alpha.shape))
    never = np.zeros(alpha.shape, bool)
    widths = []
    for wider in (0, 10):
        alpha[:, 250 - 86 - wider : 250 + 86 + wider] = 1
        cutout = Cutout(alpha=alpha, colour=np.full((*alpha.shape, 3), CLOTH, np.float32))
        made_up = extend_below(cutout.colour.astype(np.uint8), cutout, fit, template, never, SKIN, legs=False).made_up
        widths.append([np.abs(np.flatnonzero(made_up[edge + k]) - 250).max() for k in (1, round(fit.scale))])
    assert widths[1][0] - widths[0][0] == pytest.approx(10, abs=2)
    assert 0 <= widths[1][1] - widths[0][1] < 8


def test_an_elbow_at_the_edge_does_not_go_on():
    """Of arms whose hands are above the edge nothing is made up beside the body."""
    pose = joints()
    edge = round(float(0.5 * pose[11, 1] + 0.5 * pose[23, 1]))
    alpha = np.zeros((edge, 500), np.float32)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    alpha[:, 250 - 96 : 250 + 96] = 1
    fit = fit_body(template, anatomy, joints_of(anatomy, template, alpha.shape))
    cutout = Cutout(alpha=alpha, colour=np.full((*alpha.shape, 3), CLOTH, np.float32))
    raised = fit.joints.points.copy()
    raised[[15, 16], 1] = edge - 60
    folded = replace(fit, joints=replace(fit.joints, points=raised))
    widths = []
    for shown in (fit, folded):
        never = np.zeros(alpha.shape, bool)
        made_up = extend_below(cutout.colour.astype(np.uint8), cutout, shown, template, never, SKIN, legs=False).made_up
        widths.append(np.count_nonzero(made_up[edge + 1]))
    assert widths[1] < widths[0] - 10


def test_a_picture_without_colours_tells_no_skin():
    """In black and white a grey shirt is no skin."""
    grey = np.full((4, 4, 3), 150.0, np.float32)
    assert not skin_like(grey, np.array([160.0, 160.0, 160.0]), np.ones((4, 4), np.bool_)).any()


def test_a_single_pixel_of_cloth_is_the_usual_cloth() -> None:
    """One pixel, such as the last of a sleeve at a picture's edge, is a whole kind of its own."""
    cloth = np.zeros((4, 5), bool)
    cloth[2, 3] = True

    assert np.array_equal(usual_cloth(np.full((4, 5, 3), 90, np.float32), cloth), cloth)

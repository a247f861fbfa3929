"""What is worn below a picture's lower edge: dress, skirt or trousers, and shoes."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.light import exact_lab
from bodydouble.renderers.puppet.picture import continued_parts, layered_body, lower_body
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.continued_parts import Canvas, garment_below, shoe, shoe_below
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.extension import EDGE, ExtendedPicture
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.renderers.puppet.picture.lower_body import LowerBody, darkened, shoe_colour, trousers_colour
from bodydouble.renderers.puppet.picture.segmentation import Segmentation
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body

HIPS, THIGHS, KNEES = 255, 310, 350
"""Rows of the mannequin just below the hips' joints, in the middle of the thighs, and below the knees."""


def cut_off(
    edge: int,
    *,
    dressed: bool,
    trousers: tuple[int, int, int] = COLOURS["trousers"],
    rounded: int = 0,
    faded: int = 0,
    lace: bool = False,
    left_leg: tuple[int, int, int] | None = None,
) -> FittedPicture:
    """The mannequin above the row ``edge``, ``dressed`` in one piece from the shoulders down, or in ``trousers``.

    The matte lacks ``rounded`` columns at each side of its last rows; ``faded`` rows above the picture's own border are
    faint. ``lace`` before the dress ends above the edge. The ``left_leg`` shows that colour above the edge.
    """
    pose = joints()
    image, mask = picture(pose)
    legs = (image == COLOURS["trousers"]).all(2)
    image[legs] = trousers
    if left_leg is not None:
        legs[: edge - 25], legs[:, : round(float(pose[[25, 26], 0].mean()))] = False, False
        image[legs] = left_leg
    if dressed:
        image[(image == COLOURS["trousers"]).all(2)] = COLOURS["shirt"]
        (left, right), top = pose[[23, 24], 0], round(float(pose[11, 1]))
        corners = np.array([[right - 12, top], [left + 12, top], [left + 22, 500], [right - 22, 500]])
        arms = (image == COLOURS["sleeve"]).all(2) | (image == COLOURS["skin"]).all(2)
        garment = np.zeros(mask.shape, np.uint8)
        cv2.fillConvexPoly(garment, np.round(corners).astype(np.int32), 1)
        image[(garment > 0) & ~arms] = COLOURS["shirt"]
        mask[garment > 0] = 1
    if lace:
        before = np.s_[edge - 45 : edge - EDGE - 9]
        dress = (image[before] == COLOURS["shirt"]).all(2)
        image[before][dress] = np.random.default_rng(0).integers(100, 256, (np.count_nonzero(dress), 1))
    image, mask = np.ascontiguousarray(image[:edge]), np.ascontiguousarray(mask[:edge])
    for row in mask[edge - 8 :] if rounded else ():
        shown = np.flatnonzero(row)
        row[shown[:rounded]] = row[shown[-rounded:]] = 0
    mask[edge - EDGE - faded : edge - EDGE] *= 0.4
    anatomy = anatomy_of(track_of([pose]))
    seen = anatomy.visibility.copy()
    seen[25:] = 0.1
    anatomy = replace(anatomy, visibility=seen)
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    return layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body())


def test_a_cut_off_dress_goes_on_as_one_piece_over_both_legs():
    """Between the knees is the dress's cloth, moved by both legs; below its hem are bare shins."""
    whole = cut_off(THIGHS, dressed=True)

    layers, points = whole.layers.layers, whole.fit.joints.points
    x, y = np.round(points[[25, 26], :2].mean(0)).astype(int)
    assert whole.layers.skirt
    assert layers["trunk"].rgba[y, x, 3] > 240
    assert np.abs(layers["trunk"].rgba[y, x, :3].astype(float) - COLOURS["shirt"]).max() < 30
    near = np.argmin(np.hypot(*(layers["trunk"].vertices[:, :2] - [x, y]).T))
    assert (layers["trunk"].weights[near] > 0.05).sum() >= 2
    ankle = np.round(0.9 * points[27, :2] + 0.1 * points[25, :2]).astype(int)
    assert np.abs(layers["leg_l"].rgba[ankle[1], ankle[0], :3].astype(float) - COLOURS["skin"]).max() < 100
    assert layers["trunk"].rgba[ankle[1], ankle[0], 3] < 20


def test_below_lace_a_dress_has_no_texture_of_lace():
    """What goes on below the edge has the texture of its own cloth, not of an apron before it."""
    whole = cut_off(THIGHS, dressed=True, lace=True)
    x = round(float(whole.fit.joints.points[[25, 26], 0].mean()))
    made_up = whole.layers.layers["trunk"].rgba[THIGHS + 5 : THIGHS + 25, x - 12 : x + 13]
    assert made_up[..., 3].min() > 240
    assert np.abs(np.diff(made_up[..., :3].astype(float), axis=0)).mean() < 2


def test_trousers_of_another_colour_than_the_shirt_stay_two_legs():
    """Where the picture shows shirt and trousers, nothing is drawn between the legs."""
    whole = cut_off(THIGHS, dressed=False)

    x, y = np.round(whole.fit.joints.points[[25, 26], :2].mean(0)).astype(int)
    assert not whole.layers.skirt
    assert max(layer.rgba[y, x, 3] for layer in whole.layers.layers.values()) < 20


def test_a_suit_of_one_colour_stays_two_legs():
    """Trousers in the jacket's colour are no robe: the picture shows a gap between the legs."""
    whole = cut_off(KNEES, dressed=False, trousers=COLOURS["shirt"])

    x, y = np.round(whole.fit.joints.points[[27, 28], :2].mean(0)).astype(int)
    assert not whole.layers.skirt
    assert max(layer.rgba[y - 20, x, 3] for layer in whole.layers.layers.values()) < 20


@pytest.mark.parametrize("colour", [COLOURS["trousers"], COLOURS["skin"]])
def test_legs_go_on_below_the_edge_as_wide_and_in_the_same_colour(colour: tuple[int, int, int]):
    """Neither trousers nor bare legs have a step where the picture ends, and both reach down to a shoe."""
    whole = cut_off(THIGHS, dressed=False, trousers=colour)

    leg, points = whole.layers.layers["leg_l"].rgba.astype(float), whole.fit.joints.points
    above, below = (leg[row] for row in (THIGHS - 8, THIGHS + 4))
    widths = [np.count_nonzero(row[:, 3] > 128) for row in (above, below)]
    assert abs(widths[0] - widths[1]) <= 4
    for row in (above, below):
        assert np.abs(row[row[:, 3] > 250, :3].mean(0) - colour).max() < 25
    for share in (0.2, 0.5, 0.8):
        x, y = np.round((1 - share) * points[25, :2] + share * points[27, :2]).astype(int)
        assert leg[y, x, 3] > 240
        assert np.abs(leg[y, x, :3] - colour).max() < 60
    x, y = np.round(points[31, :2]).astype(int)
    assert leg[y, x, 3] > 240
    assert np.abs(leg[y, x, :3] - colour).max() > 20


def test_both_made_up_legs_wear_the_same():
    """A leg that ends in another colour above the edge has the other one's usual colour and shoe farther down."""
    whole = cut_off(THIGHS, dressed=False, left_leg=(200, 200, 200))

    points, layers = whole.fit.joints.points, whole.layers.layers
    for share in (0.7, 1.0):
        colours: list[np.ndarray] = []
        for side, knee, ankle in (("l", 25, 27), ("r", 26, 28)):
            x, y = np.round((1 - share) * points[knee, :2] + share * points[ankle, :2]).astype(int)
            colours.append(layers[f"leg_{side}"].rgba[y, x, :3].astype(float))
        assert np.abs(colours[0] - colours[1]).max() < 35


def test_a_continued_garment_has_a_round_hem():
    """A dress ends higher at its sides than in its middle."""
    trunk = cut_off(THIGHS, dressed=True).layers.layers["trunk"].rgba[..., 3] > 128

    last = [np.flatnonzero(column)[-1] for column in trunk.T if column[THIGHS + 40]]
    assert max(last) - max(last[0], last[-1]) > 3
    assert max(last[len(last) // 3 : -len(last) // 3]) == max(last)


def test_above_a_round_hem_the_trunk_has_no_legs():
    """What the rounding leaves free is the legs' own: skin that the garment carried would stay beside them."""
    trunk = cut_off(THIGHS, dressed=True).layers.layers["trunk"].rgba.astype(float)

    below = trunk[THIGHS:]
    skin = (below[..., 3] > 200) & (np.abs(below[..., :3] - COLOURS["skin"]).max(2) < 40)
    assert not skin.any()


def test_a_garment_that_begins_at_the_hips_is_no_box():
    """Sleeves beside the hips do not widen it: it falls over the hips and is widest at its hem."""
    fitted = cut_off(THIGHS, dressed=True).fit
    top = round(float(fitted.joints.hips[1])) + EDGE
    person = np.zeros((500, 500), np.bool_)
    middle = round(float(fitted.joints.hips[0]))
    person[:top, middle - 140 : middle + 140] = True
    cutout = Cutout(alpha=person.astype(np.float32), colour=np.full((500, 500, 3), 90, np.float32))
    extended = ExtendedPicture(
        image=np.zeros((500, 500, 3), np.uint8), cutout=cutout, made_up=~person, naked=person & ~person, edge=top + EDGE
    )
    canvas = Canvas(
        extended=extended,
        fit=fitted,
        template=tube_body(),
        person=person,
        bare=person & ~person,
        arms=person & ~person,
    )
    made = garment_below(canvas, 420.0)
    assert made is not None
    widths = np.count_nonzero(made[0].alpha[top + 2 : 410] > 0.5, axis=1)
    assert widths[0] < 135
    assert widths[0] + 10 < widths[-1] < 200


def test_below_a_shirt_that_the_edge_cuts_off_are_dark_trousers_and_shoes():
    """A picture that ends above the hips gets trousers that are darker than its shirt, not a bodysuit."""
    whole = cut_off(HIPS - 40, dressed=False)

    points, leg = whole.fit.joints.points, whole.layers.layers["leg_l"].rgba
    x, y = np.round((points[25, :2] + points[27, :2]) / 2).astype(int)
    assert leg[y, x, 3] > 240
    assert leg[y, x, :3].max() < 0.65 * max(COLOURS["shirt"])


def test_a_made_up_shirt_has_a_round_hem_that_casts_shade():
    """It reaches lower in the middle than at the sides; the trousers are darker just below it."""
    trunk = cut_off(HIPS - 40, dressed=False)
    middle, scale = round(float(trunk.fit.joints.hips[0])), trunk.fit.scale
    light = trunk.layers.layers["trunk"].rgba[..., :3].max(2).astype(float)

    def hem(x: int) -> int:
        return int(np.argmax(light[HIPS - 40 :, x] < 0.7 * light[HIPS - 44, x])) + HIPS - 40

    lowest = hem(middle)
    assert lowest > hem(middle - round(1.2 * scale)) + 1
    assert light[lowest + 2, middle] < light[lowest + round(0.4 * scale), middle] - 5


def test_shoes_have_soles_and_those_of_bare_legs_show_the_instep():
    """A dark shoe's sole is lighter. In trousers all above it is the shoe's."""
    fit = cut_off(THIGHS, dressed=False).fit
    skin, shape = np.array([225.0, 180.0, 150.0]), (600, 500)
    open_one, shut = (shoe(fit, tube_body(), "l", np.full(3, 30.0), shape, leg) for leg in (skin, None))

    worn = shut.alpha > 0.5
    x = round(float(np.flatnonzero(worn.any(0)).mean()))
    lowest = int(np.flatnonzero(worn[:, x])[-1])
    assert shut.colour[lowest, x].mean() > np.median(shut.colour[worn].mean(1)) + 30
    assert np.array_equal(open_one.alpha, shut.alpha)
    like_skin = np.ptp(open_one.colour, axis=2) > 30
    assert 0.03 < np.mean(like_skin[worn]) < 0.5
    assert not (np.ptp(shut.colour, axis=2) > 30).any()


def test_trousers_crease_at_knee_and_ankle(monkeypatch: pytest.MonkeyPatch):
    """Above the ankle they have light and shade that half way down the thigh they lack."""
    creased = cut_off(THIGHS, dressed=False)
    monkeypatch.setattr(continued_parts, "CREASE_LIGHT", 0.0)
    smooth = cut_off(THIGHS, dressed=False)

    step = np.abs(np.subtract(*(w.layers.layers["leg_l"].rgba.astype(float) for w in (creased, smooth)))).max(2)
    _, knee, ankle = (round(float(creased.fit.joints.points[index, 1])) for index in (23, 25, 27))
    assert step[ankle - 40 : ankle - 10].max() > 8
    assert step[THIGHS : knee - 60].max(initial=0) < 3


def test_darkened_cloth_keeps_dark_cloth_dark():
    """Bright cloth gets as dark as asked for, cloth that is darker already stays as dark."""
    assert darkened(np.array([250.0, 250.0, 250.0]), 28).max() < 80
    assert np.abs(darkened(np.array([10.0, 10.0, 10.0]), 28) - 10).max() < 3


def test_shoes_are_darker_than_the_dress_but_not_black_below_white() -> None:
    """A white dress has grey shoes, a black one black ones."""
    assert 100 < shoe_colour(np.array([250.0, 250.0, 250.0])).mean() < 180
    assert shoe_colour(np.array([12.0, 12.0, 12.0])).max() < 20


def test_hanging_arms_keep_their_sleeves_beside_dark_trousers(monkeypatch: pytest.MonkeyPatch):
    """Arms that are made up below the edge have the shirt's colour beside trousers that begin at the waist."""
    waist = -2.0
    monkeypatch.setattr(lower_body, "SHIRT_BELOW_HIPS", waist)
    whole = cut_off(160, dressed=False)

    arm, fit = whole.layers.layers["arm_l"].rgba, whole.fit
    below = arm[round(fit.joints.hips[1] + waist * fit.scale) : round(float(fit.joints.points[15, 1])) - 8]
    sleeve = below[below[..., 3] > 240]
    assert len(sleeve) > 20
    assert np.quantile(sleeve[:, :3].max(1), 0.05) > 0.75 * max(COLOURS["shirt"])


@pytest.mark.parametrize("shirt", [10.0, 40.0, 75.0, 110.0, 240.0])
def test_trousers_below_a_shirt_are_dark_and_unlike_it(shirt: float):
    """Neither a white shirt nor a black one has trousers of its own brightness below it."""
    colour = trousers_colour(np.full(3, shirt))
    assert colour.max() < 80
    assert np.abs(colour - shirt).min() > 20


def test_a_flared_garment_whose_corner_the_matte_rounds_goes_on_from_its_widest_row():
    """Just above the edge a skirt is as wide as farther up, though the matte is narrower there."""
    plain, rounded = (cut_off(THIGHS, dressed=True, rounded=n).layers.layers["trunk"].rgba for n in (0, 6))

    widths = [np.count_nonzero(rgba[THIGHS - 4, :, 3] > 128) for rgba in (plain, rounded)]
    assert widths[1] >= widths[0] - 4


def test_nothing_of_a_hanging_arm_stays_on_the_trunk():
    """Where a made-up arm hangs in the picture, the trunk has not even its rim: the arm moves away."""
    whole = cut_off(160, dressed=False)

    trunk, points = whole.layers.layers["trunk"].rgba, whole.fit.joints.points
    x, y = np.round(points[13, :2]).astype(int)
    assert whole.layers.layers["arm_l"].rgba[y : y + 40, x:, 3].max() > 250
    assert trunk[y : y + 40, x:, 3].max() < 3


def test_nothing_of_a_foot_is_made_up_above_the_edge():
    """Where the fit has a foot above the picture's edge, no shoe appears beside the leg that the picture shows."""
    whole = cut_off(THIGHS, dressed=False)
    fit = whole.fit
    lifted = replace(fit, vertices=fit.vertices - [0, 6 * fit.scale, 0])
    nothing = np.zeros((500, 500), np.bool_)
    cutout = Cutout(alpha=np.zeros((500, 500), np.float32), colour=np.zeros((500, 500, 3), np.float32))
    extended = ExtendedPicture(
        image=np.zeros((500, 500, 3), np.uint8), cutout=cutout, made_up=nothing, naked=nothing, edge=THIGHS
    )
    canvas = Canvas(extended=extended, fit=lifted, template=whole.template, person=nothing, bare=nothing, arms=nothing)
    made = shoe_below(canvas, "l", np.full(3, 40.0), None).alpha
    assert not made[: canvas.top].any()
    assert shoe_below(replace(canvas, fit=fit), "l", np.full(3, 40.0), None).alpha.any()


def test_no_gap_shows_where_the_matte_fades_before_the_edge():
    """Rows above the edge in which the matte is faint do not part a leg from what is made up below."""
    whole = cut_off(THIGHS, dressed=False, faded=2)

    hip, knee = whole.fit.joints.points[[23, 25], :2]
    for y in range(THIGHS - 8, THIGHS + 4):
        x = round(float(np.interp(y, [hip[1], knee[1]], [hip[0], knee[0]])))
        assert whole.layers.layers["leg_l"].rgba[y, x, 3] > 200


def test_bare_legs_wear_dark_shoes():
    """Shoes below bare legs are no socks in the colour of skin."""
    whole = cut_off(THIGHS, dressed=False, trousers=COLOURS["skin"])

    x, y = np.round(whole.fit.joints.points[31, :2]).astype(int)
    red, green, blue, alpha = whole.layers.layers["leg_l"].rgba[y, x].astype(float)
    assert alpha > 200
    assert max(red, green, blue) < 130


def test_dark_brown_trousers_are_no_bare_legs():
    """They have the hue of skin, as bare legs have, but are far darker than the face: they have no calves."""
    widths = []
    lightness, *hue = exact_lab(np.array(COLOURS["skin"], np.float64))
    for darker in (3, 25, 52):
        lab = np.array([[[lightness - darker, 0.7 * hue[0], 0.7 * hue[1]]]], np.float32)
        shade = np.round(255 * np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1)).astype(int)[0, 0].tolist()
        whole = cut_off(THIGHS, dressed=False, trousers=(shade[0], shade[1], shade[2]))
        leg, points = whole.layers.layers["leg_l"].rgba, whole.fit.joints.points
        row = round(float(0.1 * points[25, 1] + 0.9 * points[27, 1]))
        widths.append(np.count_nonzero(leg[row, :, 3] > 128))
    bare, shaded, trousers = widths
    assert shaded == bare
    assert trousers != bare


def test_a_shirt_that_the_edge_cuts_off_below_the_hips_is_no_suit() -> None:
    """Cloth of one colour from the chest to an edge at the crotch is a shirt: dark trousers begin below the edge."""
    whole = cut_off(HIPS + 15, dressed=False, trousers=COLOURS["shirt"])

    x, y = np.round(whole.fit.joints.points[25, :2]).astype(int)
    leg = whole.layers.layers["leg_l"].rgba[y, x].astype(float)
    assert leg[3] > 240
    assert exact_lab(leg[:3])[0] < exact_lab(np.array(COLOURS["shirt"], np.float64))[0] - 10


def test_below_arms_that_cover_the_whole_edge_are_trousers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crossed arms along the lower edge leave no cloth to go on from: the shirt ends, and dark trousers follow."""
    complete = layered_body.complete_lower_body

    def with_arms_along_the_edge(extended: ExtendedPicture, parts: Segmentation, *rest: Any) -> LowerBody:
        crossed = np.zeros(extended.made_up.shape, np.bool_)
        crossed[extended.edge - 40 : extended.edge] = True
        masks = {name: mask | crossed if name == "arm_l" else mask & ~crossed for name, mask in parts.parts.items()}
        return complete(extended, replace(parts, parts=masks), *rest)

    monkeypatch.setattr(layered_body, "complete_lower_body", with_arms_along_the_edge)
    whole = cut_off(HIPS, dressed=False, trousers=COLOURS["shirt"])

    points = whole.fit.joints.points
    x, y = np.round(points[25, :2]).astype(int)
    leg = whole.layers.layers["leg_l"].rgba[y, x].astype(float)
    assert leg[3] > 240
    assert exact_lab(leg[:3])[0] < exact_lab(np.array(COLOURS["shirt"], np.float64))[0] - 10

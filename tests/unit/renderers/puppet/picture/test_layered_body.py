from dataclasses import replace

import cv2
import numpy as np
import pytest

from bodydouble.perception.track import FACE_POINTS
from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture import layered_body
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.renderers.puppet.picture.layers import LayerSources, _bare_shoulder
from bodydouble.renderers.puppet.picture.segmentation import segment, split_legs
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body


@pytest.fixture(scope="module")
def layered() -> FittedPicture:
    """The mannequin in layers."""
    return _layered()


def _layered() -> FittedPicture:
    pose = joints()
    image, mask = picture(pose)
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    return layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body())


def test_the_parts_are_the_mannequins_own():
    """Sleeves are the arms', trousers the legs', the shirt and the head the rest's."""
    pose = joints()
    image, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = split_legs(
        segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)), fit, template, None
    ).parts

    def part_at(point) -> str:
        x, y = np.round(point).astype(int)
        return next(name for name, part in parts.items() if part[y, x])

    assert part_at(pose[[13, 15]].mean(0)) == "arm_l"
    assert part_at(pose[[14, 16]].mean(0)) == "arm_r"
    assert part_at(pose[[25, 27]].mean(0)) == "leg_l"
    assert part_at(pose[[26, 28]].mean(0)) == "leg_r"
    assert part_at(pose[[11, 12, 23, 24]].mean(0)) == part_at(pose[0]) == "rest"
    assert np.sum(list(parts.values()), axis=0)[mask > 0.5].max() == 1


def test_there_is_a_layer_for_each_part(layered: FittedPicture):
    """Trunk, both arms, both legs; no skirt between legs that stand apart."""
    assert set(layered.layers.layers) == {"trunk", "arm_l", "arm_r", "leg_l", "leg_r"}
    assert not layered.layers.skirt


def test_added_columns_are_no_backdrop(monkeypatch: pytest.MonkeyPatch):
    """Only the picture's own columns say what the backdrop looks like: added ones repeat the person at the border."""
    pose = joints()
    image, mask = picture(pose)
    seen: list[np.ndarray] = []
    monkeypatch.setattr(layered_body, "carve_background", lambda part, alpha, *_: (seen.append(part), alpha)[1])
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body(), margins=(30, 20))
    assert np.array_equal(seen[0], image[:, 30:-20])


def test_what_an_arm_covers_is_continued():
    """The trunk's layer is whole where the picture has an arm before it."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [-20, 60], pose[11] + [-70, 110]  # before the belly
    pose[[17, 19, 21]] = pose[15] + [-10, 8]
    image, mask = picture(pose)
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    trunk = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers["trunk"]

    x, y = np.round(pose[[13, 15]].mean(0)).astype(int)
    assert trunk.rgba[y, x, 3] > 200
    assert np.abs(trunk.rgba[y, x, :3].astype(float) - (40, 70, 160)).max() < 60  # the shirt's colour


def test_the_layers_have_the_same_bytes_each_time(layered: FittedPicture):
    """Nothing depends on chance: what a killed worker began another one goes on with."""
    again = _layered().layers.layers

    for name, layer in layered.layers.layers.items():
        assert np.array_equal(layer.rgba, again[name].rgba)
        assert np.array_equal(layer.vertices, again[name].vertices)
        assert np.array_equal(layer.weights, again[name].weights)


def test_a_half_body_gets_legs_below_the_edge():
    """Of a picture that ends at the thighs the layers go on to the feet, in the trousers' colour."""
    pose = joints()
    image, mask = picture(pose)
    image, mask = image[:300], mask[:300]
    track = track_of([pose])
    track.visibility[0, 25:] = 0.1
    anatomy = anatomy_of(track)
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    whole = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body())

    assert {"leg_l", "leg_r"} <= set(whole.layers.layers)
    foot = whole.fit.joints.points[27, :2]
    assert foot[1] > 350
    x, y = np.round((whole.fit.joints.points[25, :2] + foot) / 2).astype(int)
    leg = whole.layers.layers["leg_l"].rgba
    assert leg[y, x, 3] > 200
    assert leg[y, x, 1] > leg[y, x, 2]  # green rather than blue


def test_no_seam_shows_where_a_picture_ends():
    """The trousers go on below the edge without a row that lets the background through."""
    pose = joints()
    image, mask = picture(pose)
    image, mask = image[:300], mask[:300]
    track = track_of([pose])
    track.visibility[0, 25:] = 0.1
    anatomy = anatomy_of(track)
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    layers = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers

    x = round(float(pose[[23, 25], 0].mean()))
    whole = np.max([layer.rgba[294:306, x, 3] for layer in layers.values()], axis=0)
    assert whole.min() > 240


def test_an_arm_whose_sleeve_begins_below_a_bare_shoulder_reaches_up_to_it():
    """The shoulder's skin is the arm's upper end, so that a raised arm does not come off."""
    pose = joints()
    image, mask = picture(pose)
    shoulder, elbow = pose[11], pose[13]
    bare = np.zeros(mask.shape, np.uint8)
    cv2.line(
        bare, np.round(shoulder).astype(int).tolist(), np.round(0.5 * (shoulder + elbow)).astype(int).tolist(), 1, 22
    )
    image[(bare > 0) & (mask > 0.5)] = COLOURS["skin"]
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    arm = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers["arm_l"]

    points = np.round([shoulder + share * (elbow - shoulder) for share in np.linspace(0.1, 1, 12)]).astype(int)
    assert arm.rgba[points[:, 1], points[:, 0], 3].min() > 200
    assert np.abs(arm.rgba[points[2, 1], points[2, 0], :3].astype(float) - COLOURS["skin"]).max() < 30


def test_a_wide_neckline_is_no_shoulder_of_an_arm_in_cloth():
    """Skin beside a shoulder is the arm's upper end only where the shoulder itself is bare."""
    pose = joints()
    image, mask = picture(pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    arm = (image == COLOURS["sleeve"]).all(2)
    for inwards, bare in ((14, False), (-14, True)):
        shown = image.copy()
        low, high = pose[12] + [inwards, -12], pose[11] + [-inwards, 40]
        chest = np.s_[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])]
        shown[chest][mask[chest] > 0.5] = COLOURS["skin"]
        sources = LayerSources(
            colour=shown.astype(np.float32),
            alpha=mask,
            skin=np.array(COLOURS["skin"], np.float64),
            face=np.zeros(mask.shape, np.bool_),
            hands_seen=(False, False),
        )
        assert _bare_shoulder(sources, fit, "l", arm).any() == bare


def test_sheer_cloth_on_the_chest_is_no_shoulder_of_a_bare_arm():
    """A bare arm whose inner half the trunk hides goes on in its own colour, not in the darker cloth's beside it."""
    pose = joints()
    image, mask = picture(pose)
    sheer, shoulders = np.array(COLOURS["skin"]) * 0.7, pose[[11, 12]]
    image[np.abs(image.astype(float) - COLOURS["sleeve"]).max(2) < 40] = COLOURS["skin"]
    below = 0.4 * shoulders + 0.6 * pose[[13, 14]]
    cloth = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(cloth, np.round([*(shoulders + [[4, -30], [20, -30]]), *below[::-1]]).astype(np.int32), 1)
    image[(cloth > 0) & (mask > 0.5)] = sheer
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    arm = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers["arm_l"]

    drawn = arm.rgba[..., :3][arm.rgba[..., 3] > 250].astype(float)
    assert (np.abs(drawn - sheer).max(1) < 14).mean() < 0.08


def test_no_line_shows_from_a_cut_off_skirt_to_the_legs_made_up_below_it():
    """From above the edge that cuts the skirt off down to the ankle nothing lets the background through."""
    pose = joints()
    image, mask = picture(pose)
    (left, right), top, edge = pose[[23, 24], 0], round(float(pose[23, 1])), 330
    skirt = np.array([[right - 25, top], [left + 25, top], [left + 60, edge + 20], [right - 60, edge + 20]])
    for canvas, value in ((image, COLOURS["trousers"]), (mask, 1.0)):
        cv2.fillConvexPoly(canvas, np.round(skirt).astype(np.int32), value)
    image, mask = image[:edge], mask[:edge]
    track = track_of([pose])
    track.visibility[0, 25:] = 0.1
    anatomy = anatomy_of(track)
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    whole = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body())

    assert whole.layers.skirt
    joint = whole.fit.joints.points[[23, 25, 27], :2]
    axis = np.r_[np.linspace(joint[0], joint[1], 200), np.linspace(joint[1], joint[2], 200)]
    axis = np.round(axis[axis[:, 1] > edge - 8]).astype(int)
    layers = [whole.layers.layers[name].rgba[axis[:, 1], axis[:, 0], 3] for name in ("trunk", "leg_l")]
    assert np.max(layers, axis=0).min() > 240


def test_a_sleeve_of_the_jackets_colour_takes_nothing_of_the_trunk():
    """Where colours say nothing, the body tells arm and trunk apart."""
    pose = joints()
    pose[[13, 15]] = pose[11] + [[18, 60], [24, 115]]  # hanging close to the trunk
    pose[[17, 19, 21]] = pose[15] + [2, 18]
    image, mask = picture(pose)
    image[(image == COLOURS["sleeve"]).all(2)] = COLOURS["shirt"]
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    y = round(float(pose[[11, 23], 1].mean()))
    inner = round(float(pose[11, 0])) - 8
    assert not parts["arm_l"][y, :inner].any()
    assert parts["arm_l"][y, round(float(pose[13, 0]))]


def test_a_cuff_goes_with_its_arm():
    """White cloth around the wrist, before a trunk with white on it, is not left there."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [-10, 60], pose[11] + [-50, 100]  # before the belly
    pose[[17, 19, 21]] = pose[15] + [-14, 10]
    image, mask = picture(pose)
    cv2.circle(image, np.round(pose[15]).astype(int).tolist(), 8, (235, 235, 235), -1)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    cuff = (image == (235, 235, 235)).all(2)
    assert parts["arm_l"][cuff].mean() > 0.9


def test_skin_about_a_hand_is_not_left_on_the_trunk():
    """Fingers that lie beside the landmarks, before the belly, go with the hand."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [-10, 60], pose[11] + [-50, 100]  # before the belly
    pose[[17, 19, 21]] = pose[15] + [-14, 10]
    image, mask = picture(pose)
    fingers = np.zeros(mask.shape, np.uint8)
    cv2.circle(fingers, np.round(pose[19] + [-6, 10]).astype(int).tolist(), 5, 1, -1)
    image[fingers > 0] = COLOURS["skin"]
    turn = np.linspace(0, 2 * np.pi, FACE_POINTS)
    face = np.c_[pose[0] + 8 * np.c_[np.cos(turn), np.sin(turn)], np.zeros(FACE_POINTS)]
    anatomy, template = replace(anatomy_of(track_of([pose])), face=face), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    assert parts["arm_l"][fingers > 0].mean() > 0.8


def test_a_sleeve_whose_elbow_is_below_the_edge_goes_with_its_arm():
    """Of an arm that the edge cuts off above the elbow the seen part is the arm's: no stump stays on the trunk."""
    pose = joints()
    image, mask = picture(pose)
    image, mask = image[:160], mask[:160]
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    x, y = np.round(0.4 * pose[11] + 0.6 * pose[13]).astype(int)
    assert "arm_l" in fit.joints.made_up
    assert parts["arm_l"][y, x]
    assert parts["rest"][y, round(float(pose[0, 0]))]


def test_the_outline_of_a_raised_arm_goes_with_it():
    """Thin dark lines along an arm above the shoulders are no hair."""
    pose = joints()
    pose[13], pose[15] = pose[11] + [75, -20], pose[11] + [85, -75]
    pose[[17, 19, 21]] = pose[15] + [2, -12]
    image, mask = picture(pose)
    line = (cv2.dilate(mask, np.ones((7, 7), np.uint8)) > 0.5) & (mask < 0.5)
    line[:, : round(pose[11, 0] + 30)] = False
    line[: int(pose[15, 1])], line[int(pose[13, 1]) - 8 :] = False, False
    image[line] = (10, 10, 10)
    mask = np.maximum(mask, line.astype(np.float32))
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    assert np.count_nonzero(line) > 100
    assert parts["arm_l"][line].mean() > 0.9


def _with_short_sleeves(image, pose):
    """``image``, in place, with bare forearms and the shirt's colour on the upper arms."""
    for shoulder, elbow, wrist in ((11, 13, 15), (12, 14, 16)):
        sleeve = (image == COLOURS["sleeve"]).all(2)
        ys = np.arange(len(image))[:, None]
        hem = pose[shoulder, 1] + 0.6 * (pose[elbow, 1] - pose[shoulder, 1])
        side = (np.arange(image.shape[1]) > 250)[None] == (pose[wrist, 0] > 250)
        image[sleeve & side & (ys < hem)] = COLOURS["shirt"]
        image[sleeve & side & (ys >= hem)] = COLOURS["skin"]


def test_a_short_sleeve_goes_with_its_bare_arm():
    """A sleeve of the shirt's colour above a bare forearm is the arm's: it does not stay when the arm is raised."""
    pose = joints()
    image, mask = picture(pose)
    arm = (image == COLOURS["sleeve"]).all(2)
    _with_short_sleeves(image, pose)
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    upper = arm & (image == COLOURS["shirt"]).all(2)
    upper[: int(pose[11, 1] + 20)] = False
    assert np.count_nonzero(upper) > 200
    assert (parts["arm_l"] | parts["arm_r"])[upper].mean() > 0.8


def test_the_hidden_end_of_an_arm_has_its_sleeves_colour():
    """What a shoulder hides of an arm with a short sleeve is made up as sleeve, not as the longer bare part."""
    pose = joints()
    image, mask = picture(pose)
    _with_short_sleeves(image, pose)
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    arm = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers["arm_l"]

    x, y = np.round(0.85 * pose[11] + 0.15 * pose[13]).astype(int)
    assert arm.rgba[y, x, 3] > 200
    assert np.abs(arm.rgba[y, x, :3].astype(float) - COLOURS["shirt"]).max() < 40


def test_a_bare_thigh_beside_a_hand_stays_the_legs():
    """A hand that hangs beside a bare leg takes none of its skin along."""
    pose = joints()
    for hand, hip in ((15, 23), (16, 24)):
        pose[hand] = pose[hip] + [0.35 * (pose[hip, 0] - 250), 0]
        pose[[hand + 2, hand + 4, hand + 6]] = pose[hand] + [0, 22]
    image, mask = picture(pose)
    image[(image == COLOURS["trousers"]).all(2)] = COLOURS["skin"]
    turn = np.linspace(0, 2 * np.pi, FACE_POINTS)
    face = np.c_[pose[0] + 8 * np.c_[np.cos(turn), np.sin(turn)], np.zeros(FACE_POINTS)]
    anatomy, template = replace(anatomy_of(track_of([pose])), face=face), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))

    parts = segment(image, mask, fit, template, anatomy, np.zeros(mask.shape, bool)).parts

    thigh = np.zeros(mask.shape, np.uint8)
    cv2.circle(thigh, np.round(pose[19] + [0, 18]).astype(int).tolist(), 8, 1, -1)
    thigh = (thigh > 0) & (mask > 0.5) & (np.abs(np.arange(500) - 250) < 45)[None]
    assert np.count_nonzero(thigh) > 30
    assert parts["arm_l"][thigh].mean() < 0.3


def test_a_loose_shirt_before_a_bare_arm_stays_with_the_trunk():
    """What it hides of the arm is made up as skin, and its dark rim is no line across the arm."""
    pose = joints()
    pose[[13, 15]] = pose[11] + [[12, 60], [18, 115]]  # hanging close to the trunk
    pose[[17, 19, 21]] = pose[15] + [2, 18]
    image, mask = picture(pose)
    image[(image == COLOURS["sleeve"]).all(2)] = COLOURS["skin"]
    rows, columns = np.mgrid[:500, :500]
    beside = np.abs(rows - pose[13, 1]) < 30
    hidden = beside & (columns > pose[11, 0] - 20) & (columns < pose[13, 0] - 2)
    rim = beside & (columns >= pose[13, 0] - 2) & (columns < pose[13, 0] + 1)
    image[hidden], image[rim], mask[hidden | rim] = COLOURS["shirt"], (90, 50, 30), 1
    turn = np.linspace(0, 2 * np.pi, FACE_POINTS)
    face = np.c_[pose[0] + 8 * np.c_[np.cos(turn), np.sin(turn)], np.zeros(FACE_POINTS)]
    anatomy = replace(anatomy_of(track_of([pose])), face=face)
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    arm = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers["arm_l"].rgba

    shown = (arm[..., 3] > 240) & (hidden | rim)
    assert np.count_nonzero(shown & hidden) > 30 < np.count_nonzero(shown & rim)
    assert np.abs(arm[shown][:, :3].astype(float) - COLOURS["skin"]).max() < 60

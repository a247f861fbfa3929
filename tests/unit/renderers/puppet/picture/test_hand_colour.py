"""What colour the picture's hands have."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import Joints, joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.hand_colour import hand_colours, hands_in_sight
from bodydouble.renderers.puppet.picture.layer import Layer
from mannequin import joints, picture, track_of
from tube_body import tube_body

SKIN, STEEL = np.array([225.0, 180.0, 150.0]), np.array([60.0, 60.0, 70.0])


def _joints() -> Joints:
    """Of an arm that hangs: its fingers point down."""
    return joints_of(anatomy_of(track_of([joints()])), tube_body(), (500, 500))


def _arm(colour: NDArray[np.float64], bare: float = 0.0, tips: float = 0.0) -> Layer:
    """An arm that is a hand of ``colour``, of which the share ``bare`` above and ``tips`` below is skin."""
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = colour, 255
    rgba[: round(20 * bare), :, :3] = SKIN
    rgba[20 - round(20 * tips) :, :, :3] = SKIN
    return Layer(
        vertices=np.zeros((0, 3)),
        weights=np.zeros((0, 0)),
        triangles=np.zeros((0, 3), np.int64),
        opaque=np.zeros(0, np.bool_),
        rgba=rgba,
        front=None,
        hand=np.full((20, 20), 255, np.uint8),
    )


def test_gloves_and_gauntlets_have_their_own_colour():
    """Where next to nothing of the hands is skin, they have the colour that they show; a sleeve's half is no glove."""
    assert np.allclose(hand_colours({"arm_l": _arm(STEEL)}, (True, False), SKIN, _joints()), STEEL)
    assert np.allclose(hand_colours({"arm_l": _arm(STEEL, bare=0.4)}, (True, False), SKIN, _joints()), SKIN, atol=1)


def test_bare_hands_have_their_own_skin_but_not_its_shade():
    """Hands that are redder than the face go on from forearms that are as red; those in the shade are lit elsewhere."""
    red, shaded = np.array([225.0, 170.0, 145.0]), SKIN * 0.8

    assert np.allclose(hand_colours({"arm_l": _arm(red)}, (True, False), SKIN, _joints()), red, atol=2)
    assert hand_colours({"arm_l": _arm(shaded)}, (True, False), SKIN, _joints()).mean() > 0.9 * SKIN.mean()


def test_each_bare_hand_goes_on_from_its_own_forearm():
    """One side of a person is redder in the picture's light than the other; a hidden hand has the other's skin."""
    red = np.array([225.0, 170.0, 145.0])
    layers = {"arm_l": _arm(red), "arm_r": _arm(SKIN)}

    assert np.allclose(hand_colours(layers, (True, True), SKIN, _joints()), [red, SKIN], atol=2)
    assert np.allclose(hand_colours(layers, (True, False), SKIN, _joints()), [red, red], atol=2)


def test_fingertips_below_a_flared_sleeve_are_no_glove():
    """A tenth of the hand is skin: beside the wrist that is a gap of the glove, at the fingers' end it is the hand."""
    assert np.allclose(hand_colours({"arm_l": _arm(STEEL, bare=0.1)}, (True, False), SKIN, _joints()), STEEL)
    assert np.allclose(hand_colours({"arm_l": _arm(STEEL, tips=0.1)}, (True, False), SKIN, _joints()), SKIN, atol=1)


def test_hands_that_the_picture_hides_are_skin():
    """Cloth where a hand should be says nothing of the hand."""
    layers = {"arm_l": _arm(STEEL), "arm_r": _arm(SKIN)}

    assert np.array_equal(hand_colours(layers, (False, False), SKIN, _joints()), [SKIN, SKIN])
    assert np.array_equal(hand_colours({}, (True, True), SKIN, _joints()), [SKIN, SKIN])


def test_a_piece_of_a_sleeve_is_no_glove():
    """A few dark pixels where a raised hand is hidden say nothing of the hand."""
    arm = _arm(STEEL)
    arm.rgba[5:, :, 3] = 0

    assert np.array_equal(hand_colours({"arm_l": arm}, (True, False), SKIN, _joints()), [SKIN, SKIN])


def test_a_fist_beside_the_body_is_seen_without_the_hand_network():
    """Sure landmarks on opaque pixels beside trunk and legs are a hand; unsure or transparent ones are not."""
    pose = joints()
    anatomy, template = anatomy_of(track_of([pose])), tube_body()
    _, mask = picture(pose)
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    solid = np.ones(mask.shape, np.bool_)
    unsure = replace(anatomy, visibility=np.where(np.arange(33) == 19, 0.5, anatomy.visibility))

    assert hands_in_sight(anatomy, solid, fit, template) == (True, True)
    assert hands_in_sight(unsure, solid, fit, template) == (False, True)
    assert hands_in_sight(anatomy, ~solid, fit, template) == (False, False)

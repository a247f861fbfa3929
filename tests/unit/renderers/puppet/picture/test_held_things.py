import cv2
import numpy as np

from bodydouble.perception.arrays import Floats, Image
from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.body.surface import label_triangles
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.held_things import without_held_things
from bodydouble.renderers.puppet.picture.layered_body import layer_picture
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body

ORANGE = (240, 140, 20)
POSE = joints()
HAND = np.round(POSE[[17, 19]].mean(0)).astype(int)


def without(image: Image, mask: Floats) -> Cutout:
    """The cut-out of the mannequin without what it holds."""
    anatomy, template = anatomy_of(track_of([POSE])), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    body = label_triangles(fit.vertices, template.triangles, (mask.shape[0], mask.shape[1])) > 0
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    return without_held_things(cutout, anatomy, fit, template, body, np.array(COLOURS["skin"], np.float64))


def holding(colour: tuple[int, int, int]) -> tuple[Image, Floats, tuple[int, int]]:
    """The mannequin with a ball of ``colour`` at its left hand, its mask, and the ball's middle (x, y)."""
    image, mask = picture(POSE)
    middle = int(HAND[0]) + 25, int(HAND[1]) + 35
    cv2.circle(image, middle, 30, colour, -1)
    cv2.circle(mask, middle, 30, 1.0, -1)
    return image, mask, middle


def test_a_ball_in_a_hand_goes():
    """What is beside the hand, in a colour of its own, is no part of the person any more; all else is."""
    image, mask, (x, y) = holding(ORANGE)
    _, alone = picture(POSE)

    alpha = without(image, mask).alpha

    near = np.zeros(mask.shape, np.uint8)
    cv2.circle(near, (x, y), 40, 1, -1)
    assert alpha[y, x] == alpha[y + 29, x] == 0
    assert np.array_equal(alpha[near == 0], alone[near == 0])


def test_cloth_in_a_hand_stays():
    """A skirt's corner or a wide cuff has colours that the clothes have, too."""
    image, mask, _ = holding(COLOURS["trousers"])

    assert np.array_equal(without(image, mask).alpha, mask)


def test_a_bag_before_a_leg_leaves_trousers():
    """Where a thing covers the body, the cloth beside it goes on."""
    image, mask = picture(POSE)
    knee = np.round(POSE[25]).astype(int)
    x, y = int(knee[0]) + 10, int(knee[1]) - 40
    for canvas, value in ((image, ORANGE), (mask, 1.0)):
        cv2.rectangle(canvas, (x - 14, y), (x + 70, y + 40), value, -1)
        cv2.line(canvas, HAND.tolist(), (x + 40, y), value, 7)

    bare = without(image, mask)

    leg, beside = (y + 20, int(knee[0]) + 4), (y + 20, x + 60)
    assert mask[beside] == 1
    assert bare.alpha[beside] == 0
    assert bare.alpha[leg] > 0.9
    assert np.abs(bare.colour[leg] - np.array(COLOURS["trousers"])).max() < 40


def test_coats_and_hair_are_no_things():
    """What covers the trunk's middle is worn, in whatever colour, and so is a sleeve."""
    image, mask = picture(POSE)
    cv2.rectangle(image, (190, 130), (310, 300), ORANGE, -1)
    cv2.rectangle(mask, (190, 130), (310, 300), 1.0, -1)

    assert np.array_equal(without(image, mask).alpha, mask)


def test_the_layers_are_without_it():
    """Neither trunk nor arm waves a ball."""
    image, mask, (x, y) = holding(ORANGE)
    anatomy = anatomy_of(track_of([POSE]))
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))

    layers = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers

    assert all(layer.rgba[y + 20, x, 3] == 0 for layer in layers.values())


def test_no_outline_of_a_hand_stays_on_the_trunk():
    """Where a cut-out ends hard beside a hand, because something was taken away, the trunk keeps no rim."""
    pose = joints()
    image, mask = picture(pose)
    anatomy = anatomy_of(track_of([pose]))
    cutout = Cutout(alpha=(mask > 0.5).astype(np.float32), colour=image.astype(np.float32))
    layers = layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body()).layers.layers
    (x, y), reach = np.round(pose[15]).astype(int), 25
    about_hand = np.s_[y - 5 : y + reach, x - reach : x + reach]
    assert (layers["arm_l"].rgba[about_hand][..., 3] > 0).any()
    assert not layers["trunk"].rgba[about_hand][..., 3].any()

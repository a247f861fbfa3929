"""Arms that lie over each other or before the trunk: each has its own pixels, and nothing of them stays there."""

import numpy as np

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.body.surface import label_triangles, limb_triangles
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.arm_hints import BodySeen
from bodydouble.renderers.puppet.picture.doubt import doubtful_limbs
from bodydouble.renderers.puppet.picture.lap import without_arms
from bodydouble.renderers.puppet.picture.layered_body import _without_specks
from bodydouble.renderers.puppet.picture.layers import LayerSources, LimbPicture
from bodydouble.renderers.puppet.picture.segmentation import Segmentation, _apart, _loose
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body

SHAPE = (500, 500)


def _box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(SHAPE, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def _segmented(parts: dict[str, np.ndarray]) -> Segmentation:
    nothing = _box(0, 0, 0, 0)
    return Segmentation(parts=parts, arm_likeness={}, hem=None, loose=nothing, hair=nothing)


def test_crossed_arms_share_no_pixel() -> None:
    """Each has what is nearer to it in the body model, and its own hand wherever that is."""
    both = _box(200, 220, 100, 300)
    seen = {
        side: BodySeen(both, both, _box(200, 220, *columns), both, np.zeros(SHAPE, np.float32))
        for side, columns in (("l", (100, 200)), ("r", (200, 300)))
    }
    arms = _apart({"l": both, "r": both}, seen, {"l": None, "r": _box(200, 220, 100, 120)})
    assert np.array_equal(arms["l"], _box(200, 220, 120, 200))
    assert np.array_equal(arms["r"], both & ~arms["l"])


def test_specks_before_the_trunk_go_with_an_arm() -> None:
    """Fingers of a clasped hand are no holes in a jacket; beside the trunk they are left out."""
    arm, finger, lock = _box(100, 200, 100, 140), _box(150, 154, 160, 164), _box(150, 154, 60, 64)
    parts = {"rest": _box(0, 500, 150, 300) & ~finger, "arm_l": arm | finger | lock}
    loose = _loose(parts, np.ones(SHAPE, np.bool_), _box(0, 500, 150, 300))
    assert np.array_equal(loose, lock)
    assert np.array_equal(parts["arm_l"], arm | finger)


def test_an_arm_behind_the_other_is_its_mirror_image() -> None:
    """It is doubtful if most of it is not found, but not if it is found."""
    pose = joints()
    pose[[13, 15], 0], pose[[14, 16], 0] = [310, 170], [190, 330]
    pose[[13, 14], 1], pose[[15, 16], 1] = 180, 184
    track = track_of([pose])
    track.body[0, 16, 2] = -60
    anatomy, template = anatomy_of(track), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SHAPE))
    left, right = (
        label_triangles(fit.vertices, template.triangles[limb_triangles(template, "arm", side, 0.5)], SHAPE) > 0
        for side in "lr"
    )
    alpha = np.ones(SHAPE, np.float32)

    def doubtful(left: np.ndarray) -> frozenset[str]:
        parts = _segmented({"rest": ~left & ~right, "arm_l": left, "arm_r": right})
        return doubtful_limbs(parts, alpha, fit, template, anatomy, edge=500, seated=False).mirrored

    upper = np.arange(500)[:, None] < 150
    assert doubtful(left & upper & ~right) == {"arm_l"}
    assert doubtful(left) == frozenset()


def test_no_skin_beside_an_arm_stays_on_the_trunk() -> None:
    """What is left of an arm before the chest has the shirt's colour, if the arm is made up elsewhere."""
    track = track_of([joints()])
    image, mask = picture(joints())
    anatomy, template = anatomy_of(track), tube_body()
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SHAPE))
    forearm, rim = _box(190, 200, 230, 270), _box(200, 203, 230, 270)
    image[forearm | rim] = COLOURS["skin"]
    nothing = _box(0, 0, 0, 0)
    sources = LayerSources(
        colour=image.astype(np.float32),
        alpha=mask,
        skin=np.array(COLOURS["skin"], np.float64),
        face=nothing,
        hands_seen=(False, False),
    )
    own = LimbPicture(sources=sources, fit=fit, parts=_segmented({"rest": ~forearm, "arm_l": forearm}))
    colour = without_arms(own, ["arm_l"], template).sources.colour
    assert np.abs(colour[forearm | rim] - COLOURS["shirt"]).max() < 20


def test_specks_are_not_drawn_with_an_arm_and_a_thin_rest_of_it_is() -> None:
    """A rest of an upper arm has a twentieth of the arm's pixels, however long the arm is made later."""
    arm, rest, speck = _box(100, 200, 100, 140), _box(40, 100, 134, 138), _box(150, 154, 160, 164)
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    image, _ = picture(joints())
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SHAPE))
    sources = LayerSources(
        colour=image.astype(np.float32),
        alpha=np.ones(SHAPE, np.float32),
        skin=np.full(3, 200.0),
        face=_box(0, 0, 0, 0),
        hands_seen=(True, True),
    )
    own = LimbPicture(sources=sources, fit=fit, parts=_segmented({"arm_l": arm | rest | speck}))
    assert np.array_equal(_without_specks(own, "l").parts.parts["arm_l"], arm | rest)
    assert _without_specks(own, "r") is own

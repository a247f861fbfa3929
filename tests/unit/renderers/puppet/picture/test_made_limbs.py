"""Limbs that cannot be cut out are their twins in a mirror, or made up."""

import numpy as np

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, joints_of
from bodydouble.renderers.puppet.body.surface import label_triangles, limb_triangles
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.doubt import doubtful_limbs, sits
from bodydouble.renderers.puppet.picture.layered_body import FittedPicture, layer_picture
from bodydouble.renderers.puppet.picture.segmentation import Segmentation
from mannequin import COLOURS, joints, picture, track_of
from tube_body import tube_body


def _seated() -> np.ndarray:
    """(33, 2) a mannequin whose thighs are level, one over the other."""
    pose = joints()
    for hip, knee, ankle, heel, toe, side in ((23, 25, 27, 29, 31, -1), (24, 26, 28, 30, 32, 1)):
        pose[knee] = pose[hip] + [90 * side, 10]
        pose[ankle] = pose[knee] + [20 * side, 90]
        pose[heel], pose[toe] = pose[ankle] + [0, 12], pose[ankle] + [12 * side, 20]
    return pose


def _crossed() -> PersonTrack:
    """A mannequin whose left leg stands behind its right one."""
    pose = joints()
    pose[[24, 26, 28, 30, 32], 0] = pose[[23, 25, 27, 29, 31], 0] - [14, 4, 3, 3, 3]
    track = track_of([pose])
    track.body[0, [26, 28], 2] = -40
    return track


def _layered(track: PersonTrack, more: np.ndarray | None = None) -> FittedPicture:
    """In layers; ``more`` (h, w) is taken for the person too."""
    image, mask = picture(track.body[0, :, :2].astype(float))
    mask = mask if more is None else np.maximum(mask, more.astype(np.float32))
    anatomy = anatomy_of(track)
    cutout = Cutout(alpha=mask, colour=image.astype(np.float32))
    return layer_picture(image, cutout, anatomy, skin_of(anatomy, cutout), tube_body())


def _shown(body: FittedPicture, layer: str, point: np.ndarray) -> np.ndarray:
    """(4,) RGBA of a layer at a point."""
    x, y = np.round(point[:2]).astype(int)
    rgba = body.layers.layers[layer].rgba
    return rgba[y, x].astype(float) if y < len(rgba) else np.zeros(4)


def test_who_sits_has_both_knees_at_the_hips() -> None:
    """A raised knee is no seat."""
    raised = joints()
    raised[[25, 27]] = _seated()[[25, 27]]
    assert sits(anatomy_of(track_of([_seated()])), 500)
    assert not sits(anatomy_of(track_of([raised])), 500)
    assert not sits(anatomy_of(track_of([joints()])), 500)
    assert not sits(anatomy_of(track_of([_seated()], visibility=0.2)), 500)


def test_legs_of_who_sits_stand() -> None:
    """They are made up in the colours of the seated ones, and nothing of the lap is left on the trunk."""
    pose = _seated()
    body = _layered(track_of([pose]))

    points = body.fit.joints.points
    for side in "lr":
        hip, knee, ankle = points[list(LEGS[side].joints)]
        assert np.ptp([hip[0], knee[0], ankle[0]]) < 15
        assert hip[1] + 50 < knee[1] < ankle[1] - 50
        shin = _shown(body, f"leg_{side}", (knee + ankle) / 2)
        assert shin[3] > 250
        assert np.abs(shin[:3] - COLOURS["trousers"]).max() < 30
        assert _shown(body, "trunk", pose[25 if side == "l" else 26])[3] == 0
    assert _shown(body, "trunk", points[[23, 24]].mean(0))[3] > 250


def test_the_shirt_of_who_sits_ends_at_the_hips() -> None:
    """The trunk goes on in the colour of the trousers: a shirt down to the crotch is a bodysuit."""
    body = _layered(track_of([_seated()]))
    hips = body.fit.joints.hips
    for below, worn in ((-0.5, "shirt"), (0.6, "trousers")):
        shown = _shown(body, "trunk", hips + [0, below * body.fit.scale, 0])
        assert shown[3] > 200
        assert np.abs(shown[:3] * 255 / shown[3] - COLOURS[worn]).max() < 40


def test_a_leg_behind_the_other_is_its_mirror_image() -> None:
    """It is as long as the one that is seen, on its own side, and has a shoe."""
    track = _crossed()
    body = _layered(track)

    points = body.fit.joints.points
    left, right = (points[list(LEGS[side].joints), :2] for side in "lr")
    assert np.allclose(np.linalg.norm(np.diff(left, axis=0), axis=1), np.linalg.norm(np.diff(right, axis=0), axis=1))
    assert abs(left[2, 0] - left[0, 0]) < 2
    toe = points[LEGS["l"].tip[0]]
    assert np.abs(_shown(body, "leg_l", toe)[:3] - COLOURS["shoe"]).max() < 40
    assert np.abs(_shown(body, "leg_l", left[1])[:3] - COLOURS["trousers"]).max() < 30


def test_no_backdrop_is_mirrored() -> None:
    """A block beside the calf that is taken for the person's is not seen at the other leg."""
    track = _crossed()
    knee, ankle = track.body[0, [26, 28], :2]
    x, y = np.round((knee + ankle) / 2).astype(int)
    block = np.zeros((500, 500), np.bool_)
    block[y - 15 : y + 15, x - 70 : x] = True
    body = _layered(track, block)
    left = body.fit.joints.points[list(LEGS["l"].joints), :2]
    assert _shown(body, "leg_l", left[1:].mean(0))[3] > 250
    assert _shown(body, "leg_l", left[1:].mean(0) + [60, 0])[3] == 0


def test_limbs_that_are_seen_stay_as_they_are() -> None:
    """The fitted body of a standing mannequin has the picture's own joints."""
    pose = joints()
    points = _layered(track_of([pose])).fit.joints.points
    for chain in (*ARMS.values(), *LEGS.values()):
        assert np.abs(points[list(chain.joints), :2] - pose[list(chain.joints)]).max() < 12


def test_an_arm_of_which_little_is_found_is_doubtful() -> None:
    """Not where more of it is found, where its hand is seen but its twin's is not, or where the edge cuts it off."""
    pose = joints()
    track = track_of([pose])
    anatomy, template, shape = anatomy_of(track), tube_body(), (500, 500)
    track.hands[0, 0, :, :2] = np.linspace(pose[15], pose[19], 21)
    with_hand = anatomy_of(track)
    fit = fit_body(template, anatomy, joints_of(anatomy, template, shape))
    arms = {
        name: label_triangles(fit.vertices, template.triangles[limb_triangles(template, "arm", name[-1], 0.5)], shape)
        > 0
        for name in ("arm_l", "arm_r")
    }

    def doubtful(found: float, anatomy: Anatomy, edge: int = 500) -> frozenset[str]:
        rows = np.flatnonzero(arms["arm_l"].any(1))
        parts = arms | {"arm_l": arms["arm_l"] & (np.arange(500)[:, None] > rows[0] + (1 - found) * len(rows))}
        rest = ~arms["arm_r"]
        whole = Segmentation(parts=parts | {"rest": rest}, arm_likeness={}, hem=None, loose=rest < 0, hair=rest)
        alpha = np.ones(shape, np.float32)
        return doubtful_limbs(whole, alpha, fit, template, anatomy, edge=edge, seated=False).mirrored

    assert doubtful(0.4, anatomy) == {"arm_l"}
    assert doubtful(0.4, anatomy, edge=round(pose[15, 1]) - 20) == frozenset()
    assert doubtful(1.0, anatomy) == doubtful(0.4, with_hand) == frozenset()


def test_an_arm_that_would_hang_beside_the_person_is_made_up() -> None:
    """Its elbow is not seen, and where it would hang the picture shows the backdrop."""
    track = track_of([joints()])
    track.visibility[0, 13] = 0
    anatomy, template, shape = anatomy_of(track), tube_body(), (500, 500)
    hanging = joints_of(anatomy, template, shape)
    assert hanging.made_up == {"arm_l"}
    fit = fit_body(template, anatomy, hanging)
    arm = label_triangles(fit.vertices, template.triangles[limb_triangles(template, "arm", "l", 0.5)], shape) > 0

    def doubtful(person: np.ndarray, own: np.ndarray | None = arm) -> frozenset[str]:
        parts = Segmentation(
            parts={"rest": ~arm} | ({} if own is None else {"arm_l": own}),
            arm_likeness={},
            hem=None,
            loose=arm & ~arm,
            hair=arm & ~arm,
        )
        alpha = person.astype(np.float32)
        return doubtful_limbs(parts, alpha, fit, template, anatomy, edge=300, seated=False).all

    upper = np.arange(500)[:, None] < np.flatnonzero(arm.any(1))[0] + 20
    assert doubtful(upper & arm) == doubtful(arm, None) == {"arm_l"}
    assert doubtful(arm) == frozenset()

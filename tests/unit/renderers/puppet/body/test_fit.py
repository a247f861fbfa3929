import numpy as np
import pytest

from bodydouble.perception import ModelPack
from bodydouble.perception.body_template import BONES, BodyTemplate, load_body_template
from bodydouble.renderers.puppet.body import surface as surfaces
from bodydouble.renderers.puppet.body.fit import body_scale, fit_body
from bodydouble.renderers.puppet.body.silhouette import fit_silhouette
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.body.surface import label_triangles, limb_triangles
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, picture, track_of
from tube_body import tube_body

SHAPE = (500, 500)


@pytest.fixture(params=["tubes", "installed"])
def template(request: pytest.FixtureRequest) -> BodyTemplate:
    """The tests' tubes, and the installed template."""
    if request.param == "tubes":
        return tube_body()
    pack: ModelPack = request.getfixturevalue("model_pack")
    return load_body_template(pack.path("body_template.npz"))


def test_the_fitted_body_covers_the_picture(template: BodyTemplate):
    """Laid on its landmarks the body and the drawn person agree in most pixels."""
    pose = joints()
    mask = picture(pose)[1] > 0.5
    anatomy = anatomy_of(track_of([pose]))
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SHAPE))

    body = label_triangles(fit.vertices, template.triangles, SHAPE) > 0

    assert (body & mask).sum() / (body | mask).sum() > 0.6


def test_a_limb_beside_the_outline_is_moved_into_it():
    """A forearm whose landmarks are off by a third of a decimetre comes nearer to the drawn one."""
    template, pose = tube_body(), joints()
    mask = picture(pose)[1]
    wrong = pose.copy()
    wrong[[13, 15]] += [14, 0]
    anatomy = anatomy_of(track_of([wrong]))
    start = joints_of(anatomy, template, SHAPE)

    fitted, _ = fit_silhouette(start, mask, body_scale(template, start))

    before, after = (np.linalg.norm(j.points[[13, 15], :2] - pose[[13, 15]], axis=1).mean() for j in (start, fitted))
    assert after < 0.7 * before


def test_legs_outside_the_picture_hang_below_it():
    """A half body gets the template's legs, and says that they are made up."""
    template, pose = tube_body(), joints()
    track = track_of([pose])
    track.visibility[0, 25:] = 0.1
    anatomy = anatomy_of(track)

    found = joints_of(anatomy, template, (280, 500))

    assert found.made_up == {"leg_l", "leg_r"}
    assert (found.points[[27, 28], 1] > found.points[[25, 26], 1]).all()
    assert (found.points[[25, 26], 1] > found.points[[23, 24], 1]).all()


def test_unsure_landmarks_of_legs_that_lie_on_the_person_are_believed():
    """Of a drawn figure the network is unsure: its legs are where it says where the matte has them, else they hang."""
    pose = joints()
    pose[[25, 26, 27, 28], 0] += 40
    track = track_of([pose])
    track.visibility[0, 25:] = 0.3
    anatomy, template, person = anatomy_of(track), tube_body(), picture(pose)[1] > 0.5

    found, alone = joints_of(anatomy, template, SHAPE, person), joints_of(anatomy, template, SHAPE)

    assert found.made_up == frozenset()
    assert np.allclose(found.points[[25, 27], :2], pose[[25, 27]])
    assert alone.made_up == {"leg_l", "leg_r"}


def test_legs_that_the_edge_cuts_off_go_on_in_the_direction_that_the_picture_shows():
    """Thighs that spread above the edge spread below it too, and what is seen of them lies in the outline."""
    template, pose = tube_body(), joints()
    pose[[25, 27, 29, 31], 0] += 40
    pose[[26, 28, 30, 32], 0] -= 40
    mask, track = picture(pose)[1][:320], track_of([pose])
    track.visibility[0, 25:] = 0.05
    start = joints_of(anatomy_of(track), template, (320, 500), mask > 0.5)

    fitted, _ = fit_silhouette(start, mask, body_scale(template, start))

    for side, hip, knee, ankle in ((1, 23, 25, 27), (-1, 24, 26, 28)):
        wanted = (pose[knee] - pose[hip])[0] / (pose[knee] - pose[hip])[1]
        found = fitted.points[knee] - fitted.points[hip]
        assert side * wanted > 0.3
        assert abs(found[0] / found[1] - wanted) < 0.12
        assert fitted.points[ankle, 1] > 320


def test_weights_are_continued_beyond_the_body():
    """Every pixel has weights that sum to 1, those beside an arm the arm's."""
    template, pose = tube_body(), joints()
    anatomy = anatomy_of(track_of([pose]))
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SHAPE))

    surface = fit.surface(template, np.ones(len(template.triangles), bool), SHAPE)

    assert np.allclose(surface.weights.sum(2), 1, atol=1e-4)
    x, y = np.round(pose[[13, 15]].mean(0)).astype(int)
    weights, _ = surface.at(np.array([[x + 60.0, y]]))
    assert weights[0, BONES.index("lowerarm_l")] > 0.5
    assert surface.share(("lowerarm_l",))[y, x + 60] > 0.5


def test_sampled_fields_are_those_of_every_pixel(monkeypatch: pytest.MonkeyPatch):
    """Weights and depth that are kept for some pixels only differ little from those of all pixels."""
    template, anatomy = tube_body(), anatomy_of(track_of([joints()]))
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SHAPE))
    every = np.ones(len(template.triangles), bool)
    sampled = fit.surface(template, every, SHAPE)
    monkeypatch.setattr(surfaces, "SAMPLES_PER_BLUR", 1e6)
    whole = fit.surface(template, every, SHAPE)

    assert sampled.step > 1
    assert whole.step == 1
    for bone in ("lowerarm_l", "spine_02", "thigh_r"):
        assert np.abs(sampled.share((bone,)) - whole.share((bone,))).max() < 0.1
    points = np.random.default_rng(0).uniform(0, [SHAPE[1], SHAPE[0]], (200, 2))
    assert np.abs(sampled.at(points)[0] - whole.at(points)[0]).max() < 0.1
    assert np.abs(sampled.at(points)[1] - whole.at(points)[1]).max() < 0.1 * fit.scale


def test_labels_are_painted_once():
    """The body's front and back, and two sizes, are told apart; asked again, the same read-only labels come."""
    template, anatomy = tube_body(), anatomy_of(track_of([joints()]))
    fit = fit_body(template, anatomy, joints_of(anatomy, template, SHAPE))
    front, back = (fit.labels(template.triangles, SHAPE, far) for far in (False, True))
    assert np.array_equal(front, label_triangles(fit.vertices, template.triangles, SHAPE))
    assert np.array_equal(back, label_triangles(fit.vertices, template.triangles, SHAPE, far=True))
    assert fit.labels(template.triangles, (300, 400)).shape == (300, 400)
    assert fit.labels(template.triangles.copy(), SHAPE) is front
    assert not front.flags.writeable


def test_both_sides_have_their_own_triangles():
    """Triangles of the left arm are at image right of somebody who faces the camera."""
    template = tube_body()

    left, right = (limb_triangles(template, "arm", side, 0.5) for side in "lr")

    assert not (left & right).any()
    assert template.vertices[template.triangles[left]][..., 0].min() > 0
    assert template.vertices[template.triangles[right]][..., 0].max() < 0


@pytest.mark.parametrize(
    ("elbow_seen", "wrist_seen", "made_up"), [(0.6, 0.05, True), (0.95, 0.05, False), (0.6, 0.9, False)]
)
def test_an_arm_raised_into_the_hair_without_a_hand_is_a_guess(elbow_seen: float, wrist_seen: float, made_up: bool):
    """Of a headshot the network guesses raised arms: one hangs instead, unless its elbow or hand is surely seen."""
    pose = joints()
    pose[13], pose[15], pose[[17, 19, 21]] = pose[11] - [-20, 60], pose[0], pose[0]
    track = track_of([pose])
    track.visibility[0, 13], track.visibility[0, 15] = elbow_seen, wrist_seen

    found = joints_of(anatomy_of(track), tube_body(), SHAPE)

    assert ("arm_l" in found.made_up) is made_up
    assert (found.points[13, 1] > found.points[11, 1]) is np.bool_(made_up)


def test_a_margin_beside_the_picture_shows_no_elbow():
    """A landmark in columns that were added is a guess, as one beside the picture."""
    pose = joints()
    wide = SHAPE[1] - round(float(pose[13, 0])) + 40
    anatomy = anatomy_of(track_of([pose]))

    assert "arm_l" not in joints_of(anatomy, tube_body(), SHAPE).made_up
    assert "arm_l" in joints_of(anatomy, tube_body(), SHAPE, margins=(0, wide)).made_up

"""The actor's lips on another face."""

import numpy as np

from bodydouble.perception.landmark_indices import FacePoint
from bodydouble.renderers.puppet.motion.actor_lips import COLUMNS, lips_of, with_actor_lips


def face(width: float, gap: float, thick: float, *, square: bool = False) -> np.ndarray:
    """(478, 3) normalised lips in an ellipse, ``gap`` apart and ``thick`` in the middle; all else is far away."""
    points = np.full((478, 3), 3.0)
    points[FacePoint.UNDER_NOSE] = 0, 0.7, 0
    for column, x in zip(COLUMNS, np.linspace(-1, 1, len(COLUMNS)), strict=True):
        high = 1 - x**2 if not square or abs(x) == 1 else 1.0
        heights = np.r_[-gap / 2 - thick * np.arange(3, -1, -1) / 3, gap / 2 + thick * np.arange(4) / 3] * high
        points[column] = np.stack([np.full(8, x * width / 2), 1 + heights, np.zeros(8)], 1)
    return points


def outer_upper(points: np.ndarray) -> np.ndarray:
    """(11, 2) the upper lip's edge."""
    return lips_of(points)[:, 0]


def test_corners_taper_as_the_actors_do():
    """Lips of a picture whose landmarks make corners square have the actor's corners when the mouth opens."""
    own, rest = face(0.4, 0.2, 0.06, square=True), face(0.4, 0.0, 0.06, square=True)
    shown = with_actor_lips(own, rest, lips_of(face(0.5, 0.2, 0.06)), lips_of(face(0.45, 0.0, 0.06)), 1.0)
    up = lips_of(shown)[[0, -1], 0, 1].mean() - outer_upper(shown)[:, 1]
    assert up[1] < 0.5 * up[5]
    assert np.isclose(lips_of(shown)[-1, 0, 0] - lips_of(shown)[0, 0, 0], 0.4)


def test_smiling_lips_are_thinner_by_the_actors_ratio():
    """The character's lips keep their own thickness, times what the actor's are thinner than at rest."""
    own, rest = face(0.4, 0.2, 0.06), face(0.4, 0.0, 0.06)
    for now, wanted in ((0.03, 0.06), (0.015, 0.03)):
        shown = with_actor_lips(own, rest, lips_of(face(0.5, 0.2, now)), lips_of(face(0.4, 0.0, 0.03)), 1.0)
        middle = lips_of(shown)[5, :, 1]
        assert np.isclose(middle[3] - middle[0], wanted, atol=1e-3)
        assert np.isclose(middle[4] - middle[3], 0.2, atol=1e-3)


def test_skin_around_follows_and_the_rest_stays():
    """The chin below comes down with the lower lip; without a share nothing moves."""
    own, rest = face(0.4, 0.05, 0.06), face(0.4, 0.0, 0.06)
    own[18], own[10] = (0, 1.2, 0), (0, -1, 0)
    lips = lips_of(face(0.4, 0.3, 0.06))
    shown = with_actor_lips(own, rest, lips, lips_of(rest), 1.0)
    assert shown[18, 1] > own[18, 1] + 0.05
    assert np.array_equal(shown[10], own[10])
    assert with_actor_lips(own, rest, lips, lips_of(rest), 0.0) is own


def test_a_rounded_mouth_keeps_its_height():
    """Landmarks see rounded lips too close together: the taller opening stays, but not of a wide mouth."""
    own, rest = face(0.25, 0.1, 0.06), face(0.4, 0.0, 0.06)
    actors, actors_rest = lips_of(face(0.3, 0.07, 0.06)), lips_of(face(0.4, 0.0, 0.06))
    for rounded, wanted in ((0.0, 0.07), (0.3, 0.1)):
        middle = lips_of(with_actor_lips(own, rest, actors, actors_rest, 1.0, rounded))[5, :, 1]
        assert np.isclose(middle[4] - middle[3], wanted, atol=2e-3)

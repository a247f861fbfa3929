"""Where eyes look."""

import numpy as np

from bodydouble.renderers.puppet.motion.expression import EYES
from bodydouble.renderers.puppet.motion.gaze import AHEAD, gaze_of, iris_places, steady


def _faces(across: list[float]) -> np.ndarray:
    """(F, 478, 3) normalised: irises ``across`` half eye widths to the right of where they look ahead."""
    faces = np.zeros((len(across), 478, 3))
    for (_, _, left, right, iris), x in zip(EYES, (-0.3, 0.3), strict=True):
        faces[:, left, 0], faces[:, right, 0] = x - 0.125, x + 0.125
        faces[:, iris, 0] = (x + 0.125 * (np.array(across) + AHEAD[0]))[:, None]
        faces[:, iris, 1] = 0.125 * AHEAD[1] * 2  # the scale's height is half of its width
    return faces


def _gaze(across: list[float]) -> np.ndarray:
    faces = _faces(across)
    return gaze_of(iris_places(faces, np.tile([100.0, 50.0, 100.0], (len(faces), 1))))


def test_somebody_who_always_looks_aside_is_seen_to_do_so() -> None:
    """What is usual in a video is not straight ahead."""
    gaze = _gaze([0.5, 0.5, 0.5])
    assert np.all((gaze[:, 0] > 0.35) & (gaze[:, 0] <= 0.5))
    assert np.allclose(gaze[:, 1], 0)


def test_small_deviations_of_a_whole_video_are_the_faces_own() -> None:
    """Eyes that are a little off in all frames look ahead, and move as far as they do."""
    assert np.allclose(_gaze([0.06, 0.06, 0.36])[:, 0], [0, 0, 0.3])


def test_a_trembling_gaze_rests_and_leaps() -> None:
    """Single frames do not count; where the eyes go elsewhere they are there two frames later."""
    gaze = np.zeros((30, 2))
    gaze[10, 0], gaze[15:, 0] = 0.3, 0.4
    calm = steady(gaze)[:, 0]
    assert np.abs(calm[:13]).max() < 0.01
    assert np.abs(calm[17:] - 0.4).max() < 0.01
    assert np.array_equal(steady(gaze[:1]), gaze[:1])

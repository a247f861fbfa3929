"""Where feet stand."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.feet import lowest_rows, sole_below
from bodydouble.renderers.puppet.motion.rest_skeleton import CROWN, rest_skeleton
from bodydouble.renderers.puppet.motion.retarget import Retargeting
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from mannequin import joints, track_of
from tube_body import tube_body

FRAMES = 12


class _Mattes:
    """One row at ``row``; nothing at all in the ``lost`` frames."""

    def __init__(self, row: int, lost: tuple[int, ...] = ()) -> None:
        self._row, self._lost = row, lost

    def read(self, start: int, stop: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for i in range(start, stop):
            matte = np.zeros((300, 400), np.uint8)
            if i not in self._lost:
                matte[50 : self._row + 1, 190:210] = 255
            yield i, matte


def _motion(row: int, lost: tuple[int, ...] = ()) -> Motion:
    track = track_of([joints(30.0, 200.0, 40.0)] * FRAMES)
    return build_motion(track, 25.0, lowest=lowest_rows(track, _Mattes(row, lost), 500))


def _soles(motion: Motion, own_below: float = 0.0) -> NDArray[np.float64]:
    """(F,) px, the lowest row of the character."""
    anatomy, template = anatomy_of(track_of([joints()])), tube_body()
    rest = replace(
        rest_skeleton(joints_of(anatomy, template, (500, 500)), anatomy.head, sole_below=own_below), crown=CROWN
    )
    found = Retargeting(rest, motion, template)
    lowest = []
    for pose, scale, root in zip(found.poses, found.scales, found.roots, strict=True):
        assert pose is not None
        ends = [
            pose.bones[f"foot_{side}"].apply(rest.joints.points[k])[1]
            for side, heel in (("l", 29), ("r", 30))
            for k in (heel, heel + 2)
        ]
        lowest.append((max(ends) + own_below) * scale + root[1])
    return np.array(lowest)


def test_the_character_stands_where_the_actors_shoes_end():
    """Soles below the landmarks, as the matte shows them, carry the character, in frames without a matte too."""
    landmarks = joints(30.0, 200.0, 40.0)[29:33, 1].max()
    row = round(landmarks) + 20

    assert np.abs(_soles(_motion(row)) - row).max() < 1
    assert np.abs(_soles(_motion(row, lost=(5, 6))) - row).max() < 1
    assert np.abs(_soles(_motion(round(landmarks) - 30)) - landmarks).max() < 1


def test_the_characters_own_soles_are_on_the_ground():
    """Shoes of the picture that reach below its landmarks stand on the ground, not in it."""
    row = round(joints(30.0, 200.0, 40.0)[29:33, 1].max()) + 3

    assert np.abs(_soles(_motion(row), own_below=12.0) - row).max() < 1


def test_soles_are_found_in_the_picture():
    """The lowest opaque rows of the legs count, within reason: a skirt's train is no sole."""
    template, anatomy = tube_body(), anatomy_of(track_of([joints()]))
    own = joints_of(anatomy, template, (520, 500))
    alphas = {side: np.zeros((520, 500), np.uint8) for side in "lr"}
    for side, toe in (("l", 31), ("r", 32)):
        x, y = np.round(own.points[toe, :2]).astype(int)
        alphas[side][y - 20 : y + 8, x - 10 : x + 10] = 255

    assert np.isclose(sole_below(own, alphas), 7, atol=1)
    assert sole_below(own, {}) == 0


def test_mattes_of_guessed_knees_are_read_where_nobody_else_is():
    """A knee that is guessed inside the frame has its matte read, unless a neighbour may stand before it."""
    track = track_of([joints(30.0, 200.0, 40.0)] * FRAMES)
    track.visibility[:, 25:29] = 0.05
    track.neighbours[: FRAMES // 2, 0] = [200, 50, 300, 250, 90]

    rows = lowest_rows(track, _Mattes(250), 500)

    assert np.isnan(rows[: FRAMES // 2]).all()
    assert (rows[FRAMES // 2 :] == 250).all()
    assert np.isnan(lowest_rows(track, _Mattes(250), 100)).all()

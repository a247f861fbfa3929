"""Trunk and head from behind."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.body.fit import fit_body
from bodydouble.renderers.puppet.body.skeleton import joints_of
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of
from bodydouble.renderers.puppet.picture.back_view import TrunkPicture
from bodydouble.renderers.puppet.picture.from_behind import Behind, from_behind
from mannequin import joints, picture, track_of
from tube_body import tube_body

SKIN, CLOTH, HAIR = np.array([225.0, 180.0, 150.0]), np.array([205.0, 174.0, 154.0]), np.array([60.0, 40.0, 30.0])


def _behind(*, face: bool, long: bool = False) -> tuple[Behind, np.ndarray]:
    """Somebody in clothes of nearly the colour of skin, with dark hair, from behind; and the pose.

    ``long`` hair hangs before one shoulder, away from the neck.
    """
    pose, template = joints(), tube_body()
    _, mask = picture(pose)
    anatomy = anatomy_of(track_of([pose]))
    fit = fit_body(template, anatomy, joints_of(anatomy, template, mask.shape))
    opacity = mask * (np.abs(np.arange(mask.shape[1]) - 250) < 52)
    colour = np.tile(CLOTH.astype(np.float32), (*mask.shape, 1))
    colour[: int(pose[0, 1]) + 15] = HAIR
    shown = np.zeros(mask.shape, np.uint8)
    cv2.ellipse(shown, np.round(pose[0]).astype(int).tolist(), (18, 24), 0, 0, 360, 1, -1)
    colour[shown > 0] = SKIN
    nothing = np.zeros(mask.shape, np.bool_)
    hair = nothing.copy()
    if long:
        hair[int(pose[11, 1]) : int(pose[11, 1]) + 60, 272:300] = True
        colour[hair] = HAIR
    trunk = TrunkPicture(colour=colour, opacity=opacity, arms=nothing, hair=hair, model=opacity > 0.5, hem=None)
    return from_behind(trunk, opacity > 0.5, shown > 0 if face else nothing, SKIN, fit, template), pose


def test_hair_covers_the_face_and_no_nape_is_on_the_collar():
    """The face is hair; what looks like skin below the collar is cloth, and stays."""
    behind, pose = _behind(face=True)
    x, y = np.round(pose[0]).astype(int)
    assert np.abs(behind.colour[y - 5 : y + 5, x - 5 : x + 5] - HAIR).max() < 40
    shoulders = int(pose[11, 1])
    collar = behind.colour[shoulders - 10 : shoulders + 10, 240:260]
    assert np.abs(collar[..., 0] / collar[..., 2] - CLOTH[0] / CLOTH[2]).max() < 0.05  # in any light
    assert behind.skull is not None


def test_a_head_without_a_face_is_the_same_from_behind():
    """Without a face nothing is known of a skull, and the head keeps its colours."""
    behind, pose = _behind(face=False)
    x, y = np.round(pose[0]).astype(int)
    assert behind.skull is None
    assert np.array_equal(behind.colour[y, x], SKIN.astype(np.float32))


def test_hair_that_is_long_before_a_shoulder_hangs_down_the_back():
    """Hair that leaves the neck free in the picture, and reaches below the shoulders, covers neck and back."""
    down = np.s_[:40, 245:255]
    for long in (False, True):
        behind, pose = _behind(face=True, long=long)
        back = behind.colour[int(pose[11, 1]) :][down].mean((0, 1))
        assert (np.linalg.norm(back - HAIR) < np.linalg.norm(back - CLOTH)) == long

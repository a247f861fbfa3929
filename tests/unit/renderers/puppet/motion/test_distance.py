from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.distance import changing_size
from mannequin import joints, track_of

FRAMES = 40
ABOVE_HIPS = slice(0, 23)
HIPS = [23, 24]


def _bowed(size: float, share: float) -> NDArray[np.float64]:
    """(33, 2) px of somebody whose trunk looks ``share`` of its length, at ``size``."""
    pose = joints(30.0 * size, 200.0, 40.0)
    hips = pose[HIPS].mean(0)[1]
    pose[ABOVE_HIPS, 1] = hips + share * (pose[ABOVE_HIPS, 1] - hips)
    return pose


def _sizes(sizes: NDArray[np.float64], *, bow: float = 0.5, legs: float = 0.95) -> NDArray[np.float64]:
    """(F,) what is found for an actor who is as large as ``sizes`` (F,), and bows by ``bow`` in the second half.

    ``legs``: their visibility in the last frames.
    """
    shares = 1 - bow * np.clip((np.arange(len(sizes)) - 15) / 10, 0, 1)
    track = track_of([_bowed(size, share) for size, share in zip(sizes, shares, strict=True)])
    track.visibility[-8:, 25:] = legs
    return changing_size(build_motion(track, 25.0))


def test_who_jumps_away_and_lands_bowed_becomes_smaller():
    """Legs that look 0.6 as long make the actor smaller by as much, though trunk and head look smaller still."""
    sizes = np.linspace(1.0, 0.6, FRAMES)

    found = _sizes(sizes)

    assert np.allclose(found / found[0], sizes, rtol=0.08)


def test_who_bows_stays_as_large():
    """A trunk that looks half as long changes nothing while arms or legs look as long as before."""
    assert (_sizes(np.ones(FRAMES)) == 1).all()


def test_without_legs_the_size_goes_on_with_the_head():
    """Where the legs leave the frame, the size changes as the head's does, without a jump."""
    sizes = np.linspace(0.6, 1.0, FRAMES)

    found = _sizes(sizes, bow=0.0, legs=0.05)

    assert np.all(np.diff(found) > 0)
    assert np.abs(np.diff(found)).max() < 0.06


def test_faces_that_stay_as_large_deny_a_change():
    """Bones that look longer make nobody larger whose face is seen to stay; without a face they do."""
    sizes = np.linspace(1.0, 1.3, FRAMES)
    motion = build_motion(track_of([_bowed(size, 1.0) for size in sizes]), 25.0)
    seen = replace(motion, face_found=np.ones(FRAMES, np.bool_), head_size=np.full(FRAMES, 20.0))

    assert (changing_size(seen) == 1).all()
    assert np.ptp(changing_size(replace(seen, face_found=np.zeros(FRAMES, np.bool_)))) > 0.2


def test_faces_that_grow_confirm_a_change():
    """Whose face and bones grow alike comes nearer."""
    sizes = np.linspace(1.0, 1.3, FRAMES)
    motion = build_motion(track_of([_bowed(size, 1.0) for size in sizes]), 25.0)
    found = changing_size(replace(motion, face_found=np.ones(FRAMES, np.bool_), head_size=20 * sizes))

    assert np.allclose(found / found[0], sizes, rtol=0.08)

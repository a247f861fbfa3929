"""A desk before the person."""

import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.desk import Desk, find_desk
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from mannequin import joints, picture, track_of

SIZE = (500, 500)


def seated(line: int, knees_seen: float, reflection: int = 0) -> tuple[list[SampleFrame], object]:
    """Somebody behind a desk that begins at row ``line``; ``reflection`` columns of the matte go on below."""
    poses = [joints(head=90.0, top=20.0 + i) for i in range(6)]
    samples: list[SampleFrame] = []
    for i, pose in enumerate(poses):
        image, mask = picture(pose, SIZE)
        matte = (mask * 255).astype(np.uint8)
        below = matte[line:].copy()
        matte[line:] = 0
        if reflection:
            middle = slice(250 - reflection // 2, 250 + reflection // 2)
            matte[line:, middle] = np.maximum(below[:, middle], 255)
        image[line:] = 30
        samples.append(SampleFrame(index=i, image=image, matte=matte))
    track = track_of(poses)
    track.visibility[:, 25:] = knees_seen
    return samples, track


@pytest.mark.parametrize("reflection", [0, 60])
def test_the_edge_is_found_with_and_without_a_reflection(reflection: int) -> None:
    """The row at which the person is cut off, to two pixels."""
    samples, track = seated(330, 0.02, reflection)
    desk = find_desk(samples, track)
    assert desk is not None
    assert abs(desk.line - 330) <= 2


def test_legs_below_a_hem_are_no_desk() -> None:
    """Where the knees are seen the body goes on."""
    samples, track = seated(330, 0.9)
    assert find_desk(samples, track) is None


def test_nobody_cut_off_has_no_desk() -> None:
    """Somebody who fills the picture down to its edge is not behind anything."""
    poses = [joints(head=130.0, top=40.0)] * 5
    samples = []
    for i, pose in enumerate(poses):
        image, mask = picture(pose, SIZE)
        samples.append(SampleFrame(index=i, image=image, matte=(mask * 255).astype(np.uint8)))
    assert find_desk(samples, track_of(poses, visibility=0.1)) is None


def test_the_desk_hides_what_is_below_its_line() -> None:
    """1 above, 0 below, a short blend between; rows count within the box."""
    shown = Desk(line=100.0).shown((0, 90, 10, 120))[:, 0]
    assert shown[0] == 1
    assert shown[-1] == 0
    assert abs(float(shown[10]) - 0.5) < 0.01

import numpy as np
import pytest

from bodydouble.renderers.puppet.drawing.layered_puppet import LayeredPuppet
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.retarget import Retargeting, rest_skeleton
from bodydouble.renderers.puppet.picture.character import Character, character_of
from mannequin import joints, picture, track_of
from tube_body import tube_body


@pytest.fixture(scope="module")
def puppet(tmp_path_factory: pytest.TempPathFactory) -> LayeredPuppet:
    """The mannequin, driven by itself: first as in its picture, then with the left arm raised."""
    raised = joints()
    raised[13], raised[15] = raised[11] + [70, -20], raised[11] + [110, -60]
    raised[[17, 19, 21]] = raised[15] + [12, -14]
    motion = build_motion(track_of([joints()] * 8 + [raised] * 8, shots=[0] * 8 + [1] * 8), 25.0)
    image, mask = picture(joints())
    folder = tmp_path_factory.mktemp("renderer")
    character: Character = character_of(image, track_of([joints()]), mask, motion, folder, tube_body())
    assert character.body is not None
    rest = rest_skeleton(character.body.fit.joints, character.anatomy.head)
    retargeting = Retargeting(rest, motion, tube_body())
    return LayeredPuppet(character, character.body.layers, retargeting, motion)


def _on_grey(puppet: LayeredPuppet, index: int) -> np.ndarray:
    drawing = puppet.draw(index, 500, 500)
    assert drawing is not None
    x0, y0, x1, y1 = drawing.bounds
    frame = np.full((500, 500, 3), 150.0)
    share = drawing.rgba[..., 3:] / 255
    frame[y0:y1, x0:x1] = frame[y0:y1, x0:x1] * (1 - share) + drawing.rgba[..., :3]
    return frame


def test_in_its_own_pose_the_puppet_is_its_picture(puppet: LayeredPuppet):
    """Driven by the movement of its own picture, few pixels differ from it."""
    picture_of_it = picture(joints())[0].astype(float)

    away = np.abs(_on_grey(puppet, 2) - picture_of_it).max(2)

    assert (away > 60).mean() < 0.05


def test_a_raised_arm_leaves_the_trunk_whole(puppet: LayeredPuppet):
    """The arm is at the new place, nothing of it at the old one, and the shirt has no hole."""
    frame = _on_grey(puppet, 12)
    new, old = picture(joints())[0], joints()

    x, y = np.round(puppet.motion.body[12, [13, 15]].mean(0)).astype(int)
    assert np.abs(frame[y, x] - (60, 100, 200)).max() < 60
    x, y = np.round(old[[13, 15]].mean(0)).astype(int)
    assert np.abs(frame[y, x] - 150).max() < 30
    x, y = np.round(old[[11, 12, 23, 24]].mean(0)).astype(int)
    assert np.abs(frame[y, x] - new[y, x]).max() < 40


def test_a_frame_is_drawn_the_same_each_time(puppet: LayeredPuppet):
    """Frames keep nothing from one to the next."""
    first = puppet.draw(12, 500, 500)
    puppet.draw(3, 500, 500)
    again = puppet.draw(12, 500, 500)

    assert first is not None
    assert again is not None
    assert np.array_equal(first.rgba, again.rgba)

"""Things in front of the person."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.looks import Look
from bodydouble.renderers.puppet.occlusion import LOOKS_MIN, ActorColours, learn_colours
from mannequin import joints, picture, track_of
from staged import scenery

SIZE = (500, 500)


def actors_colours() -> ActorColours:
    """Learned from the mannequin without anything in front."""
    poses = [joints(centre=200.0 + 10 * i) for i in range(8)]
    looks: list[Look] = []
    for i, pose in enumerate(poses):
        image, mask = picture(pose, SIZE)
        looks.append(Look(index=i, image=image, matte=(mask * 255).astype(np.uint8)))
    colours = learn_colours(looks, track_of(poses))
    assert colours is not None
    return colours


def scene_with_ball(centre: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Image, plate, matte and pose; the matte takes a ball that touches the person for the person."""
    pose = joints()
    person, mask = picture(pose, SIZE)
    plate = scenery(*SIZE)
    image = np.where(mask[..., None] > 0.5, person, plate).astype(np.uint8)
    matte = (mask * 255).astype(np.uint8)
    if centre is not None:
        cv2.circle(image, centre, 22, (250, 240, 40), -1)
        cv2.circle(matte, centre, 22, 255, -1)
    return image, plate, matte, pose


def test_a_ball_before_trunk_or_legs_is_found_whole() -> None:
    """Most of the ball is covered and little else is."""
    colours = actors_colours()
    for centre in ((250, 190), (270, 330)):
        image, plate, matte, pose = scene_with_ball(centre)
        things = colours.foreign_things(image, plate, matte, pose, (0, 0, 500, 500))
        assert things is not None
        ball = cv2.circle(np.zeros((500, 500), np.uint8), centre, 22, 1, -1) > 0
        assert things[ball].mean() > 0.9
        assert things[~ball].sum() < 0.6 * ball.sum()


def test_a_person_alone_has_nothing_in_front() -> None:
    """Shirt, skin and trousers are the actor's own."""
    image, plate, matte, pose = scene_with_ball(None)
    assert actors_colours().foreign_things(image, plate, matte, pose, (0, 0, 500, 500)) is None


def test_a_crop_finds_the_same_thing() -> None:
    """Joints are taken relative to the crop's box."""
    image, plate, matte, pose = scene_with_ball((250, 190))
    box = (100, 20, 420, 480)
    cut = np.s_[box[1] : box[3], box[0] : box[2]]
    things = actors_colours().foreign_things(image[cut], plate[cut], matte[cut], pose, box)
    assert things is not None
    assert things[190 - 20, 250 - 100] > 0.9


def test_too_few_looks_teach_nothing() -> None:
    """With less than the limit nobody can say what is usual."""
    pose = joints()
    image, mask = picture(pose, SIZE)
    looks = [Look(index=0, image=image, matte=(mask * 255).astype(np.uint8))] * (LOOKS_MIN - 1)
    assert learn_colours(looks, track_of([pose])) is None

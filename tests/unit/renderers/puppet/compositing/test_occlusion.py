"""Things in front of the person."""

from dataclasses import replace

import cv2
import numpy as np

from bodydouble.renderers.puppet.compositing.balls import known_ball
from bodydouble.renderers.puppet.compositing.colours import colour_codes
from bodydouble.renderers.puppet.compositing.occlusion import FEET, SAMPLES_MIN, ActorColours, learn_colours
from bodydouble.renderers.puppet.compositing.samples import SampleFrame
from mannequin import joints, picture, track_of
from synthetic_scene import scenery

SIZE = (500, 500)


def actors_colours() -> ActorColours:
    """Learned from the mannequin without anything in front."""
    poses = [joints(centre=200.0 + 10 * i) for i in range(8)]
    samples: list[SampleFrame] = []
    for i, pose in enumerate(poses):
        image, mask = picture(pose, SIZE)
        samples.append(SampleFrame(index=i, image=image, matte=(mask * 255).astype(np.uint8)))
    colours = learn_colours(samples, track_of(poses))
    assert colours is not None
    return colours


def scene_with_ball(centre: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Image, plate, all of it seen, matte and pose; the matte takes a ball that touches the person for the person."""
    pose = joints()
    person, mask = picture(pose, SIZE)
    plate = scenery(*SIZE)
    image = np.where(mask[..., None] > 0.5, person, plate).astype(np.uint8)
    matte = (mask * 255).astype(np.uint8)
    if centre is not None:
        cv2.circle(image, centre, 22, (250, 240, 40), -1)
        cv2.circle(matte, centre, 22, 255, -1)
    return image, np.dstack([plate, np.full(matte.shape, 255, np.uint8)]), matte, pose


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


def test_a_ball_that_is_before_the_body_all_the_time_is_none_of_its_clothes() -> None:
    """Seen in every sample, at another place in each, the ball's colour is not taken for the person's own."""
    samples: list[SampleFrame] = []
    centres = [(250, 150 + 40 * (i % 5)) for i in range(10)]
    for i, centre in enumerate(centres):
        image, _, matte, _ = scene_with_ball(centre)
        samples.append(SampleFrame(index=i, image=image, matte=matte))
    colours = learn_colours(samples, track_of([joints()] * 10))
    assert colours is not None
    image, plate, matte, pose = scene_with_ball((250, 190))
    things = colours.foreign_things(image, plate, matte, pose, (0, 0, 500, 500))
    assert things is not None
    assert things[cv2.circle(np.zeros((500, 500), np.uint8), (250, 190), 20, 1, -1) > 0].mean() > 0.9


def test_a_person_alone_has_nothing_in_front() -> None:
    """Shirt, skin and trousers are the actor's own."""
    image, plate, matte, pose = scene_with_ball(None)
    assert actors_colours().foreign_things(image, plate, matte, pose, (0, 0, 500, 500)) is None


def test_a_ball_at_a_shoe_of_its_colour_is_found_once_it_is_known() -> None:
    """Its colour is the shoes' own, so that it stays unseen there, until the same ball was seen before the trunk."""
    colours, ankle = actors_colours(), joints()[27, :2].astype(int)
    known = colours.known.copy()
    known[FEET, colour_codes(np.full((1, 1, 3), (250, 240, 40), np.uint8))[0, 0]] = True
    colours = replace(colours, known=known)
    box = (0, 0, 500, 500)
    seen = [s for x in (245, 250, 255) for s in colours.sightings(*scene_with_ball((x, 190)), box)]
    assert [round(s.radius, -1) for s in seen] == [20, 20, 20]
    centre = (int(ankle[0]), int(ankle[1]) + 8)
    image, plate, matte, pose = scene_with_ball(centre)
    ball = cv2.circle(np.zeros((500, 500), np.uint8), centre, 20, 1, -1) > 0
    before = colours.foreign_things(image, plate, matte, pose, box)
    after = replace(colours, ball=known_ball(seen)).foreign_things(image, plate, matte, pose, box)
    assert before is None or before[ball].mean() < 0.5
    assert after is not None
    assert after[ball].mean() > 0.9
    assert after[~ball].sum() < 0.7 * ball.sum()


def test_the_sole_of_a_raised_shoe_goes_with_the_person() -> None:
    """A compact piece of a colour never seen before is a thing before the trunk, but not where a foot is."""
    colours, pose = actors_colours(), joints()
    for at, is_thing in ((pose[[11, 24], :2].mean(0), True), (pose[[27, 31], :2].mean(0), False)):
        image, plate, matte, pose = scene_with_ball(None)
        x, y = at.astype(int).tolist()
        for canvas, value in ((image, (235, 30, 220)), (matte, 255)):
            cv2.rectangle(canvas, (x - 12, y - 10), (x + 12, y + 10), value, -1)
        things = colours.foreign_things(image, plate, matte, pose, (0, 0, 500, 500))
        assert (things is not None) == is_thing


def test_a_crop_finds_the_same_thing() -> None:
    """Joints are taken relative to the crop's box."""
    image, plate, matte, pose = scene_with_ball((250, 190))
    box = (100, 20, 420, 480)
    cut = np.s_[box[1] : box[3], box[0] : box[2]]
    things = actors_colours().foreign_things(image[cut], plate[cut], matte[cut], pose, box)
    assert things is not None
    assert things[190 - 20, 250 - 100] > 0.9


def test_too_few_samples_teach_nothing() -> None:
    """With less than the limit nobody can say what is usual."""
    pose = joints()
    image, mask = picture(pose, SIZE)
    samples = [SampleFrame(index=0, image=image, matte=(mask * 255).astype(np.uint8))] * (SAMPLES_MIN - 1)
    assert learn_colours(samples, track_of([pose])) is None


def test_the_scene_in_a_gap_of_the_body_is_no_thing_where_the_plate_is_made_up() -> None:
    """Between arm and trunk the matte is closed; a made-up plate says nothing there, a seen one and the trunk do."""
    colours, pose = actors_colours(), joints()
    gap = (pose[13] * 0.5 + pose[15] * 0.5 + pose[23] + (pose[11] - pose[23]) * 0.3) / 2
    for at, seen, is_thing in ((gap, 0, False), (gap, 255, True), (pose[[11, 24], :2].mean(0), 0, True)):
        image, plate, matte, _ = scene_with_ball(None)
        plate[..., 3] = seen
        x, y = at[:2].astype(int).tolist()
        for canvas, value in ((image, (235, 30, 220)), (matte, 255)):
            cv2.rectangle(canvas, (x - 12, y - 14), (x + 12, y + 14), value, -1)
        things = colours.foreign_things(image, plate, matte, pose, (0, 0, 500, 500))
        assert (things is not None) == is_thing


def test_a_highlight_that_wanders_over_plain_cloth_is_no_thing() -> None:
    """It is compact and moves as a ball does, but its colour is nearly the cloth's."""
    pose = joints()
    samples: list[SampleFrame] = []
    for y in (125, 275) * 6:
        image, _, matte, _ = scene_with_ball(None)
        cv2.circle(image, (250, y), 14, (image[200, 250].astype(int) + 38).tolist(), -1)
        samples.append(SampleFrame(index=len(samples), image=image, matte=matte))
    colours = learn_colours(samples, track_of([pose] * len(samples)))
    assert colours is not None
    _, plate, matte, _ = scene_with_ball(None)
    assert colours.foreign_things(samples[0].image, plate, matte, pose, (0, 0, 500, 500)) is None


def test_a_patch_that_keeps_its_place_on_the_trunk_is_clothes() -> None:
    """It is seen in a few samples only, because an arm hides it in the others."""
    pose = joints()
    samples: list[SampleFrame] = []
    for k in range(12):
        image, _, matte, _ = scene_with_ball(None)
        if k < 4:
            cv2.rectangle(image, (240, 180), (265, 200), (235, 30, 220), -1)
        samples.append(SampleFrame(index=k, image=image, matte=matte))
    colours = learn_colours(samples, track_of([pose] * len(samples)))
    assert colours is not None
    _, plate, matte, _ = scene_with_ball(None)
    assert colours.foreign_things(samples[0].image, plate, matte, pose, (0, 0, 500, 500)) is None

"""The ball in front of the person."""

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


def with_ball(colours: ActorColours) -> ActorColours:
    """The same, and the ball seen at three places before the trunk."""
    seen = [s for y in (160, 190, 220) for s in colours.sightings(*scene_with_ball((250, y)), (0, 0, 500, 500))]
    assert [round(s.radius, -1) for s in seen] == [20, 20, 20]
    return replace(colours, ball=known_ball(seen))


def test_a_ball_before_trunk_or_legs_is_found_whole() -> None:
    """Most of the ball is covered and little else is."""
    colours = with_ball(actors_colours())
    for centre in ((250, 190), (270, 330)):
        image, plate, matte, pose = scene_with_ball(centre)
        things = colours.ball_in_front(image, plate, matte, pose, (0, 0, 500, 500))
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
    things = with_ball(colours).ball_in_front(image, plate, matte, pose, (0, 0, 500, 500))
    assert things is not None
    assert things[cv2.circle(np.zeros((500, 500), np.uint8), (250, 190), 20, 1, -1) > 0].mean() > 0.9


def test_a_person_alone_has_nothing_in_front() -> None:
    """Shirt, skin and trousers are the actor's own."""
    image, plate, matte, pose = scene_with_ball(None)
    assert with_ball(actors_colours()).ball_in_front(image, plate, matte, pose, (0, 0, 500, 500)) is None


def test_a_piece_that_is_no_known_ball_goes_with_the_person() -> None:
    """A fold, a lock of hair or a print is compact and of an unusual colour in single frames."""
    image, plate, matte, pose = scene_with_ball(None)
    cv2.rectangle(image, (238, 176), (262, 196), (235, 30, 220), -1)
    assert actors_colours().ball_in_front(image, plate, matte, pose, (0, 0, 500, 500)) is None
    assert with_ball(actors_colours()).ball_in_front(image, plate, matte, pose, (0, 0, 500, 500)) is None


def test_a_ball_at_a_shoe_of_its_colour_is_found_once_it_is_known() -> None:
    """Its colour is the shoes' own, so that it does not stand out there; it is found as a disc."""
    colours, ankle = actors_colours(), joints()[27, :2].astype(int)
    known = colours.known.copy()
    known[FEET, colour_codes(np.full((1, 1, 3), (250, 240, 40), np.uint8))[0, 0]] = True
    colours = with_ball(replace(colours, known=known))
    centre = (int(ankle[0]), int(ankle[1]) + 8)
    image, plate, matte, pose = scene_with_ball(centre)
    ball = cv2.circle(np.zeros((500, 500), np.uint8), centre, 20, 1, -1) > 0
    found = colours.ball_in_front(image, plate, matte, pose, (0, 0, 500, 500))
    assert found is not None
    assert found[ball].mean() > 0.9
    assert found[~ball].sum() < 0.7 * ball.sum()


def test_a_ball_with_a_hand_on_it_is_found_and_a_shoe_of_its_colour_is_not() -> None:
    """Neither is round; the shoe is where feet are."""
    colours, toe = with_ball(actors_colours()), joints()[31, :2].astype(int)
    for at, is_ball in (((250, 190), True), ((int(toe[0]), int(toe[1])), False)):
        image, plate, matte, pose = scene_with_ball(None)
        for canvas, value in ((image, (250, 240, 40)), (matte, 255)):
            cv2.ellipse(canvas, at, (26, 14), 0, 0, 360, value, -1)
        found = colours.ball_in_front(image, plate, matte, pose, (0, 0, 500, 500))
        assert (found is not None) == is_ball


def test_a_crop_finds_the_same_thing() -> None:
    """Joints are taken relative to the crop's box."""
    image, plate, matte, pose = scene_with_ball((250, 190))
    box = (100, 20, 420, 480)
    cut = np.s_[box[1] : box[3], box[0] : box[2]]
    things = with_ball(actors_colours()).ball_in_front(image[cut], plate[cut], matte[cut], pose, box)
    assert things is not None
    assert things[190 - 20, 250 - 100] > 0.9


def test_too_few_samples_teach_nothing() -> None:
    """With less than the limit nobody can say what is usual."""
    pose = joints()
    image, mask = picture(pose, SIZE)
    samples = [SampleFrame(index=0, image=image, matte=(mask * 255).astype(np.uint8))] * (SAMPLES_MIN - 1)
    assert learn_colours(samples, track_of([pose])) is None


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
    assert not colours.sightings(samples[0].image, plate, matte, pose, (0, 0, 500, 500))

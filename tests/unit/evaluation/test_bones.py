"""Directions come from the actor, lengths from the character."""

from dataclasses import replace

import numpy as np
import pytest

from bodydouble.evaluation.bones import bone_directions, bone_lengths
from bodydouble.perception.landmark_indices import BodyPoint, FacePoint
from bodydouble.perception.track import PersonTrack
from mannequin import Joints, joints, track_of

SIZE = (500, 500)
FRAMES = 8


def _long_legged(stretch: float) -> Joints:
    """The mannequin with its legs ``stretch`` times as long."""
    pose = joints(head=45)
    for hip, below in ((BodyPoint.LEFT_HIP, (25, 27, 29, 31)), (BodyPoint.RIGHT_HIP, (26, 28, 30, 32))):
        for k in below:
            pose[k] = pose[hip] + stretch * (pose[k] - pose[hip])
    return pose


def _clip(pose: Joints) -> PersonTrack:
    return track_of([pose] * FRAMES)


def test_the_character_as_it_is_at_another_size_has_its_own_lengths():
    """One scale for the whole shot is allowed; every ratio is 1."""
    clip = _clip(joints(head=40))

    found = bone_lengths(track_of([joints(head=60)]), SIZE, clip, clip, SIZE)

    assert found.share == 1
    assert found.ratios["left thigh"] == pytest.approx(1, abs=1e-3)


def test_a_character_stretched_onto_the_actors_joints_fails_by_length_and_not_by_direction():
    """Copied joints agree in direction; the legs have the actor's length and not the character's."""
    actor, character = _clip(_long_legged(1.3)), track_of([_long_legged(1.0)])

    copied = bone_lengths(character, SIZE, actor, actor, SIZE)

    assert bone_directions(actor, actor, SIZE).share == 1
    assert copied.share is not None
    assert copied.share < 0.8
    assert copied.ratios["left shin"] == pytest.approx(1.3, abs=0.05)


def test_another_direction_is_measured_in_degrees():
    """An arm that hangs while the actor's is raised disagrees; the others agree."""
    raised = joints(head=45)
    raised[BodyPoint.LEFT_ELBOW] = raised[BodyPoint.LEFT_SHOULDER] + [50, -40]
    raised[BodyPoint.LEFT_WRIST] = raised[BodyPoint.LEFT_ELBOW] + [30, -40]

    found = bone_directions(_clip(raised), _clip(joints(head=45)), SIZE)

    assert found.share == pytest.approx(1 - 2 / 8)
    assert found.degrees == pytest.approx(0, abs=1e-6)


def test_foreshortened_and_hidden_limbs_are_not_judged():
    """A limb that points at the camera says nothing, and a clip without limbs gives no value."""
    short = joints(head=45)
    short[BodyPoint.LEFT_WRIST] = short[BodyPoint.LEFT_ELBOW] + [1, 0]
    actor = track_of([joints(head=45)] * FRAMES + [short])
    character = track_of([joints(head=45)] * (FRAMES + 1))
    hidden = replace(actor, visibility=np.zeros_like(actor.visibility))

    assert bone_directions(actor, character, SIZE).share == 1
    assert bone_directions(hidden, character, SIZE).share is None
    assert bone_lengths(track_of([joints()]), SIZE, hidden, hidden, SIZE).share is None


def test_a_lost_character_agrees_with_nothing():
    """Frames in which the character is missing count as disagreement."""
    character = _clip(joints(head=45))
    character.present[:] = False

    assert bone_directions(_clip(joints(head=45)), character, SIZE).share == 0


def test_noise_of_single_frames_is_no_wrong_length():
    """Lengths that are off for one frame now and then count as right; a limb that stays too long does not."""
    wide = track_of([_long_legged(1.0) for _ in range(24)])
    for i in range(0, 24, 3):
        wide.body[i, [25, 26], 1] += 25
    long = track_of([_long_legged(1.0 if i < 12 else 1.4) for i in range(24)])
    own, own_clip = track_of([_long_legged(1.0)]), track_of([_long_legged(1.0)] * 24)

    noisy, stretched = (bone_lengths(own, SIZE, own_clip, made, SIZE) for made in (wide, long))

    assert noisy.share == 1
    assert stretched.share is not None
    assert stretched.share < 0.95


def test_several_looks_at_the_picture_count_by_their_median():
    """One look that is off by a tenth changes nothing where two others agree."""
    off = joints(head=60)
    off[25:33, 1] += 30

    clip = _clip(joints(head=45))

    found = bone_lengths(track_of([joints(head=60), off, joints(head=60)]), SIZE, clip, clip, SIZE)

    assert found.ratios["left thigh"] == pytest.approx(1, abs=1e-3)


def test_trunk_and_thighs_of_a_body_seen_from_the_side_are_not_judged():
    """The network sees hips too low there: a long trunk with short thighs is no fault of the drawing."""
    clip = _clip(_long_legged(1.3))
    clip.body[:, [11, 23], 2], clip.body[:, [12, 24], 2] = 90, -90

    found = bone_lengths(track_of([joints(head=45)]), SIZE, clip, clip, SIZE).ratios

    assert not {"trunk", "left thigh", "right thigh"} & set(found)
    assert {"left forearm", "left shin"} <= set(found)


def test_a_limb_is_judged_where_the_actors_is_frontal():
    """The driving video tells it, by its length and by its depth; the depths of a drawn result do not count."""
    own, drawn = track_of([joints(head=45)]), _clip(joints(head=45))
    drawn.body[:, 25, 2] = 90
    short, deep = _clip(joints(head=45)), _clip(joints(head=45))
    for side in (25, 26):
        short.body[: FRAMES // 2, side, 1] -= 0.2 * (short.body[0, side, 1] - short.body[0, side - 2, 1])
        deep.body[:, side, 2] = 0.6 * (deep.body[0, side, 1] - deep.body[0, side - 2, 1])

    assert "left thigh" in bone_lengths(own, SIZE, _clip(joints(head=45)), drawn, SIZE).ratios
    assert "left thigh" in bone_lengths(own, SIZE, short, drawn, SIZE).ratios
    assert "left thigh" not in bone_lengths(own, SIZE, deep, drawn, SIZE).ratios
    short.body[FRAMES // 2 + 2 :] = short.body[0]
    assert "left thigh" not in bone_lengths(own, SIZE, short, drawn, SIZE).ratios


def test_a_limb_is_as_long_as_its_longer_twin():
    """Of two arms in the picture the foreshortened one tells no length, whatever depth the network gives it."""
    own, clip = track_of([joints(head=45)]), _clip(joints(head=45))
    own.body[:, 13, :2] = 0.5 * (own.body[:, 13, :2] + own.body[:, 11, :2])

    found = bone_lengths(own, SIZE, clip, clip, SIZE)

    assert found.ratios["left upper arm"] == pytest.approx(1, abs=0.02)


def test_a_nodding_head_hides_its_neck():
    """A head that is tilted otherwise than in the picture leaves the neck unjudged."""
    own, clip, nodding = track_of([joints(head=45)]), _clip(joints(head=45)), _clip(joints(head=45))
    for track, nod in ((own, 0), (clip, 0), (nodding, 20)):
        track.face_found[:] = True
        track.face[:, FacePoint.FOREHEAD_TOP] = [250, 50, 0]
        track.face[:, FacePoint.CHIN] = [250, 100, nod]

    assert "neck" in bone_lengths(own, SIZE, clip, clip, SIZE).ratios
    assert "neck" not in bone_lengths(own, SIZE, clip, nodding, SIZE).ratios


def test_lengths_that_are_judged_in_few_frames_are_not_told():
    """A result in which next to nothing can be judged has no share of right lengths, and says so."""
    own, actor = track_of([joints(head=45)]), track_of([joints(head=45)] * 12)
    actor.visibility[4:] = 0
    clip = track_of([joints(head=45)] * 12)

    found = bone_lengths(own, SIZE, actor, clip, SIZE)

    assert found.judged == pytest.approx(4 / 12)
    assert found.limb_share is None
    assert found.share == 1


def test_neck_and_limbs_are_told_from_trunk_and_shoulders():
    """Shoulders that are too wide lower the share of all bones, not that of neck and limbs."""
    wide = joints(head=45)
    for k, side in ((11, 1), (12, -1)):
        wide[[k, k + 2, k + 4, k + 6, k + 8, k + 10]] += [side * 10, 0]

    found = bone_lengths(track_of([joints(head=45)]), SIZE, _clip(joints(head=45)), _clip(wide), SIZE)

    assert found.limb_share == 1
    assert found.share is not None
    assert found.share < 1
    assert found.ratios["left forearm"] == pytest.approx(1, abs=0.02)


def test_two_bones_make_no_scale():
    """A neck beside a head alone, as in close-ups, agrees with a scale between them: there is no verdict."""
    own, clip = track_of([joints(head=45)]), _clip(joints(head=45))
    for track in (own, clip):
        track.face_found[:] = True
        track.face[:, FacePoint.FOREHEAD_TOP], track.face[:, FacePoint.CHIN] = [250, 50, 0], [250, 100, 0]
        track.visibility[:, 13:] = 0
    clip.visibility[:, 11:13] = own.visibility[:, 11:13] = 0.95
    own.body[:, 11, 2], own.body[:, 12, 2] = 40, -40

    found = bone_lengths(own, SIZE, clip, clip, SIZE)

    assert found.judged == 0
    assert found.share is None

"""Pictures and videos that cannot give a usable result are refused, or give a warning."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import material
from bodydouble.perception import ModelPack, analyse_portrait
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.suitability import check_portrait, check_track, people_only, trunk_tilt
from bodydouble.perception.track import PersonTrack
from bodydouble.tasks.errors import InputRejected, NobodyFound
from mannequin import joints, track_of


@pytest.fixture(scope="module")
def astronaut(model_pack: ModelPack):
    """The astronaut's portrait: upright, with the whole head."""
    return analyse_portrait(model_pack, material.astronaut())


def _faceless(portrait, **changes):
    """The portrait with no face found and fields of its track changed."""
    track = replace(portrait.track, face_found=np.array([False]), **changes)
    return replace(portrait, track=track)


def test_an_upright_person_is_suitable(astronaut):
    """A whole head and an upright trunk give no concern."""
    assert check_portrait(astronaut) == []


def test_a_cat_is_refused(model_pack: ModelPack):
    """The landmark network sees a body in the cat; without a face that is not enough."""
    portrait = analyse_portrait(model_pack, material.cat())

    with pytest.raises(NobodyFound, match="image: no person was recognised") as caught:
        check_portrait(portrait)

    assert caught.value.fields["field"] == "image"


@pytest.mark.parametrize("turn", [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE])
def test_a_turned_picture_is_refused_and_says_so(model_pack: ModelPack, turn: int):
    """A person on their side or upside down is not drawn; the message says to turn the picture."""
    turned = np.asarray(cv2.rotate(material.astronaut(), turn), np.uint8)

    with pytest.raises(InputRejected, match="Turn the picture"):
        check_portrait(analyse_portrait(model_pack, turned))


def test_a_picture_cut_at_the_forehead_gives_a_warning(model_pack: ModelPack, astronaut):
    """A head that the upper edge cuts has its own code; one cut below the eyes is refused."""
    mesh = astronaut.track.face[0]
    brow, mouth = int(mesh[9, 1]), int(mesh[13, 1])
    cut = np.ascontiguousarray(material.astronaut()[brow:])
    raised = mesh - np.array([0, mouth, 0], np.float32)

    assert [c.code for c in check_portrait(analyse_portrait(model_pack, cut))] == ["head_cut_off"]
    with pytest.raises(InputRejected, match="below the eyes"):
        check_portrait(replace(astronaut, track=replace(astronaut.track, face=raised[None])))


def test_a_headless_body_is_refused(astronaut):
    """Where no face is found and the head's landmarks lie on the shoulders the head is missing."""
    body = astronaut.track.body.copy()
    body[0, : BodyPoint.LEFT_SHOULDER] = body[0, [BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]].mean(0)

    faceless, neck = _faceless(astronaut, body=body), int(body[0, BodyPoint.NOSE, 1])
    without = astronaut.agreed.copy()
    without[:neck] = 0

    with pytest.raises(InputRejected, match="head is not in the picture"):
        check_portrait(replace(faceless, agreed=without))


def test_a_bowed_head_is_not_missing(astronaut):
    """The person's mask shows a head above landmarks that lie on the shoulders."""
    body = astronaut.track.body.copy()
    body[0, : BodyPoint.LEFT_SHOULDER] = body[0, [BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER]].mean(0)

    assert [c.code for c in check_portrait(_faceless(astronaut, body=body))] == ["reference_not_human"]


def test_a_figure_without_a_human_face_gives_a_warning_unless_it_is_seen_from_behind(astronaut):
    """Facing the camera without a face it may be a thing; from behind there is no face to be seen."""
    behind = astronaut.track.body.copy()
    behind[..., 0] = 512 - behind[..., 0]

    assert [c.code for c in check_portrait(_faceless(astronaut))] == ["reference_not_human"]
    assert check_portrait(_faceless(astronaut, body=behind)) == []


def _lying(frames: int = 10) -> PersonTrack:
    standing = joints()
    return track_of([np.stack([standing[:, 1], 500 - standing[:, 0]], 1)] * frames)


def test_a_video_of_somebody_who_lies_gives_a_warning():
    """The trunk is horizontal in most frames."""
    track = _lying()

    assert trunk_tilt(track.body[0]) == pytest.approx(90)
    assert [c.code for c in check_track(track)] == ["person_not_upright"]
    assert check_track(track_of([joints()] * 10)) == []


def test_a_thing_in_a_video_is_no_person():
    """No face in any frame, an unsure network and no upright trunk are not a person."""
    track = _lying()
    assert people_only(track).present.all()
    track.confidence[:] = 0.8

    assert not people_only(track).present.any()


def test_hands_in_one_shot_are_no_person_and_leave_the_other_shot_alone():
    """A network that puts the head into the trunk, unsure or elsewhere each time, saw hands; a face is believed."""
    hands = joints()
    hands[:11] = hands[11:13].mean(0) + 0.1 * (hands[23:25].mean(0) - hands[11:13].mean(0))
    track = track_of([joints()] * 5 + [hands] * 5, shots=[0] * 5 + [1] * 5)
    assert people_only(track).present.all()
    track.confidence[::2] = 0.7

    assert people_only(track).present.tolist() == [True] * 5 + [False] * 5
    track.confidence[:] = 1
    track.body[5:7, :11] -= 2 * (track.body[5:7, 23:24] - track.body[5:7, 11:12])
    assert people_only(track).present.tolist() == [True] * 5 + [False] * 5
    track.face_found[5:] = True
    assert people_only(track).present.all()


def test_a_head_above_the_frame_gives_a_warning():
    """The character's head would be outside, too."""
    outside = track_of([joints() - [0, 120]] * 10)

    assert [c.code for c in check_track(outside)] == ["head_outside_frame"]

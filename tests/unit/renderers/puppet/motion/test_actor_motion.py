"""What a puppet is driven by."""

import numpy as np

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.motion.actor_motion import _lids, _smiles, build_motion
from mannequin import joints, track_of


def test_joints_are_the_actors():
    """Where no hand is seen, body joints are handed on as they are."""
    poses = [joints(centre=200.0 + i) for i in range(6)]
    motion = build_motion(track_of(poses), 25.0)
    assert np.allclose(motion.body, np.stack(poses), atol=1e-3)
    assert len(motion) == 6


def test_absent_frames_stay_absent():
    """Nothing is made up where nobody is."""
    track = track_of([joints()] * 8)
    track.present[3:5] = False
    track.body[3:5] = np.nan
    motion = build_motion(track, 25.0)
    assert not motion.present[3:5].any()
    assert np.isnan(motion.head_size[3:5]).all()
    assert np.isfinite(motion.head_size[[2, 5]]).all()


def test_nothing_crosses_a_cut():
    """The frames of a shot give the same numbers whatever comes after the cut."""
    near = [joints(head=60)] * 10
    far = [joints(head=20, centre=90)] * 10
    alone = build_motion(track_of(near), 25.0)
    cut = build_motion(track_of(near + far, shots=[0] * 10 + [1] * 10), 25.0)
    assert np.allclose(cut.body[:10], alone.body)
    assert np.allclose(cut.head_size[:10], cut.head_size[0])
    assert np.allclose(cut.head_size[10:], cut.head_size[10])
    assert cut.head_size[10] < 0.5 * cut.head_size[9]


def test_a_seen_hand_takes_over_the_wrist_softly():
    """Between cuts a hand fades in over a few frames; the wrist follows it fully in the middle."""
    track = track_of([joints()] * 20)
    track.visibility[[*range(5), *range(15, 20)], 15] = 0.4
    track.hand_found[5:15, 0] = True
    track.hands[5:15, 0] = 0
    track.hands[5:15, 0, :, :2] = joints()[15] + 4.0
    motion = build_motion(track, 25.0)
    moved = motion.body[:, 15, 0] - joints()[15, 0]
    assert np.allclose(moved[[0, 4, 15]], 0, atol=1e-3)
    assert np.isclose(moved[10], 4.0, atol=1e-3)
    assert 0 < moved[5] < moved[6] < 4.0
    assert motion.hand_weight[10, 0] == 1


def test_a_hand_seen_up_to_the_films_ends_does_not_fade():
    """At the first and the last frame nothing is to be blended with."""
    track = track_of([joints()] * 12)
    track.hand_found[:, 1] = True
    track.hands[:, 1] = 0
    track.hands[:, 1, :, :2] = joints()[16]
    assert (build_motion(track, 25.0).hand_weight[:, 1] == 1).all()


def test_without_a_face_there_is_no_expression():
    """Offsets are zero, lids open, and the head comes from the body."""
    motion = build_motion(track_of([joints()] * 4), 25.0)
    assert not motion.face_found.any()
    assert (motion.offsets == 0).all()
    assert (motion.lids == 1).all()
    assert np.isfinite(motion.head_centre).all()


def test_a_head_in_profile_keeps_its_size():
    """Ears that meet on screen do not shrink the head: the trunk tells its size."""
    turned = joints()
    turned[[2, 5, 7, 8], 0] = turned[0, 0]
    motion = build_motion(track_of([joints()] * 10 + [turned] * 10), 25.0)
    assert np.ptp(motion.head_size) < 0.05 * motion.head_size[0]


def test_a_hand_beside_a_guessed_wrist_is_the_actors():
    """In a close-up the arm's end is a guess, and the hand says where it is."""
    track = track_of([joints()] * 12)
    track.visibility[:, 15] = 0.3
    track.hand_found[:, 0] = True
    track.hands[:, 0] = 0
    track.hands[:, 0, :, :2] = joints()[15] + [40.0, 40.0]
    motion = build_motion(track, 25.0)
    assert (motion.hand_weight[:, 0] == 1).all()


def test_a_hand_far_from_the_wrist_is_somebody_elses():
    """Another person's hand before the actor neither draws the actor's arm nor counts as the actor's hand."""
    track = track_of([joints()] * 12)
    track.hand_found[:, 0] = True
    track.hands[:, 0] = 0
    track.hands[:, 0, :, :2] = joints()[15] + [60.0, 60.0]
    motion = build_motion(track, 25.0)
    assert (motion.hand_weight[:, 0] == 0).all()
    assert np.allclose(motion.body[:, 15], joints()[15], atol=1e-3)


def _with_eyes(openings: np.ndarray) -> PersonTrack:
    """A track whose eyes are as far open as ``openings`` (F, 2), over that of open ones."""
    track = track_of([joints()] * len(openings))
    angle = np.linspace(np.pi, -np.pi, 16, endpoint=False)
    track.face_found[:] = True
    track.eyes[:] = np.stack([np.cos(angle), np.zeros(16)], 1) * 10
    track.eyes[..., 1] = openings[..., None] * np.sin(angle) * 4
    return track


def test_eyes_that_look_down_are_not_shut_where_blinks_are_narrower():
    """Somebody whose blinks narrow the eyes to 0.27 of their opening still sees through half of it."""
    opening = np.ones((60, 2))
    opening[5:9], opening[30:40] = 0.27, 0.5
    lids = _lids(_with_eyes(opening), 25.0)
    assert lids[6].max() < 0.05
    assert lids[35].min() > 0.3


def test_one_eye_shuts_alone_only_for_a_wink():
    """An eye that seems somewhat narrower than the other one is seen badly; one that is shut winks."""
    opening = np.ones((60, 2))
    opening[20, 0], opening[39:42, 0] = 0.65, 0.25
    lids = _lids(_with_eyes(opening), 25.0)
    assert np.ptp(lids[20]) < 0.2
    assert np.ptp(lids[40]) > 0.6


def test_half_open_eyes_are_half_open():
    """Who looks down for a second shows half an eye, though the contours of shut ones keep a fourth of it."""
    opening = np.ones((60, 2))
    opening[5:8], opening[20:45] = 0.2, 0.5
    lids = _lids(_with_eyes(opening), 25.0)
    assert lids[6].max() < 0.05
    assert 0.5 < lids[30].mean() < 0.65


def test_eyes_that_shut_are_shut():
    """The contours of a shut eye keep 0.4 of their opening: the lids of a blink meet, and half open eyes are open."""
    opening = np.ones((30, 2))
    opening[10], opening[20] = 0.38, 0.65
    lids = _lids(_with_eyes(opening), 25.0)
    assert lids[10].max() < 0.05
    assert 0.65 < lids[20].mean() < 0.8
    assert np.allclose(lids[0], 1, atol=0.01)


def test_in_a_blink_the_lids_meet_however_little_is_measured():
    """Lids that are half shut for 0.2 s blink; those that stay half shut look down."""
    opening = np.ones((60, 2))
    opening[10:14], opening[30:44] = [[0.7], [0.52], [0.55], [0.75]], 0.52
    lids = _lids(_with_eyes(opening), 25.0)
    assert lids[11].max() < 0.05
    assert lids[12].max() < 0.15
    assert lids[32:42].min() > 0.25


def test_a_blink_does_not_reach_beyond_a_cut():
    """Half shut eyes at the end of a shot look down, though the next shot begins with open ones."""
    opening = np.ones((40, 2))
    opening[16:20] = 0.52
    track = _with_eyes(opening)
    track.shot[20:] = 1
    assert _lids(track, 25.0)[18].min() > 0.25


def test_one_eye_that_shuts_for_one_frame_is_a_slip_of_the_landmarks():
    """In a blurred frame one eye is seen shut and the other half: both stay open. At 12 frames a second it may wink."""
    opening = np.full((60, 2), 0.9)
    opening[20] = 0.28, 0.56
    assert _lids(_with_eyes(opening), 25.0)[20].min() > 0.8
    assert _lids(_with_eyes(opening), 12.0)[20].max() < 0.3


def test_cheeks_do_not_leap():
    """A smile that lips show for one frame is hardly one; it comes over frames, and none crosses a cut."""
    track = track_of([joints()] * 40, shots=[0] * 20 + [1] * 20)
    track.face_found[:] = True
    mouth = np.tile([0.35, -0.02, 0.0], (40, 1))
    mouth[[5, *range(20, 40)]] = 0.46, 0.06, 0.1
    smiles = _smiles(mouth, track, 25.0)
    assert 0 < smiles[5] < 0.2
    assert smiles[19] == 0
    assert np.allclose(smiles[20:], 1)
    assert np.abs(np.diff(smiles[:20])).max() < 0.1

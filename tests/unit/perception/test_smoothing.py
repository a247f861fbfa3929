from dataclasses import replace

import numpy as np

from bodydouble.perception.smoothing import fill_gaps, gaussian_smoothed, one_euro, smooth_track, spans
from bodydouble.perception.track import PersonTrack, empty_track


def _standing(frames: int) -> PersonTrack:
    track = empty_track(frames)
    rng = np.random.default_rng(1)
    still = rng.uniform(0, 200, (33, 3)).astype(np.float32)
    still[[11, 12], :2] = [[150, 50], [50, 50]]
    track.present[:] = True
    track.body[:] = still + rng.normal(0, 1, (frames, 33, 3))
    track.box[:] = (0, 0, 200, 200)
    return track


def test_trembling_is_smoothed_away_without_lag():
    """Noise gets smaller by half at least, and a steady walk stays where it is."""
    rng = np.random.default_rng(3)
    walk = np.arange(100.0)[:, None] * 0.2
    noisy = walk + rng.normal(0, 1, walk.shape)

    smooth = one_euro(noisy, 25.0, cutoff=1.0, beta=0.0, scale=100)

    assert np.std((smooth - walk)[20:80]) < 0.5 * np.std((noisy - walk)[20:80])
    assert abs(float((smooth - walk)[20:80].mean())) < 0.3


def test_a_gaussian_spreads_one_frame_over_its_neighbours():
    """A pulse becomes the normalised bell curve; a constant stays as it is, except beside zeros."""
    bell = np.exp(-0.5 * (np.arange(-20, 21) / 3.0) ** 2)
    pulse = np.zeros((41, 2))
    pulse[20] = 1, -2

    smooth = gaussian_smoothed(pulse, 3.0)

    np.testing.assert_allclose(smooth, bell[:, None] / bell.sum() * [1, -2], atol=1e-4)
    np.testing.assert_allclose(gaussian_smoothed(np.full(3, 5.0), 3.0), 5.0)
    assert gaussian_smoothed(np.full(3, 5.0), 3.0, beyond="constant").max() < 2.5


def test_gaps_are_filled_in_a_straight_line():
    """Between two measured values the missing ones are interpolated, at the ends the last one is held."""
    values = np.array([[9.0], [1.0], [9.0], [9.0], [4.0], [9.0]])
    good = np.array([False, True, False, False, True, False])

    assert fill_gaps(values, good)[:, 0].tolist() == [1, 1, 2, 3, 4, 4]


def test_a_cut_ends_a_span():
    """A gap is bridged within a shot, never across a cut."""
    found = np.array([True, True, False, True, True])

    assert spans(found, np.zeros(5, np.int32)) == [(0, 5)]
    assert spans(found, np.array([0, 0, 1, 1, 1], np.int32)) == [(0, 2), (3, 5)]


def test_short_gaps_are_filled_and_long_ones_stay():
    """Three lost frames come back, twelve do not."""
    track = _standing(40)
    for hole in (slice(5, 8), slice(20, 32)):
        track.present[hole], track.body[hole] = False, np.nan

    smooth = smooth_track(track, 25.0)

    assert smooth.present[:20].all()
    assert not np.isnan(smooth.body[:20]).any()
    assert not smooth.present[20:32].any()
    assert np.isnan(smooth.body[20:32]).all()


def test_nothing_crosses_a_cut():
    """What happens behind a cut changes nothing before it."""
    track = _standing(20)
    shot = np.repeat([0, 1], 10).astype(np.int32)
    moved = track.body.copy()
    moved[10:] += 500

    before = smooth_track(replace(track, shot=shot), 25.0)
    after = smooth_track(replace(track, shot=shot, body=moved), 25.0)

    assert np.array_equal(before.body[:10], after.body[:10])


def test_a_shaken_head_is_followed():
    """A face that swings by a quarter of its width three times a second is a sixtieth of its width off at most."""
    frames, width = 50, 100.0
    track = _standing(frames)
    swing = 0.25 * width * np.sin(2 * np.pi * 3 * np.arange(frames) / 25)
    track.face_found[:] = True
    track.face[:] = 0
    track.face[:, 234], track.face[:, 454] = [-width / 2, 0, 0], [width / 2, 0, 0]
    track.face[..., 0] += swing[:, None]
    track.eyes[:] = 0

    smooth = smooth_track(track, 25.0).face[:, 0, 0]

    assert np.abs(smooth - swing)[5:-5].mean() < width / 60


def test_a_face_mesh_that_leaves_the_head_for_a_moment_does_not_count():
    """A mesh that slips off a fast head, and is torn there, keeps its shape and stays at the body's head."""
    frames, width = 40, 100.0
    track = _standing(frames)
    track.body[:] = track.body[0]
    track.body[20:, :, 1] += 2 * width
    track.face_found[:] = True
    track.face[:] = 0
    track.face[:, 234, 0], track.face[:, 454, 0] = -width / 2, width / 2
    track.face[..., :2] += track.body[:, [0], :2]
    whole = track.face.copy()
    track.face[20:26, :, 1] -= np.linspace(1.5, 0.3, 6)[:, None] * width
    track.face[20:26, 13, 1] += 0.5 * width
    track.eyes[:] = 0

    smooth = smooth_track(track, 25.0).face

    assert np.abs(smooth - whole)[22:26].max() < 0.25 * width
    assert np.abs(np.diff(smooth[:, 13, 1] - smooth[:, 0, 1])).max() < 1


def test_a_lost_hand_follows_the_wrist():
    """While a hand is lost its arm swings: in the gap it is at the body's wrist, not on the way straight across.

    It is not counted as found there.
    """
    frames = 20
    track = _standing(frames)
    track.body[:], track.visibility[:] = track.body[0], 0.9
    track.body[8:12, 15, 1] += 80
    track.hand_found[:, 0] = True
    track.hands[:, 0] = track.body[:, None, 15] + np.arange(21)[:, None] * 2
    track.hand_found[8:12, 0], track.hands[8:12, 0] = False, np.nan

    smooth = smooth_track(track, 25.0)

    assert np.flatnonzero(~smooth.hand_found[:, 0]).tolist() == [8, 9, 10, 11]
    assert np.abs(smooth.hands[:, 0, 0, :2] - smooth.body[:, 15, :2]).max() < 30


def test_a_lost_hand_does_not_follow_a_guessed_wrist():
    """In a close-up the body's wrist jumps while nobody sees it: a hand that rests stays where it is."""
    track = _standing(20)
    track.body[:] = track.body[0]
    track.hand_found[:, 0] = True
    track.hands[:, 0] = track.body[:, None, 15] + np.arange(21)[:, None] * 2
    track.hand_found[8:12, 0], track.hands[8:12, 0] = False, np.nan
    track.body[8:12, 15, 1] += 80
    track.visibility[8:12, 15] = 0.1

    smooth = smooth_track(track, 25.0)

    assert np.abs(smooth.hands[:, 0] - smooth.hands[0, 0]).max() < 1

"""Which pixels belong to which limb."""

import numpy as np

from bodydouble.renderers.puppet.picture.parts import Bone, PartDistances, around, disc, segment_distance, soft_disc


def test_distance_from_a_segment():
    """Beside the segment it is the perpendicular distance, beyond its ends the distance from the end."""
    points = np.array([[5.0, 3.0], [14.0, 3.0]])
    away, along = segment_distance(points, np.array([0.0, 0.0]), np.array([10.0, 0.0]))
    assert np.allclose(away, [3.0, 5.0])
    assert np.allclose(along, [0.5, 1.0])


def test_a_gap_parts_what_is_near():
    """An arm beside the trunk, joined at the shoulder only, keeps its pixels although the trunk's axis is nearer."""
    alpha = np.zeros((200, 160), np.float32)
    alpha[20:190, 20:90] = 1  # trunk
    alpha[20:50, 90:120] = 1  # shoulder
    alpha[20:180, 96:120] = 1  # arm, after a gap of six pixels
    colour = np.full((200, 160, 3), 120, np.float32)
    distances = PartDistances(colour, alpha)
    trunk = Bone(start=np.array([55.0, 30.0]), stop=np.array([55.0, 180.0]), radius=30)
    arm = Bone(start=np.array([108.0, 40.0]), stop=np.array([108.0, 170.0]), radius=10, seed_from=0.2)
    ways = [distances.distance(distances.seeds(b)) / b.radius for b in (trunk, arm)]
    of_trunk, of_arm = distances.split(ways)
    assert of_arm[150, 98] > 0.9
    assert of_trunk[150, 88] > 0.9
    assert np.allclose((of_trunk + of_arm)[alpha > 0], 1, atol=0.05)


def test_a_seam_counts_as_distance():
    """Between two touching parts the border follows the change of colour, not the middle between their axes."""
    alpha = np.ones((100, 100), np.float32)
    colour = np.full((100, 100, 3), 60, np.float32)
    colour[:, 62:] = (220, 60, 60)
    distances = PartDistances(colour, alpha)
    left = Bone(start=np.array([20.0, 5.0]), stop=np.array([20.0, 95.0]), radius=10)
    right = Bone(start=np.array([80.0, 5.0]), stop=np.array([80.0, 95.0]), radius=10)
    _, of_right = distances.split([distances.distance(distances.seeds(x)) / x.radius for x in (left, right)])
    border = int(np.argmax(of_right[50] > 0.5))
    assert 54 <= border <= 66


def test_a_disc_is_round_and_soft():
    """Full inside, half at the rim, nothing outside."""
    mask = disc((60, 60), np.array([30.0, 30.0]), 16.0)
    assert mask[30, 30] == 1
    assert 0.3 < mask[30, 46] < 0.7
    assert mask[30, 52] == 0
    assert disc((60, 60), np.array([-40.0, 30.0]), 16.0).sum() == 0


def test_a_rim_around_marks():
    """Full inside their hull, half at the reach from it, nothing well beyond."""
    mask = around((60, 60), np.array([[20.0, 20.0], [40.0, 20.0], [40.0, 40.0], [20.0, 40.0]]), 6.0)
    assert mask[30, 30] == 1
    assert 0.3 < mask[30, 46] < 0.7
    assert mask[30, 52] == 0


def test_marks_beside_the_axis_are_the_bones_own():
    """A thumb that no straight line through the hand meets goes with the hand, nothing that is not opaque does."""
    alpha = np.ones((100, 100), np.float32)
    alpha[:, 80:] = 0
    distances = PartDistances(np.full((100, 100, 3), 120, np.float32), alpha)
    line = {"start": np.array([20.0, 50.0]), "stop": np.array([60.0, 50.0]), "radius": 10.0}
    marks = np.array([[20.0, 50.0], [60.0, 50.0], [90.0, 80.0], [50.0, 80.0]])
    bare, marked = distances.seeds(Bone(**line)), distances.seeds(Bone(**line, marks=marks))
    assert not bare[75, 60]
    assert marked[75, 60]
    assert not marked[:, 82:].any()
    assert (marked | ~bare).all()


def test_a_soft_disc_fades_from_its_middle():
    """Full near the middle, faint near the radius, nothing outside."""
    mask = soft_disc((60, 60), np.array([30.0, 30.0]), 20.0)
    assert mask[30, 36] == 1
    assert 0.1 < mask[30, 46] < 0.5
    assert mask[30, 51] == 0


def test_a_disc_with_an_axis_is_an_ellipse():
    """Along the axis as short as that is, across it as wide as ever."""
    mask = disc((60, 60), np.array([30.0, 30.0]), 16.0, np.array([0.0, 0.5]))
    assert 0.3 < mask[30, 46] < 0.7
    assert 0.3 < mask[38, 30] < 0.7
    assert mask[42, 30] == 0

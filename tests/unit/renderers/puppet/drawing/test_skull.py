"""The dome behind a face."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Bytes, Mask
from bodydouble.renderers.puppet.drawing.skull import HAIR_DEPTH, SILHOUETTE, Skull, build_skull, hair_depth
from bodydouble.renderers.puppet.motion.head import OVAL, Head

HAIR = (90, 40, 20, 255)
CENTRE, WIDTH = 150, 100


def _skull(notch: float = 0.0) -> Skull:
    """That of a flat face 100 px wide in hair, which reaches 15 px farther at the sides and 30 above.

    One side of its outline lies ``notch`` px farther back than the other.
    """
    angles = np.arange(len(OVAL)) * 2 * np.pi / len(OVAL)
    face = np.zeros((478, 3))
    face[:, :2] = CENTRE
    face[list(OVAL), :2] += np.c_[np.sin(angles) * WIDTH / 2, -np.cos(angles) * 0.65 * WIDTH]
    rows, columns = np.mgrid[0:300, 0:300]
    face[list(OVAL)[: len(OVAL) // 2], 2] += notch
    region = (((columns - CENTRE) / 65) ** 2 + ((rows - CENTRE) / 95) ** 2 < 1) & (rows < 190)
    back = np.zeros((300, 300, 4), np.uint8)
    back[region] = HAIR
    origin = np.array([CENTRE, CENTRE, 0.0])
    head = Head(rotation=np.eye(3), centre=origin[:2], origin=origin, width=WIDTH, height=60)
    skull = build_skull(face, head, back, region)
    assert skull is not None
    return skull


def _drawn(skull: Skull, yaw: float, hidden: Mask | None = None) -> Bytes:
    """(300, 300, 4) the dome turned by ``yaw``, without what is ``hidden``."""
    canvas = np.zeros((300, 300, 4), np.uint8)
    turn, hidden = cv2.Rodrigues(np.array([0, yaw, 0]))[0], np.zeros((300, 300), np.bool_) if hidden is None else hidden
    for (x0, y0, x1, y1), rgba in skull.drawn(turn, np.array([CENTRE, CENTRE]), 1.0, 300, 300, hidden):
        canvas[y0:y1, x0:x1] = rgba
    return canvas


def _columns(skull: Skull, yaw: float) -> tuple[int, int]:
    """First and last opaque column at the height of the eyes."""
    seen = np.flatnonzero(_drawn(skull, yaw)[CENTRE - 20, :, 3] > 128)
    assert np.ptp(seen) + 1 == len(seen)  # one piece
    return int(seen[0]), int(seen[-1])


def test_a_head_from_the_side_is_about_as_deep_as_wide():
    """Turned by 80 degrees, the head reaches 45 to 75 px behind the ears, away from the face."""
    left, right = _columns(_skull(), np.radians(80))
    assert 45 < right - CENTRE < 75
    other_left, other_right = _columns(_skull(), np.radians(-80))
    assert abs((CENTRE - other_left) - (right - CENTRE)) < 5
    assert abs((other_right - CENTRE) - (CENTRE - left)) < 5


def test_only_what_the_face_does_not_hide_is_drawn():
    """Beside a hidden place the dome looks as it does without one, and far inside that place nothing is drawn."""
    hidden = np.zeros((300, 300), np.bool_)
    hidden[:, : CENTRE + 20] = True
    part, whole = _drawn(_skull(), np.radians(40), hidden), _drawn(_skull(), np.radians(40))
    assert np.array_equal(part[~hidden], whole[~hidden])
    assert part[~hidden].any()
    assert not part[:, : CENTRE + 10].any()


def test_in_the_pictures_own_view_the_dome_is_its_outline():
    """Unturned, it is as wide as the hair."""
    left, right = _columns(_skull(), 0.0)
    assert abs(left - (CENTRE - 65)) < 5
    assert abs(right - (CENTRE + 65)) < 5


def test_a_dome_has_no_steps():
    """Where the two sides of a face's outline differ in depth, the dome goes over from one to the other."""
    level, uneven = _skull(), _skull(notch=30)
    step = (uneven.solid - level.solid)[:, 2][uneven.triangles]
    assert np.ptp(step[:, 0]) > 20
    assert np.ptp(step, axis=1).max() < 15


def test_no_dome_without_a_back():
    """Where the picture shows hardly any head above the nape, there is no dome."""
    head = Head(rotation=np.eye(3), centre=np.zeros(2), origin=np.zeros(3), width=WIDTH, height=60)
    nothing = np.zeros((300, 300), np.bool_)
    assert build_skull(np.zeros((478, 3)), head, np.zeros((300, 300, 4), np.uint8), nothing) is None


def test_hair_of_a_turned_head_is_as_deep_as_from_the_front():
    """On the side that the picture shows, hair lies no farther behind the face; on the other nothing changes."""
    offset, gap = np.array([[SILHOUETTE * WIDTH, 0], [-SILHOUETTE * WIDTH, 0]]), np.full(2, SILHOUETTE * WIDTH)
    heads = [
        Head(rotation=rotation, centre=np.zeros(2), origin=np.zeros(3), width=WIDTH, height=60)
        for rotation in (np.eye(3), cv2.Rodrigues(np.array([0, np.radians(20), 0]))[0])
    ]
    front, turned = (hair_depth(offset, gap, head) for head in heads)
    np.testing.assert_allclose(front, HAIR_DEPTH * WIDTH)
    own = np.c_[offset, turned] @ heads[1].rotation[:, 2]
    assert 0.9 * HAIR_DEPTH * WIDTH < own[0] < 1.01 * HAIR_DEPTH * WIDTH
    np.testing.assert_allclose(turned[1], front[1])

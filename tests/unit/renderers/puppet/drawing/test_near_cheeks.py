"""The cheek that comes to the front as a head turns."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.drawing.near_cheeks import NearCheeks, near_cheeks
from bodydouble.renderers.puppet.motion.head import OVAL, Head

SKIN = (210, 160, 140)
CENTRE, HALF = np.array([100.0, 120.0]), np.array([70.0, 90.0])


def mesh_points() -> np.ndarray:
    """(478, 2) an oval face of 140 by 180 px; points inside it lie in its middle."""
    face = np.tile(CENTRE, (478, 1))
    angle = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    face[list(OVAL)] = CENTRE + np.stack([np.sin(angle), -np.cos(angle)], 1) * HALF
    face[234], face[454], face[9] = CENTRE - [70, 0], CENTRE + [70, 0], CENTRE - [0, 45]
    return face


def head() -> Head:
    return Head(rotation=np.eye(3), centre=CENTRE, origin=np.r_[CENTRE, 0.0], width=140, height=80)


def turned(degrees: float) -> np.ndarray:
    return cv2.Rodrigues(np.array([0.0, np.radians(degrees), 0.0]))[0]


def shown(cheeks: NearCheeks, rgba: np.ndarray, degrees: float) -> np.ndarray:
    """The texture of a head turned by so many ``degrees``."""
    result, change = rgba.copy(), cheeks.shown(turned(degrees))
    if change is not None:
        change[0].lay(result, change[1])
    return result


def picture_with_streaks() -> np.ndarray:
    """(240, 200, 4) skin with bright streaks at both rims of the face."""
    rgba = np.full((240, 200, 4), (*SKIN, 255), np.uint8)
    rgba[110:160:4, 32:38, :3] = rgba[110:160:4, 162:168, :3] = 255
    return rgba


def test_the_cheek_that_turns_to_the_viewer_is_plain() -> None:
    """Streaks at its rim go; those of the other cheek and in small turns stay."""
    rgba = picture_with_streaks()
    cheeks = near_cheeks(rgba, mesh_points(), head())
    left, right = np.s_[112:134, 34:38, :3], np.s_[112:134, 162:166, :3]
    far = shown(cheeks, rgba, 50)
    assert far[right].max() < 240
    assert (far[left] == rgba[left]).all()
    assert shown(cheeks, rgba, -50)[left].max() < 240
    assert cheeks.shown(turned(15)) is None


def test_a_cheek_that_hair_or_shade_borders_stays() -> None:
    """Skin in the light would be a patch in it."""
    rgba = picture_with_streaks()
    rgba[:, :50, :3] = 40
    cheeks = near_cheeks(rgba, mesh_points(), head())
    assert cheeks.sides[0] is None
    assert cheeks.sides[1] is not None


def test_a_cheek_along_which_hair_hangs_stays() -> None:
    """Its edge against the hair would be a comb."""
    rgba = picture_with_streaks()
    inside = np.zeros(rgba.shape[:2], np.uint8)
    cv2.ellipse(inside, (100, 120), (70, 90), 0, 0, 360, 1, -1)
    rgba[inside == 0, :3] = 60, 30, 90
    assert near_cheeks(rgba, mesh_points(), head()).sides == (None, None)


def test_a_lock_before_the_cheek_stays() -> None:
    """Hair that hangs into a part of the rim is no streak."""
    rgba = picture_with_streaks()
    rgba[90:118, 150:175, :3] = 40
    far = shown(near_cheeks(rgba, mesh_points(), head()), rgba, 50)
    assert far[96:112, 156:164, :3].max() < 60
    assert far[132:146, 162:166, :3].max() < 240

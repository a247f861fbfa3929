"""What is changed in a face's texture for a frame."""

import cv2
import numpy as np

from bodydouble.renderers.puppet.drawing.lips import OUTER_LIPS
from bodydouble.renderers.puppet.drawing.retouching import FOLDS, retouching
from bodydouble.renderers.puppet.motion.head import OVAL, Head

SKIN, CENTRE = (210, 160, 140), np.array([120.0, 120.0])


def mesh_points() -> np.ndarray:
    """(478, 2) a face of 200 px with folds from the nose to beside the mouth."""
    face = np.tile(CENTRE, (478, 1))
    for points, radii, middle in ((OVAL, (100, 110), CENTRE), (OUTER_LIPS, (30, 10), CENTRE + [0, 45])):
        angle = np.linspace(0, 2 * np.pi, len(points), endpoint=False)
        face[list(points)] = middle + np.stack([np.sin(angle), -np.cos(angle)], 1) * radii
    face[234], face[454], face[9] = CENTRE - [100, 0], CENTRE + [100, 0], CENTRE - [0, 60]
    for side, fold in zip((-1, 1), FOLDS, strict=True):
        face[list(fold)] = CENTRE + np.stack([side * np.linspace(22, 50, 6), np.linspace(10, 60, 6)], 1)
    return face


def own_face(lift: float) -> np.ndarray:
    """(478, 3) normalised, with the corners of its mouth ``lift`` above its middle."""
    own = np.zeros((478, 3))
    own[[61, 291], :2] = [[-0.2, -lift], [0.2, -lift]]
    return own


def smiling_picture() -> np.ndarray:
    """(240, 240, 4) skin with red lips and dark folds."""
    rgba = np.full((240, 240, 4), (*SKIN, 255), np.uint8)
    face = mesh_points()
    cv2.fillConvexPoly(rgba, np.round(face[list(OUTER_LIPS)]).astype(np.int32), (170, 60, 60, 255))
    for fold in FOLDS:
        cv2.polylines(rgba, [np.round(face[list(fold)]).astype(np.int32)], False, (120, 80, 70, 255), 3)
    return rgba


HEAD = Head(rotation=np.eye(3), centre=CENTRE, origin=np.r_[CENTRE, 0.0], width=200, height=100)
NOSE_SIDE, LIP = (140, 148), (165, 120)
SERIOUS, SMILING = (-0.02, 0.0), (0.06, 1.0)


def test_the_folds_of_a_smile_go_while_the_actor_is_serious() -> None:
    """They stay while the actor smiles; lips always do, and the picture itself never changes."""
    rgba = smiling_picture()
    before = rgba.copy()
    change = retouching(rgba, mesh_points(), HEAD, own_face(0.06))
    serious, smiling = (change.texture(rgba, np.eye(3), *actor) for actor in (SERIOUS, SMILING))
    assert rgba[NOSE_SIDE][0] < 150
    assert serious[NOSE_SIDE][0] > 185
    assert (serious[LIP] == rgba[LIP]).all()
    assert smiling is rgba
    assert (rgba == before).all()


def test_folds_of_a_serious_face_are_its_own() -> None:
    """An old face keeps its wrinkles."""
    rgba = smiling_picture()
    assert retouching(rgba, mesh_points(), HEAD, own_face(-0.01)).texture(rgba, np.eye(3), *SERIOUS) is rgba


def test_a_serious_face_gets_the_folds_of_the_actors_smile() -> None:
    """Skin beside the nose is darker and of a stronger hue, the lips stay, and half a smile has half of it."""
    rgba = np.full((240, 240, 4), (*SKIN, 255), np.uint8)
    rgba[..., :3][np.indices((240, 240)).sum(0) % 4 < 2] -= 8  # grain: flat skin gets no folds
    rgba[..., 3][:, :4] = 0
    rgba[:, :4] = 0
    cv2.fillConvexPoly(rgba, np.round(mesh_points()[list(OUTER_LIPS)]).astype(np.int32), (170, 60, 60, 255))
    change = retouching(rgba, mesh_points(), HEAD, own_face(-0.01))
    whole, half = (change.texture(rgba, np.eye(3), *actor) for actor in (SMILING, (0.0225, 0.5)))
    dark = whole[NOSE_SIDE].astype(float)
    assert 150 < dark[0] < 200
    assert dark[2] / dark[0] < SKIN[2] / SKIN[0]
    assert dark[0] + 5 < half[NOSE_SIDE][0] < SKIN[0]
    assert (whole[LIP] == rgba[LIP]).all()
    assert (whole[..., 3] == rgba[..., 3]).all()


def test_a_face_drawn_in_even_colours_gets_no_folds() -> None:
    """Shade on flat skin would be a stain: the texture stays as it is."""
    rgba = np.full((240, 240, 4), (*SKIN, 255), np.uint8)
    assert retouching(rgba, mesh_points(), HEAD, own_face(-0.01)).smiling is None

"""Closed eyes."""

import numpy as np

from bodydouble.renderers.puppet.compositing.eyelids import (
    ABOVE,
    BELOW,
    CHEEKS,
    CREASES,
    LOWER_LIDS,
    paint_closed_lids,
)


def face_with_dark_eyes() -> tuple[np.ndarray, np.ndarray]:
    """(100, 200, 3) skin with dark eyes, and the mesh (478, 2) that belongs to it."""
    colour = np.full((100, 200, 3), (210, 170, 150), np.uint8)
    face = np.full((478, 2), 500.0)
    for eye, x in enumerate((60, 140)):
        colour[46:54, x - 20 : x + 20] = 20
        for points, y, half in (
            (CREASES, 44, 20),
            (LOWER_LIDS, 54, 20),
            (ABOVE, 38, 14),
            (BELOW, 64, 14),
            (CHEEKS, 80, 10),
        ):
            row = list(points[eye])
            face[row] = np.stack([np.linspace(x - half, x + half, len(row)), np.full(len(row), float(y))], 1)
    return colour, face


def test_a_closed_eye_is_skin_above_the_lashes() -> None:
    """The dark rest of an open eye is gone; below it the lashes are a thin, darker line."""
    colour, face = face_with_dark_eyes()
    paint_closed_lids(colour, face, np.array([0.0, 1.0]), None)
    lid = colour[47:52, 48:72].astype(int)
    assert np.abs(lid - [210, 170, 150]).max() < 30
    assert (colour[54, 50:70] < 160).any()
    assert (colour[48:52, 130:150] == 20).all()


def test_a_lid_below_a_dark_brow_is_no_hole() -> None:
    """Shade or hair between brow and eye does not colour the lid that stands out of it."""
    colour, face = face_with_dark_eyes()
    colour[:44], colour[55:70] = 40, 135  # and below the eye is a shadow
    paint_closed_lids(colour, face, np.array([0.0, 1.0]), None)
    assert colour[47:52, 52:68].astype(int).mean() > 0.75 * np.mean([210, 170, 150])


def test_a_lid_in_black_make_up_is_black() -> None:
    """Where all is dark around an eye, a light lid would look like a blind, open eye."""
    colour, face = face_with_dark_eyes()
    colour[:70] = 50
    paint_closed_lids(colour, face, np.array([0.0, 1.0]), None)
    assert colour[47:52, 48:72].max() < 80


def test_lashes_above_a_shut_lid_are_taken_away() -> None:
    """The open eye's lashes lie above the fold, where the shut lid has none, and its own edge shows no step."""
    colour, face = face_with_dark_eyes()
    colour[41:46, 50:70:5] = 40
    paint_closed_lids(colour, face, np.array([0.0, 1.0]), None)
    assert colour[42:46, 54:67].mean(2).min() > 0.7 * np.mean([210, 170, 150])


def test_the_line_of_lashes_ends_thin() -> None:
    """It is thickest near the outer corner, and has the skin's hue over eyes of any colour."""
    colour, face = face_with_dark_eyes()
    colour[46:56, 40:80] = 20, 40, 200
    paint_closed_lids(colour, face, np.array([0.0, 1.0]), None)
    dark = colour[50:60, 40:80].mean(2) < 120
    assert dark[:, 6:16].sum() > dark[:, 28:38].sum()
    line = colour[54, 52:68].astype(int)
    assert (line[:, 0] > line[:, 2]).all()


def test_what_hides_the_face_hides_its_lids() -> None:
    """Nothing is painted onto a hand before the eyes."""
    colour, face = face_with_dark_eyes()
    before = colour.copy()
    paint_closed_lids(colour, face, np.zeros(2), np.full((100, 200), 255, np.uint8))
    assert np.abs(colour.astype(int) - before).max() <= 1


def test_lashes_have_no_hard_edge_in_a_close_up() -> None:
    """In a face four times as large, the line of lashes begins over several pixels."""
    colour, face = face_with_dark_eyes()
    colour, face = np.repeat(np.repeat(colour, 4, axis=0), 4, axis=1), face * 4
    paint_closed_lids(colour, face, np.array([0.0, 1.0]), None)
    column = colour[200:220, 240].mean(1)
    assert column.max() - column.min() > 50
    assert np.abs(np.diff(column)).max() < 0.4 * (column.max() - column.min())

"""Closed-form matting and foreground colours."""

import numpy as np

from bodydouble.renderers.puppet.picture.matting import (
    DIAGONAL_SHIFT,
    EPSILON,
    WINDOW,
    closed_form_alpha,
    estimate_foreground,
)


def soft_disc() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red disc with a rim 12 px wide over a blue ramp: picture, true alpha, trimap."""
    yy, xx = np.mgrid[0:90, 0:110].astype(np.float32)
    alpha = np.clip((34 - np.hypot(xx - 55, yy - 45)) / 12, 0, 1)
    back = np.stack([40 + xx * 0.3, 80 + yy * 0.4, 200 + xx * 0], -1)
    front = np.stack([220 + xx * 0, 60 + xx * 0.2, 40 + yy * 0.1], -1)
    image = np.round(front * alpha[..., None] + back * (1 - alpha[..., None])).astype(np.uint8)
    return image, alpha, np.where(alpha >= 1, 1.0, np.where(alpha <= 0, 0.0, 0.5)).astype(np.float32)


def test_alpha_of_a_soft_rim_is_found():
    """Between known inside and outside, alpha comes out within a few hundredths."""
    image, alpha, trimap = soft_disc()
    found = closed_form_alpha(image, trimap)
    assert np.abs(found - alpha).mean() < 0.01
    assert np.abs(found - alpha)[(trimap == 0.5)].mean() < 0.05


def test_known_pixels_keep_their_alpha():
    """Where the trimap is sure nothing is changed, and without unknown pixels it is the answer."""
    image, _, trimap = soft_disc()
    found = closed_form_alpha(image, trimap)
    assert (found[trimap == 1] == 1).all()
    assert (found[trimap == 0] == 0).all()
    sure = np.round(trimap)
    assert np.array_equal(closed_form_alpha(image, sure), sure)


def test_foreground_has_no_background_in_it():
    """On the rim the estimated colour is the disc's red, although the picture shows half blue there."""
    image, alpha, _ = soft_disc()
    front = estimate_foreground(image, alpha.astype(np.float32))
    rim = (alpha > 0.35) & (alpha < 0.65)
    assert front[rim][:, 0].mean() > 195
    assert image[rim][:, 0].mean() < 165


def test_alpha_solves_the_laplacian_of_all_windows():
    """The same as the whole picture's Laplacian, added up window by window and solved exactly, gives."""
    image, _, trimap = soft_disc()
    image, trimap = image[8:40, 20:60], trimap[8:40, 20:60]
    height, width = trimap.shape
    laplacian = np.zeros((height * width, height * width))
    for y in range(height - 2):
        for x in range(width - 2):
            pixels = ((y + WINDOW[:, 0]) * width + x + WINDOW[:, 1]).tolist()
            colours = image.reshape(-1, 3)[pixels] / 255
            centred = colours - colours.mean(0)
            inverse = np.linalg.inv(centred.T @ centred / 9 + EPSILON / 9 * np.eye(3))
            laplacian[np.ix_(pixels, pixels)] += np.eye(9) - (1 + centred @ inverse @ centred.T) / 9
    unknown = trimap.ravel() == 0.5
    system = laplacian[np.ix_(unknown, unknown)] + DIAGONAL_SHIFT * np.eye(int(unknown.sum()))
    right = -laplacian[np.ix_(unknown, ~unknown)] @ trimap.ravel()[~unknown]
    exact = np.clip(np.linalg.solve(system, right), 0, 1)
    assert np.abs(closed_form_alpha(image, trimap).ravel()[unknown] - exact).max() < 0.02


def test_an_all_unknown_picture_has_no_error():
    """Without a known pixel every alpha is 0, and nothing is divided by zero."""
    image, _, trimap = soft_disc()
    assert not closed_form_alpha(image, np.full_like(trimap, 0.5)).any()

"""Black bars around a video's picture."""

import numpy as np

from bodydouble.renderers.puppet.compositing.letterbox import bars, inside, learn_bars
from bodydouble.renderers.puppet.compositing.samples import SampleFrame


def _frame(top: int = 6, left: int = 20) -> np.ndarray:
    image = np.random.default_rng(2).integers(60, 200, (90, 120, 3)).astype(np.uint8)
    image[:top], image[:, :left] = 5, 9
    return image


def _sample(image: np.ndarray, matte: np.ndarray) -> SampleFrame:
    return SampleFrame(index=0, image=image, matte=matte)


def test_black_sides_are_bars_and_a_black_frame_has_none() -> None:
    """Rows and columns without any light at the edges count, up to a third of the frame."""
    assert bars(_frame()) == (6, 0, 20, 0)
    assert bars(np.zeros((90, 120, 3), np.uint8)) == (0, 0, 0, 0)
    assert bars(_frame(top=50, left=0)) == (0, 0, 0, 0)
    assert inside((90, 120), (6, 0, 20, 0), 4).sum() == 80 * 96


def test_bars_are_what_all_samples_have_and_nobody_reaches() -> None:
    """A frame that fades from black has larger ones; who walks into the dark is not cut off."""
    nobody, somebody = np.zeros((90, 120), np.uint8), np.zeros((90, 120), np.uint8)
    somebody[30:60, 10:40] = 255
    found = learn_bars([_sample(_frame(), nobody), _sample(_frame(top=12), nobody)])
    assert found is not None
    assert np.array_equal(found, ~inside((90, 120), (6, 0, 20, 0)))
    assert learn_bars([_sample(_frame(), nobody), _sample(_frame(), somebody)]) is None
    assert learn_bars([_sample(_frame(0, 0), nobody)]) is None
    assert learn_bars([]) is None


def test_a_matte_that_reaches_into_a_drawn_bar_is_wrong() -> None:
    """A bar of one level stays a bar, whoever seems to be in it; a dark place with a camera's noise is none."""
    somebody = np.zeros((90, 120), np.uint8)
    somebody[:60, 40:80] = 255
    flat = _frame(top=12, left=0)
    noisy = flat.copy()
    noisy[:12] = np.random.default_rng(3).integers(0, 12, (12, 120, 3))
    assert learn_bars([_sample(flat, somebody)]) is not None
    assert learn_bars([_sample(noisy, somebody)]) is None

"""Layers of the picture."""

import numpy as np

from bodydouble.renderers.puppet.picture.layer import premultiplied


def test_colours_are_premultiplied_and_rounded_once() -> None:
    """Each byte is the product's nearest, half to even; colours and alpha out of range are cut."""
    rng = np.random.default_rng(5)
    colour = rng.uniform(-10, 270, (20, 30, 3)).astype(np.float32)
    alpha = rng.uniform(0, 1.1, (20, 30)).astype(np.float32)
    alpha[:4] = 0
    colour[6, 5], alpha[6, 5] = (1, 3, 5), 0.5
    share = np.clip(alpha, 0, 1)[..., None]
    expected = np.concatenate([np.rint(np.clip(colour, 0, 255) * share), np.rint(255 * share)], -1)
    assert np.array_equal(premultiplied(colour, alpha), expected.astype(np.uint8))
    assert not premultiplied(colour, np.zeros_like(alpha)).any()

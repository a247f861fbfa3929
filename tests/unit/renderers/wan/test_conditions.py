"""The mask channels against the rule of Wan-Video/Wan2.2, written out value by value."""

import numpy as np
import pytest
import torch

from bodydouble.renderers.wan.conditions import _known_mask

FRAMES, HEIGHT, WIDTH = 9, 32, 48


@pytest.mark.parametrize("known_frames", [0, 1, 5])
def test_four_frames_become_the_channels_of_one_latent(known_frames: int) -> None:
    """The first frame fills all channels of the first latent. 1 is kept: outside the mask, and in carried frames.

    A latent's pixel sees the upper left pixel of its eight by eight.
    """
    mask = np.random.default_rng(1).choice(np.array([0, 255], np.uint8), (FRAMES, HEIGHT, WIDTH))
    latents = torch.zeros(1, 16, 3, HEIGHT // 8, WIDTH // 8)
    made = _known_mask(mask, FRAMES, latents, known_frames)
    assert made.shape == (1, 4, 3, HEIGHT // 8, WIDTH // 8)
    for latent in range(3):
        for channel in range(4):
            frame = 0 if latent == 0 else 4 * (latent - 1) + 1 + channel
            expected = 1 - mask[frame, ::8, ::8] / 255 if frame >= known_frames else np.ones((4, 6))
            np.testing.assert_array_equal(made[0, channel, latent].numpy(), expected)


def test_without_a_mask_only_carried_frames_are_kept() -> None:
    """In mode animate everything is generated except the carried frames."""
    made = _known_mask(None, FRAMES, torch.zeros(1, 16, 3, 4, 6), 1)
    assert made[0, :, 0].eq(1).all()
    assert made[0, :, 1:].eq(0).all()

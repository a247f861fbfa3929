"""Conversion between pixels and the latents of Wan's autoencoder.

Pixels are (1, 3, F, H, W) float32 in [-1, 1] with F = 4n + 1 and sides that 16 divides; latents (1, 16, T, H/8, W/8)
with T = (F - 1) / 4 + 1, standardised by the mean and deviation of the autoencoder's own configuration.
"""

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from numpy.typing import NDArray
from torch import Tensor

from bodydouble.renderers.wan.vae_shards import DividedAutoencoder


def to_pixels(frames: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(F, H, W, 3) bytes to pixels."""
    video = torch.from_numpy(np.ascontiguousarray(frames)).to(device)
    return (video.float() / 255.0 * 2.0 - 1.0).permute(3, 0, 1, 2).unsqueeze(0)


def to_frames(pixels: Tensor) -> NDArray[np.uint8]:
    """Pixels to (F, H, W, 3) bytes, rounded."""
    bytes_ = ((pixels[0].float() * 0.5 + 0.5).clamp(0, 1) * 255.0).round().to(torch.uint8)
    return bytes_.permute(1, 2, 3, 0).cpu().numpy()


def encode_video(vae: AutoencoderKLWan, pixels: Tensor, divided: DividedAutoencoder | None = None) -> Tensor:
    """The most likely latents of a video: nothing is drawn, so the same video gives the same latents.

    ``divided``: ``vae`` among several ranks, which all call this with the same pixels.
    """
    pixels = pixels.to(vae.dtype)
    latents = divided.encode(pixels) if divided else vae.encode(pixels, return_dict=False)[0].mode()
    mean, deviation = _statistics(vae, pixels.device)
    return (latents - mean) * (1.0 / deviation)


def decode_video(vae: AutoencoderKLWan, latents: Tensor, divided: DividedAutoencoder | None = None) -> Tensor:
    """Pixels of latents. ``divided`` as for ``encode_video``."""
    latents = latents.to(vae.dtype)
    mean, deviation = _statistics(vae, latents.device)
    latents = latents / (1.0 / deviation) + mean
    return divided.decode(latents) if divided else vae.decode(latents, return_dict=False)[0]


def _statistics(vae: AutoencoderKLWan, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each latent channel, (1, 16, 1, 1, 1)."""
    mean, deviation = (
        torch.tensor(values, dtype=vae.dtype, device=device).view(1, -1, 1, 1, 1)
        for values in (vae.config["latents_mean"], vae.config["latents_std"])
    )
    return mean, deviation

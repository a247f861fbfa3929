"""Between pixels and the latents of Wan's autoencoder.

Pixels are (1, 3, F, H, W) float32 in [-1, 1] with F = 4n + 1 and sides that 16 divides; latents (1, 16, T, H/8, W/8)
with T = (F - 1) / 4 + 1, standardised by the mean and deviation of the autoencoder's own configuration.
"""

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from numpy.typing import NDArray
from torch import Tensor


def to_pixels(frames: NDArray[np.uint8], device: torch.device) -> Tensor:
    """(F, H, W, 3) bytes to pixels."""
    video = torch.from_numpy(np.ascontiguousarray(frames)).to(device)
    return (video.float() / 255.0 * 2.0 - 1.0).permute(3, 0, 1, 2).unsqueeze(0)


def to_frames(pixels: Tensor) -> NDArray[np.uint8]:
    """Pixels to (F, H, W, 3) bytes, rounded."""
    bytes_ = ((pixels[0].float() * 0.5 + 0.5).clamp(0, 1) * 255.0).round().to(torch.uint8)
    return bytes_.permute(1, 2, 3, 0).cpu().numpy()


def encode_video(vae: AutoencoderKLWan, pixels: Tensor) -> Tensor:
    """The most likely latents of a video: nothing is drawn, so the same video gives the same latents."""
    (posterior,) = vae.encode(pixels.to(vae.dtype), return_dict=False)
    mean, deviation = _statistics(vae, pixels.device)
    return (posterior.mode() - mean) * (1.0 / deviation)


def decode_video(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """Pixels of latents."""
    latents = latents.to(vae.dtype)
    mean, deviation = _statistics(vae, latents.device)
    return vae.decode(latents / (1.0 / deviation) + mean, return_dict=False)[0]


def _statistics(vae: AutoencoderKLWan, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each latent channel, (1, 16, 1, 1, 1)."""
    mean, deviation = (
        torch.tensor(values, dtype=vae.dtype, device=device).view(1, -1, 1, 1, 1)
        for values in (vae.config["latents_mean"], vae.config["latents_std"])
    )
    return mean, deviation

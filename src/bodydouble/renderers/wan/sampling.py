"""Sampling: turns noise into latents along the schedule."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from numpy.typing import NDArray
from torch import Tensor

from bodydouble.renderers.wan.components import LATENT_CHANNELS, SPATIAL_FACTOR, TEMPORAL_FACTOR
from bodydouble.renderers.wan.engine import Sampling, StepReport

TRAINING_TIMESTEPS = 1000
"""``num_train_timesteps`` of Wan-Video/Wan2.2."""

Predict = Callable[[Tensor, Tensor], Tensor]
"""Velocity of latents at a time of the schedule."""


def segment_noise(seed: int, segment: int, frames: int, height: int, width: int) -> Tensor:
    """(1, 16, T + 1, h, w) standard normal, the same for the same seed and segment on every device."""
    digest = hashlib.sha256(f"{seed}:{segment}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return torch.randn(noise_shape(frames, height, width), generator=generator)


def noise_shape(frames: int, height: int, width: int) -> tuple[int, ...]:
    """Shape of the latents of ``frames`` frames, with the reference's slot before them."""
    return 1, LATENT_CHANNELS, (frames - 1) // TEMPORAL_FACTOR + 2, height // SPATIAL_FACTOR, width // SPATIAL_FACTOR


def unshifted_sigmas(steps: int) -> NDArray[np.float64]:
    """(steps,) noise levels before the shift, from 0.999 down.

    Wan-Video/Wan2.2 divides the range from 0.999 to 0 evenly. diffusers' scheduler divides the range from 1 to 0.001 by
    itself; at 20 steps and shift 5 its last timestep would be 211 instead of 208.
    """
    return np.linspace(1 - 1 / TRAINING_TIMESTEPS, 0, steps + 1)[:-1]


def denoise(
    scheduler: UniPCMultistepScheduler,
    noise: Tensor,
    predict_conditional: Predict,
    predict_unconditional: Predict | None,
    sampling: Sampling,
    report: StepReport,
) -> Tensor:
    """Latents of ``noise`` after all steps. Whatever ``report`` raises ends it between two steps."""
    schedule: Any = UniPCMultistepScheduler.from_config(scheduler.config, flow_shift=sampling.shift)
    schedule.set_timesteps(sigmas=unshifted_sigmas(sampling.steps), device=noise.device)
    latents = noise
    report(0, sampling.steps)
    for done, timestep in enumerate(schedule.timesteps, start=1):
        velocity = predict_conditional(latents, timestep)
        if predict_unconditional is not None:
            empty = predict_unconditional(latents, timestep)
            velocity = empty + sampling.guidance * (velocity - empty)
        latents = schedule.step(velocity, timestep, latents, return_dict=False)[0]
        report(done, sampling.steps)
    return latents

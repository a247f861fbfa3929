"""The schedule and the solver against the formulas that Wan-Video/Wan2.2 uses, written out in float64."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UniPCMultistepScheduler
from numpy.typing import NDArray
from torch import Tensor

from bodydouble.renderers.wan.engine import Sampling
from bodydouble.renderers.wan.sampling import denoise

Array = NDArray[np.float64]
SCHEDULER = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000)


def original_sigmas(steps: int, shift: float) -> list[float]:
    """Flow matching: evenly from 0.999 to 0, shifted towards noise; 0 after the last step."""
    even = [0.999 * (steps - i) / steps for i in range(steps)]
    return [shift * sigma / (1 + (shift - 1) * sigma) for sigma in even] + [0.0]


def unipc(x: Array, sigmas: list[float], velocity: Any) -> Array:
    """UniPC of order two with B(h) = exp(h) - 1 for data predictions (Zhao et al., NeurIPS 2023, algorithms 5 and 6).

    The last step is of order one. In flow matching the data has the factor 1 - sigma.
    """

    def half_log_snr(sigma: float) -> float:
        return math.log((1 - sigma) / sigma) if sigma else math.inf

    data: list[Array] = []  # predictions at the steps so far
    last, before = x, math.nan
    for i, sigma in enumerate(sigmas[:-1]):
        now = x - sigma * velocity(x, math.floor(sigma * 1000))
        if i:  # correct this step's start with the new prediction
            h = half_log_snr(sigma) - half_log_snr(sigmas[i - 1])
            decay = math.expm1(-h)
            plain = sigma / sigmas[i - 1] * last - (1 - sigma) * decay * data[-1]
            if i == 1:
                correction = 0.5 * (now - data[-1])
            else:
                r = (before - half_log_snr(sigmas[i - 1])) / h
                phi_2 = decay / -h - 1
                phi_3 = phi_2 / -h - 0.5
                weights = np.linalg.solve([[1, 1], [r, 1]], [phi_2 / decay, 2 * phi_3 / decay])
                correction = weights[0] * (data[-2] - data[-1]) / r + weights[1] * (now - data[-1])
            x = plain - (1 - sigma) * decay * correction
        if i:
            before = half_log_snr(sigmas[i - 1])
        data.append(now)
        last, following = x, sigmas[i + 1]
        h = half_log_snr(following) - half_log_snr(sigma)
        decay = math.expm1(-h)
        x = following / sigma * x - (1 - following) * decay * now
        if 0 < i < len(sigmas) - 2:
            r = (before - half_log_snr(sigma)) / h
            x = x - (1 - following) * decay * 0.5 * (data[-2] - now) / r
    return x


@pytest.mark.parametrize(("steps", "shift"), [(4, 5.0), (20, 5.0), (20, 3.0), (40, 12.0)])
def test_timesteps_and_solver_are_the_originals(steps: int, shift: float) -> None:
    """The model sees the original's integer timesteps, and latents end where the written-out formulas end."""
    seen: list[int] = []
    weights = np.random.default_rng(1).normal(size=(3, 3)) / 2

    def velocity(x: Array, timestep: int) -> Array:
        return np.tanh(x @ weights) * (1 + timestep / 1000) - 0.3 * x

    def predict(latents: Tensor, timestep: Tensor) -> Tensor:
        seen.append(int(timestep))
        return torch.from_numpy(velocity(latents.double().numpy(), int(timestep))).float()

    noise = np.random.default_rng(2).normal(size=(5, 3))
    sampling = Sampling(steps=steps, shift=shift)
    made = denoise(SCHEDULER, torch.from_numpy(noise).float(), predict, None, sampling, lambda done, steps: None)
    sigmas = original_sigmas(steps, shift)
    assert seen == [math.floor(1000 * sigma) for sigma in sigmas[:-1]]
    np.testing.assert_allclose(made.numpy(), unipc(noise, sigmas, velocity), atol=2e-4)

"""Reused steps against computed ones."""

import pytest
import torch
from diffusers import UniPCMultistepScheduler
from torch import Tensor

from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.engine import Sampling
from bodydouble.renderers.wan.loading import optimise
from bodydouble.renderers.wan.sampling import denoise
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import choose_setup
from bodydouble.renderers.wan.step_cache import StepCache, StepMemory
from bodydouble.renderers.wan.step_curves import plan_reuse
from bodydouble.renderers.wan.transformer import predict, prepare_contexts, prepare_pass
from tiny_wan import FACE_SIDE, tiny_transformer

STEPS = 20
SCHEDULER = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)


def test_the_error_of_a_reused_residual_is_the_planned_one() -> None:
    """If residuals change in size only, the tokens are wrong by the share of the residual that the plan computed."""
    sizes = torch.tensor([1.0, 1.1, 1.1, 1.08, 1.05, 1.0, 0.9, 0.7])
    direction, hidden = torch.randn(1, 6, 8), torch.randn(1, 6, 8)
    measuring = StepMemory(None)
    for size in sizes:
        measuring.pass_through(lambda tokens, size=size: tokens + size * direction, hidden)
    assert measuring.ratios == pytest.approx([1.0, *(sizes[1:] / sizes[:-1]).tolist()], rel=1e-5)

    error_max = 0.12
    plan = plan_reuse(measuring.ratios, error_max)
    assert any(plan)
    reusing = StepMemory(plan)
    for size in sizes:
        made = reusing.pass_through(lambda tokens, size=size: tokens + size * direction, hidden)
        error = (made - hidden - size * direction).norm() / (size * direction).norm()
        assert error <= error_max / (1 - error_max)  # relative to the smaller size that it should have


def test_latents_with_reused_steps_are_close() -> None:
    """With a limit of 0.05, latents of the tiny model stay within 5 % of their deviation of those without reuse."""
    torch.manual_seed(6)
    model = tiny_transformer()
    optimise(model, choose_setup(WanSettings(device="cpu"), []))
    segment = SegmentConditions(
        pose=torch.randn(1, 16, 2, 4, 6),
        face=torch.rand(1, 3, 5, FACE_SIDE, FACE_SIDE) * 2 - 1,
        condition=torch.randn(1, 20, 3, 4, 6),
    )
    noise = torch.randn(1, 16, 3, 4, 6)
    with torch.inference_mode():
        prepared = prepare_pass(
            model, prepare_contexts(model, torch.randn(1, 512, 32), torch.randn(1, 17, 32)), segment
        )

        def sample(cache: StepCache) -> Tensor:
            memory = cache.new_memory()
            return denoise(
                SCHEDULER,
                noise,
                lambda latents, timestep: predict(model, latents, timestep, prepared, memory),
                None,
                Sampling(steps=STEPS),
                lambda done, steps: None,
            )

        measuring = StepCache(None)
        expected = sample(measuring)
        assert measuring.measured is not None
        plan = plan_reuse(measuring.measured, 0.05)
        made = sample(StepCache(plan))
    assert sum(plan) >= 3
    assert (made - expected).square().mean().sqrt() < 0.05 * expected.std()

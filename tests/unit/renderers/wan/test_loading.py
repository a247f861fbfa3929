"""Each optimisation alone against none, on tiny weights."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from bodydouble.renderers.wan.conditions import SegmentConditions
from bodydouble.renderers.wan.loading import optimise
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.setup import Setup, choose_setup
from bodydouble.renderers.wan.transformer import predict, predict_whole, prepare_contexts, prepare_pass
from tiny_wan import FACE_SIDE, tiny_transformer, tiny_vae

PLAIN = choose_setup(WanOptions(device="cpu"), None)


def conditions() -> tuple[Tensor, Tensor, Tensor, SegmentConditions]:
    """Random latents, text, picture and footage of 13 frames."""
    torch.manual_seed(6)
    segment = SegmentConditions(
        pose=torch.randn(1, 16, 4, 4, 6),
        face=torch.rand(1, 3, 13, FACE_SIDE, FACE_SIDE) * 2 - 1,
        condition=torch.randn(1, 20, 5, 4, 6),
    )
    return torch.randn(1, 16, 5, 4, 6), torch.randn(1, 512, 32), torch.randn(1, 17, 32), segment


def velocity(setup: Setup, dtype: torch.dtype = torch.float32) -> Tensor:
    """Of an optimised transformer, the fast way."""
    latents, text, image, segment = conditions()
    model = tiny_transformer().to(dtype)
    optimise(model, setup)
    segment = replace(segment, pose=segment.pose.to(dtype), face=segment.face.to(dtype))
    with torch.inference_mode():
        contexts = prepare_contexts(model, text.to(dtype), image.to(dtype))
        return predict(model, latents, torch.tensor(700.0), prepare_pass(model, contexts, segment)).float()


@pytest.fixture(scope="module")
def expected() -> Tensor:
    """Of the untouched transformer, the slow way."""
    latents, text, image, segment = conditions()
    with torch.inference_mode():
        return predict_whole(tiny_transformer(), latents, torch.tensor(700.0), text, image, segment)


@pytest.mark.parametrize(
    ("change", "share"),
    [
        ({}, 1e-6),
        ({"offload": "blocks"}, 1e-6),
        ({"quantisation": "int8-weights"}, 0.02),
        ({"quantisation": "int8"}, 0.04),
        ({"quantisation": "fp8-weights"}, 0.08),
    ],
)
def test_an_optimisation_alone(expected: Tensor, change: dict[str, Any], share: float) -> None:
    """The root mean square error stays below the stated share of the velocity's own deviation."""
    made = velocity(replace(PLAIN, **change))
    assert (made - expected).square().mean().sqrt() <= share * expected.std()


def test_bfloat16(expected: Tensor) -> None:
    """Half the bytes cost less than three hundredths of the velocity's deviation."""
    made = velocity(PLAIN, torch.bfloat16)
    assert (made - expected).square().mean().sqrt() <= 0.03 * expected.std()


def test_tiles_of_the_autoencoder() -> None:
    """Decoded tile by tile, a frame differs from one decoded whole by less than a quarter of its contrast."""
    torch.manual_seed(7)
    latents = torch.randn(1, 16, 1, 12, 12)
    whole, tiled = tiny_vae(), tiny_vae()
    tiled.enable_tiling(64, 64, 48, 48)
    with torch.inference_mode():
        expected = whole.decode(latents).sample
        made = tiled.decode(latents).sample
    assert (made - expected).abs().mean() < 0.25 * expected.std()

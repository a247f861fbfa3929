"""Transformer blocks that are copied to the GPU before each call."""

import pytest
import torch
from torch import Tensor

from bodydouble.renderers.wan.block_offload import offload_blocks, pin_weights


def test_the_next_block_is_prefetched() -> None:
    """Three blocks share two buffers; the next block is always loaded before its call, also in a second pass."""
    layers = [torch.nn.Linear(4, 4) for _ in range(3)]
    blocks = offload_blocks(layers, torch.device("cpu"))
    buffers = blocks[0].blocks
    inputs = torch.ones(1, 4)
    with torch.inference_mode():
        for index in (0, 1, 2, 0, 1, 2):
            assert torch.equal(blocks[index](inputs), layers[index](inputs))
            assert (index + 1) % 3 in buffers._held
        assert torch.equal(buffers.fetch(1)(inputs), layers[1](inputs))  # out of order, as for a new character


def test_as_many_blocks_are_pinned_as_memory_allows() -> None:
    """Whole blocks are pinned in order up to the byte limit; the others are unchanged."""
    weights = [[torch.ones(10)] for _ in range(3)]
    pinned: list[int] = []

    def pin(tensor: Tensor) -> Tensor:
        pinned.append(tensor.nbytes)
        return tensor.clone()

    assert pin_weights(weights, 100, pin) == 2
    assert pinned == [40, 40]


def test_a_failed_pin_is_not_an_error() -> None:
    """If pinning fails, the weights stay in pageable memory, which is slower but correct."""

    def pin(tensor: Tensor) -> Tensor:
        raise RuntimeError("cudaHostAlloc failed")

    weights = [[torch.ones(10)]]
    before = weights[0][0]
    assert pin_weights(weights, 100, pin) == 0
    assert weights[0][0] is before


def test_fp8_is_prepared_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offloaded weights are quantised on the CPU, so kernels that need a GPU are not chosen even if installed."""
    from torchao.quantization import quantize_ as _  # noqa: F401  fails early if torchao is missing
    from torchao.quantization.quantize_.common import KernelPreference

    from bodydouble.renderers.wan import quantise as module

    seen: list[object] = []
    monkeypatch.setattr(module, "quantize_", lambda model, config, filter_fn: seen.append(config))
    module.quantise(torch.nn.Linear(16, 16), "fp8")
    assert [config.kernel_preference for config in seen] == [KernelPreference.TORCH]  # type: ignore[attr-defined]

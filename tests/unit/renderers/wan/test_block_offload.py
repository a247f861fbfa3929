"""Blocks that are copied to the GPU for their call."""

import pytest
import torch
from torch import Tensor

from bodydouble.renderers.wan.block_offload import offload_blocks, pin_weights


def test_blocks_take_turns() -> None:
    """Of three blocks that share two buffers the next one is there before it is called, job after job."""
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
    """Whole blocks in order, within the limit; the others stay as they were."""
    weights = [[torch.ones(10)] for _ in range(3)]
    pinned: list[int] = []

    def pin(tensor: Tensor) -> Tensor:
        pinned.append(tensor.nbytes)
        return tensor.clone()

    assert pin_weights(weights, 100, pin) == 2
    assert pinned == [40, 40]


def test_a_kernel_that_pins_no_more_is_no_fault() -> None:
    """Copies from pageable memory are slower and right."""

    def pin(tensor: Tensor) -> Tensor:
        raise RuntimeError("cudaHostAlloc failed")

    weights = [[torch.ones(10)]]
    before = weights[0][0]
    assert pin_weights(weights, 100, pin) == 0
    assert weights[0][0] is before


def test_fp8_is_prepared_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that wait in the machine's memory are quantised there: the kernels that need a GPU are not chosen, even
    where their package is installed."""
    from torchao.quantization import quantize_ as _  # noqa: F401  the extra is installed
    from torchao.quantization.quantize_.common import KernelPreference

    from bodydouble.renderers.wan import quantise as module

    seen: list[object] = []
    monkeypatch.setattr(module, "quantize_", lambda model, config, filter_fn: seen.append(config))
    module.quantise(torch.nn.Linear(16, 16), "fp8")
    assert [config.kernel_preference for config in seen] == [KernelPreference.TORCH]  # type: ignore[attr-defined]

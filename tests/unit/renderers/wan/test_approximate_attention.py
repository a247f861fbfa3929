"""8-bit and block-sparse attention against their slow references and exact attention."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bodydouble.renderers.wan import fp8_attention as fp8
from bodydouble.renderers.wan.attention_choice import with_backend
from bodydouble.renderers.wan.fp8_attention import Fp8Tensors, fp8_attention, fp8_attention_reference, to_fp8
from bodydouble.renderers.wan.sparse_attention import (
    block_mask,
    kept_blocks,
    sparse_attention,
    sparse_attention_reference,
)

exact = with_backend("native")


def states(tokens: int, seed: int = 0, heads: int = 2, width: int = 64) -> list[Tensor]:
    """Random query, key and value; the keys have a mean that is large beside their deviation, as real ones have."""
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(1, tokens, heads, width, generator=generator) for _ in range(3))
    return [query, key + 8 * torch.randn(1, 1, heads, width, generator=generator), value]


def error(made: Tensor, expected: Tensor) -> float:
    """Mean absolute difference as a share of the mean absolute value."""
    return float((made - expected).abs().mean() / expected.abs().mean())


def test_8_bits_are_close_to_exact_attention() -> None:
    """The error is below that which the check before use allows, also for keys with a large mean."""
    inputs = states(300)
    assert error(fp8_attention_reference(*inputs), exact(*inputs)) < 0.07


def test_flash_attention_gets_the_scales_of_each_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that restores its inputs by the given scales computes what the reference computes."""

    def kernel(query: Tensor, key: Tensor, value: Tensor, **scales: Tensor) -> tuple[Tensor, None]:
        assert query.dtype == torch.float8_e4m3fn
        restored = [
            t.float() * scales[f"{name}_descale"][:, None, :, None]
            for name, t in (("q", query), ("k", key), ("v", value))
        ]
        return exact(*restored), None

    inputs = states(100)
    inputs[2][:, :, 1] *= 1000  # heads of different ranges
    monkeypatch.setattr(fp8, "_flash_attention_3", lambda: kernel)
    torch.testing.assert_close(fp8_attention(*inputs), fp8_attention_reference(*inputs))


def test_the_largest_value_uses_all_8_bits() -> None:
    """Each head's largest value becomes the largest number of the format."""
    made: Fp8Tensors = to_fp8(*states(50))
    assert made.query.float().abs().amax(dim=(1, 3)).tolist() == [[448.0, 448.0]]


@pytest.mark.parametrize("tokens", [300, 256, 40])
def test_dense_if_everything_is_kept(tokens: int) -> None:
    """With a share of 1, block-sparse attention equals exact attention."""
    inputs = states(tokens)
    assert kept_blocks(inputs[0], inputs[1], share=1).all()
    torch.testing.assert_close(sparse_attention_reference(*inputs, share=1), exact(*inputs))


def test_blocks_that_matter_are_kept() -> None:
    """Queries that point at one block of keys keep it and their own; the rest is dropped, with a small error."""
    block, blocks = 16, 8
    targets = torch.randn(blocks, 64, generator=torch.Generator().manual_seed(1)).repeat_interleave(block, 0)
    query, key, value = (torch.zeros(1, block * blocks, 1, 64) for _ in range(3))
    key[0, :, 0] = targets
    query[0, :, 0] = 2 * targets.roll(block, 0)  # block k points at block k - 1
    value[0, :, 0] = torch.randn(block * blocks, 64, generator=torch.Generator().manual_seed(2))
    kept = kept_blocks(query, key, block, share=0.9)
    expected = torch.eye(blocks, dtype=torch.bool)
    assert torch.equal(kept[0, 0], expected | expected.roll(1, 0))
    assert error(sparse_attention_reference(query, key, value, block, 0.9), exact(query, key, value)) < 0.1


def test_kept_weight_is_at_least_the_share() -> None:
    """The kept blocks of each row cover the share of the estimated weight, and no smaller number of blocks does."""
    query, key, _ = states(500, heads=3)
    query *= 6
    kept = kept_blocks(query, key, 32, 0.8)
    assert 0.1 < kept.float().mean() < 1
    means = [torch.stack([part.mean(1) for part in t.split(32, dim=1)], dim=1)[0].transpose(0, 1) for t in (query, key)]
    weights = (means[0] @ means[1].transpose(-1, -2) / 8).softmax(-1)
    for head in range(3):
        for row in range(16):
            chosen = weights[head, row][kept[0, head, row]]
            assert chosen.sum() >= 0.8 - 1e-6
            own = weights[head, row, row]
            others = chosen.sum() - own - (chosen[chosen != own].min() if len(chosen) > 1 else 0)
            assert others < 0.8


def test_flex_attention_equals_the_reference() -> None:
    """PyTorch's block-sparse kernel, uncompiled on the CPU, gives what the mask of all tokens gives."""
    query, key, value = states(300)
    for block, direction in enumerate(torch.eye(64)[:3]):  # each block of queries points at its own block of keys
        here = slice(128 * block, 128 * (block + 1))
        query[:, here] += 8 * direction
        key[:, here] += 8 * direction
    kept = kept_blocks(query, key)
    assert not kept.all()
    made: Any = block_mask(kept, 300)
    assert made.full_kv_num_blocks.sum() == kept.sum()
    assert torch.equal(made.to_dense().bool(), kept)
    torch.testing.assert_close(
        sparse_attention(query, key, value), sparse_attention_reference(query, key, value), atol=1e-5, rtol=1e-4
    )

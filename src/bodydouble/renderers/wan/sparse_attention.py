"""Block-sparse attention: each block of queries attends only to the blocks of keys that matter to it.

Blocks are compared by their mean query and mean key, as SpargeAttention does (ICML 2025, section 3.3). For each block
of queries, the blocks of keys with the largest estimated weights are kept until ``share`` of the weight is covered, and
always the queries' own block. ``sparse_attention_reference`` computes the same with a mask of all tokens.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import flex_attention as flex

BLOCK = 128
"""Tokens of a block, of queries and of keys: FlexAttention's default."""
KEPT_SHARE = 0.95
"""Share of the estimated attention weight that the kept blocks cover. Chosen, not measured on the real weights."""


def kept_blocks(query: Tensor, key: Tensor, block: int = BLOCK, share: float = KEPT_SHARE) -> Tensor:
    """(1, heads, query blocks, key blocks), true where a block of keys is kept.

    Args:
        query, key: (1, S, heads, D), the same S for both.
        block: tokens of a block; the last block may be shorter.
        share: 0-1; at 1 everything is kept.
    """
    pooled_query, pooled_key = _block_means(query, block), _block_means(key, block)
    scores = pooled_query @ pooled_key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    weights, order = scores.softmax(dim=-1).sort(dim=-1, descending=True)
    before = weights.cumsum(dim=-1) - weights  # covered by larger blocks
    keep_sorted = before < share if share < 1 else torch.ones_like(before, dtype=torch.bool)
    kept = torch.zeros_like(keep_sorted).scatter(-1, order, keep_sorted)
    return kept | torch.eye(kept.shape[-1], dtype=torch.bool, device=kept.device)


def _block_means(states: Tensor, block: int) -> Tensor:
    """(1, heads, blocks, D) of ``states`` (1, S, heads, D), in float32."""
    tokens = states.shape[1]
    blocks = -(-tokens // block)
    padded = functional.pad(states.float(), (0, 0, 0, 0, 0, blocks * block - tokens))
    sizes = torch.full((blocks, 1, 1), block, device=states.device)
    sizes[-1] = tokens - (blocks - 1) * block
    return (padded.unflatten(1, (blocks, block)).sum(dim=2) / sizes).transpose(1, 2)


@torch.compiler.disable
def sparse_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(1, S, heads, D) by FlexAttention, which computes the kept blocks only."""
    mask = block_mask(kept_blocks(query, key), query.shape[1])
    attend: Callable[..., Any] = _compiled_attention() if query.device.type == "cuda" else flex.flex_attention
    heads_first = [states.transpose(1, 2) for states in (query, key, value)]
    return attend(*heads_first, block_mask=mask).transpose(1, 2)


@cache
def _compiled_attention() -> Callable[..., Any]:
    return torch.compile(flex.flex_attention, dynamic=True)


def block_mask(kept: Tensor, tokens: int, block: int = BLOCK) -> flex.BlockMask:
    """FlexAttention's form of ``kept`` for sequences of ``tokens`` tokens.

    The compiled kernel looks at the lists of whole blocks only; the uncompiled one looks at the function only.
    """

    def is_kept(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return kept[0, head, query // block, key // block]

    counts = kept.sum(dim=-1, dtype=torch.int32)
    indices = kept.to(torch.int32).argsort(dim=-1, descending=True, stable=True).to(torch.int32)
    return flex.BlockMask.from_kv_blocks(
        torch.zeros_like(counts),
        indices,
        counts,
        indices,
        BLOCK_SIZE=block,
        mask_mod=is_kept,
        seq_lengths=(tokens, tokens),
        compute_q_blocks=False,
    )


def sparse_attention_reference(
    query: Tensor, key: Tensor, value: Tensor, block: int = BLOCK, share: float = KEPT_SHARE
) -> Tensor:
    """The slow reference: PyTorch's attention with a mask of every query and key."""
    tokens = query.shape[1]
    kept = kept_blocks(query, key, block, share)
    mask = kept.repeat_interleave(block, dim=-1).repeat_interleave(block, dim=-2)[..., :tokens, :tokens]
    query, key, value = (states.transpose(1, 2) for states in (query, key, value))
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)

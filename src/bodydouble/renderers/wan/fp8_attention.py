"""Attention on queries, keys and values of 8 bits (FP8, e4m3).

The scale of each head is chosen by its largest value. The mean key of each head is subtracted first: it changes all
scores of a query alike, which the softmax ignores, and without it the remaining values use the 8 bits better
(SageAttention, ICLR 2025, section 4.2). ``fp8_attention_reference`` computes the same in float32, on any device.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from diffusers.models import attention_dispatch
from torch import Tensor
from torch.nn import functional

FP8_MAX = 448.0
"""The largest number of e4m3."""


class Fp8Tensors(NamedTuple):
    """Inputs of 8 bits, each (1, S, heads, D), and the factors (1, heads) that restore them."""

    query: Tensor
    key: Tensor
    value: Tensor
    query_scale: Tensor
    key_scale: Tensor
    value_scale: Tensor


def to_fp8(query: Tensor, key: Tensor, value: Tensor) -> Fp8Tensors:
    """Query, key and value (1, S, heads, D) with 8 bits. Keys are without their mean."""
    centred = key - key.mean(dim=1, keepdim=True)
    (query, query_scale), (key, key_scale), (value, value_scale) = (_scaled(t) for t in (query, centred, value))
    return Fp8Tensors(query, key, value, query_scale, key_scale, value_scale)


def _scaled(states: Tensor) -> tuple[Tensor, Tensor]:
    scale = states.float().abs().amax(dim=(1, 3)).clamp(min=torch.finfo(torch.float32).tiny) / FP8_MAX
    return (states / scale[:, None, :, None]).to(torch.float8_e4m3fn), scale


def fp8_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(1, S, heads, D) by FlashAttention 3. Raises RuntimeError if it is not installed."""
    states = to_fp8(query, key, value)
    result = _flash_attention_3()(
        states.query,
        states.key,
        states.value,
        q_descale=states.query_scale,
        k_descale=states.key_scale,
        v_descale=states.value_scale,
    )
    return (result[0] if isinstance(result, tuple) else result).to(query.dtype)


def fp8_attention_reference(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The slow reference: the same 8-bit inputs, restored, with PyTorch's attention in float32."""
    states = to_fp8(query, key, value)
    restored = [
        eight.float() * scale[:, None, :, None]
        for eight, scale in (
            (states.query, states.query_scale),
            (states.key, states.key_scale),
            (states.value, states.value_scale),
        )
    ]
    wide_query, wide_key, wide_value = (states.transpose(1, 2) for states in restored)
    return functional.scaled_dot_product_attention(wide_query, wide_key, wide_value).transpose(1, 2).to(query.dtype)


def _flash_attention_3() -> Callable[..., Any]:
    """FlashAttention 3 of the installed package, else the kernel that diffusers has loaded from the hub."""
    dispatch: Any = attention_dispatch
    hub = dispatch._HUB_KERNELS_REGISTRY[dispatch.AttentionBackendName._FLASH_3_HUB].kernel_fn
    function = dispatch.flash_attn_3_func or hub
    if function is None:
        raise RuntimeError("FlashAttention 3 is not installed, and its kernel was not loaded from the hub.")
    return function

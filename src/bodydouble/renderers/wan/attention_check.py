"""Whether an attention back-end computes the right thing on this machine. Only use tells: a package may be too old, or
built for other GPUs, and one release of SageAttention answers noise for long sequences."""

from collections.abc import Callable
from typing import Any

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn
from torch import Tensor

HEADS, HEAD_WIDTH = 2, 128
LENGTHS_ON_GPU = (1_000, 75_600)
"""Tokens: a short sequence, and that of a segment at 1280 × 720."""
LENGTHS_ON_CPU = (33, 200)
ERROR_MAX = 0.1
"""Mean absolute error as a share of the mean absolute value. 8-bit attention has 2 to 5 % (SageAttention, ICLR 2025,
table 1); noise has more than 100 %."""


def check_attention(backend: str, device: torch.device, *, compiled: bool, fullgraph: bool = True) -> None:
    """Compare ``backend``, a name of diffusers', with torch's own attention on random values of two lengths.

    ``compiled``: as the blocks are, for any length at once. Raises RuntimeError where results differ, and whatever the
    back-end raises.
    """

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return dispatch_attention_fn(query, key, value, backend=AttentionBackendName(backend))

    tried: Callable[..., Any] = torch.compile(attend, dynamic=True, fullgraph=fullgraph) if compiled else attend
    on_gpu = device.type == "cuda"
    dtype = torch.bfloat16 if on_gpu else torch.float32
    generator = torch.Generator(device).manual_seed(0)
    for length in LENGTHS_ON_GPU if on_gpu else LENGTHS_ON_CPU:
        shape = (1, length, HEADS, HEAD_WIDTH)
        query, key, value = (torch.randn(shape, generator=generator, device=device, dtype=dtype) for _ in range(3))
        with torch.inference_mode():
            made = tried(query, key, value).float()
            expected = dispatch_attention_fn(query, key, value, backend=AttentionBackendName("native")).float()
        error = float((made - expected).abs().mean() / expected.abs().mean())
        if not error <= ERROR_MAX:  # NaN is an error too
            raise RuntimeError(f"its results for {length} tokens differ from torch's own by {error:.0%}")

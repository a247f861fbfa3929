"""Whether a kind of attention computes the right thing on this machine.

Only a trial shows it: a package may be too old or built for other GPUs, and one release of SageAttention answers noise
for long sequences.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Attention (1, S, heads, D) of query, key and value of the same shape."""

HEADS, HEAD_WIDTH = 2, 128
"""Two of the model's 40 heads, of its own width: enough to mix heads up, and fast."""
LENGTHS_ON_GPU = (1_000, 75_600)
"""Tokens: a short sequence, and that of a segment at 1280 × 720."""
LENGTHS_MASKED = (1_000, 9_000)
"""For a reference that has a mask of all pairs of tokens: that of 75,600 would take 11 GB."""
LENGTHS_ON_CPU = (33, 200)
"""Short, for tests; 33 is no multiple of a kernel's block."""
ERROR_MAX = 0.1
"""Mean absolute error as a share of the mean absolute value. 8-bit attention has 2 to 5 % (SageAttention, ICLR 2025,
table 1); noise has more than 100 %."""


def check_attention(
    attend: Attend,
    reference: Attend,
    device: torch.device,
    *,
    compiled: bool,
    fullgraph: bool = True,
    lengths: tuple[int, ...] = LENGTHS_ON_GPU,
) -> None:
    """Compare ``attend`` with ``reference`` on random values of two lengths; on a CPU of short ones.

    ``compiled``: as the blocks are, for any length at once. Raises RuntimeError where results differ, and whatever
    ``attend`` raises.
    """

    def wrapped(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return attend(query, key, value)

    tried: Callable[..., Any] = torch.compile(wrapped, dynamic=True, fullgraph=fullgraph) if compiled else attend
    on_gpu = device.type == "cuda"
    dtype = torch.bfloat16 if on_gpu else torch.float32
    generator = torch.Generator(device).manual_seed(0)
    for length in lengths if on_gpu else LENGTHS_ON_CPU:
        shape = (1, length, HEADS, HEAD_WIDTH)
        query, key, value = (torch.randn(shape, generator=generator, device=device, dtype=dtype) for _ in range(3))
        with torch.inference_mode():
            made = tried(query, key, value).float()
            expected = reference(query, key, value).float()
        error = float((made - expected).abs().mean() / expected.abs().mean())
        if not error <= ERROR_MAX:  # NaN is an error too
            raise RuntimeError(f"its results for {length} tokens differ from those of torch by {error:.0%}.")

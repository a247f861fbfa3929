"""The autoencoder divided among several ranks: each has some rows of every frame.

Only convolutions look at neighbouring rows, and they get the row above and the row below from the ranks that have them.
The attention of the middle block looks at the whole frame, which is small there: it is gathered. So the result equals
that of one rank, to rounding.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan, WanAttentionBlock, WanCausalConv3d
from torch import Tensor, distributed, nn
from torch.nn import functional

from bodydouble.renderers.wan.shards import Ranks


class DividedAutoencoder:
    """Encodes and decodes with all ranks. Every rank gives the same input, and gets the whole result."""

    def __init__(self, vae: AutoencoderKLWan, ranks: Ranks) -> None:
        """The layers of ``vae`` are changed: outside of our calls it computes as before."""
        self._vae, self._ranks = vae, ranks
        self._edges: list[int] = []  # first latent row of each rank, and the number of rows; empty outside of calls
        self._rows = 0  # latent rows of this rank
        for module in vae.modules():
            if (divided := self._divided(module)) is not None:
                module.forward = divided  # pyright: ignore[reportAttributeAccessIssue]  # torch calls what it finds there

    def encode(self, pixels: Tensor) -> Tensor:
        """The most likely latents (1, 16, T, H / 8, W / 8) of ``pixels`` (1, 3, F, H, W)."""
        factor: Any = self._vae.spatial_compression_ratio
        return self._by_rows(lambda part: self._vae.encode(part, return_dict=False)[0].mode(), pixels, factor)

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels (1, 3, F, H, W) of ``latents`` (1, 16, T, H / 8, W / 8)."""
        return self._by_rows(lambda part: self._vae.decode(part, return_dict=False)[0], latents, 1)

    def _by_rows(self, compute: Callable[[Tensor], Tensor], whole: Tensor, factor: int) -> Tensor:
        """``compute(whole)``, each rank on its rows. ``whole`` has ``factor`` rows for one latent row."""
        count, rows = self._ranks.count, whole.shape[3] // factor
        if rows < count or self._vae.use_tiling:
            return compute(whole)
        self._edges = [rows * rank // count for rank in range(count + 1)]
        start, stop = self._edges[self._ranks.rank], self._edges[self._ranks.rank + 1]
        self._rows = stop - start
        try:
            return self._gathered(compute(whole[:, :, :, start * factor : stop * factor].contiguous()))
        finally:
            self._edges, self._rows = [], 0

    def _gathered(self, part: Tensor) -> Tensor:
        """All rows of ``part`` (…, rows, W), from all ranks."""
        factor = part.shape[-2] // self._rows
        sizes = [(stop - start) * factor for start, stop in pairwise(self._edges)]
        padded = functional.pad(part, (0, 0, 0, max(sizes) - part.shape[-2])).contiguous()
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded)
        return torch.cat([there[..., :size, :] for there, size in zip(parts, sizes, strict=True)], dim=-2)

    def _with_neighbours(self, part: Tensor, above: int, below: int) -> Tensor:
        """``part`` (…, rows, W) between ``above`` and ``below`` (0 or 1) rows of the neighbours; zeros at the edge."""
        rank, last = self._ranks.rank, self._ranks.count - 1
        top = part.new_zeros(*part.shape[:-2], above, part.shape[-1])
        bottom = part.new_zeros(*part.shape[:-2], below, part.shape[-1])
        transfers: list[distributed.P2POp] = []
        if below and rank > 0:  # the rank above wants my first row
            transfers.append(distributed.P2POp(distributed.isend, part[..., :1, :].contiguous(), rank - 1))
        if above and rank < last:
            transfers.append(distributed.P2POp(distributed.isend, part[..., -1:, :].contiguous(), rank + 1))
        if above and rank > 0:
            transfers.append(distributed.P2POp(distributed.irecv, top, rank - 1))
        if below and rank < last:
            transfers.append(distributed.P2POp(distributed.irecv, bottom, rank + 1))
        for transfer in distributed.batch_isend_irecv(transfers):
            transfer.wait()
        return torch.cat([top, part, bottom], dim=-2)

    def _divided(self, module: Any) -> Callable[..., Tensor] | None:
        """``module.forward`` for rows; None if it needs no other rows."""
        plain = module.forward
        match module:
            case WanAttentionBlock():
                return lambda part: self._attend(plain, part)
            case WanCausalConv3d() if module.kernel_size[1] > 1:
                return lambda part, cache=None: self._convolve_video(module, plain, part, cache)
            case nn.Conv2d() if module.padding == (1, 1):
                return lambda part: self._convolve(module, plain, part)
            case nn.ZeroPad2d():  # before a convolution of stride two: one row below, one column to the right
                return lambda part: (
                    functional.pad(self._with_neighbours(part, 0, 1), (0, 1)) if self._edges else plain(part)
                )
            case _:
                return None

    def _attend(self, plain: Callable[[Tensor], Tensor], part: Tensor) -> Tensor:
        if not self._edges:
            return plain(part)
        factor, start = part.shape[-2] // self._rows, self._edges[self._ranks.rank]
        return plain(self._gathered(part))[..., start * factor : start * factor + part.shape[-2], :]

    def _convolve(self, module: nn.Conv2d, plain: Callable[[Tensor], Tensor], part: Tensor) -> Tensor:
        if not self._edges:
            return plain(part)
        padded = functional.pad(self._with_neighbours(part, 1, 1), (1, 1))
        return functional.conv2d(padded, module.weight, module.bias, module.stride)

    def _convolve_video(
        self, module: WanCausalConv3d, plain: Callable[..., Tensor], part: Tensor, cache: Tensor | None
    ) -> Tensor:
        """``cache`` (1, C, 1 or 2, rows, W) are the frames before, without neighbours."""
        if not self._edges:
            return plain(part, cache)
        left, right, _, _, before, _ = _padding(module)
        if cache is not None and before > 0:
            part = torch.cat([cache, part], dim=2)
            before -= cache.shape[2]
        padded = functional.pad(self._with_neighbours(part, 1, 1), (left, right, 0, 0, before, 0))
        return functional.conv3d(padded, module.weight, module.bias, module.stride)


def _padding(module: Any) -> tuple[int, ...]:
    """Zeros left, right, above, below, before and after a video, as ``functional.pad`` takes them."""
    return module._padding

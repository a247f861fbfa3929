"""Transformer blocks that wait in the machine's memory and are copied to the GPU when they are needed.

The GPU keeps buffers for two blocks. While the block in one buffer computes, the weights of the next block are copied
into the other one, in a stream of their own. Buffers are filled by copying, so a compiled block stays compiled, and
nothing is allocated on the GPU during a step.

Why not diffusers' group offloading: it learns the order from the first call of each block. Here a part of every block
is called on its own first, for the keys of text and picture; its weights would then stay on the GPU for good.
"""

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

BUFFERS = 2
UNPINNED_BYTES_MIN = 8_000_000_000
"""Memory that is left unpinned, for the operating system and the other processes; chosen for machines of 32 GB."""

_log = logging.getLogger(__name__)


class BlockBuffers(nn.Module):
    """Buffers for two blocks on the GPU, and the weights of all blocks, which have the same shapes."""

    def __init__(self, blocks: Sequence[nn.Module], device: torch.device) -> None:
        super().__init__()
        self.buffers_on_device = nn.ModuleList(copy.deepcopy(block).to(device) for block in blocks[:BUFFERS])
        self._weights = [list(_tensors(block)) for block in blocks]
        self._held: list[int | None] = [None] * BUFFERS  # index of the block in each buffer
        self._current = 0  # the buffer fetched last
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._fetched: torch.cuda.Event | None = None  # computation in the other buffer was queued before this
        self._copied: list[torch.cuda.Event | None] = [None] * BUFFERS
        if device.type == "cuda":  # copies from unpinned memory wait for the computation
            pinned = pin_weights(self._weights, _available_bytes() - UNPINNED_BYTES_MIN)
            _log.info("block offload: %d of %d blocks are in pinned memory", pinned, len(self._weights))

    def fetch(self, index: int) -> nn.Module:
        """Block ``index`` on the GPU. It stays there until a second block is fetched after it."""
        self._fetched = _now() if self._stream else None
        if index not in self._held:
            self._copy(index)
        self._current = self._held.index(index)
        copied = self._copied[self._current]
        if copied is not None:
            torch.cuda.current_stream().wait_event(copied)
        return self.buffers_on_device[self._current]

    def prefetch_next(self) -> None:
        """Start to copy the block after the one fetched last, while that one computes."""
        held = self._held[self._current]
        assert held is not None, "prefetch_next follows fetch"
        following = (held + 1) % len(self._weights)
        if following not in self._held:
            self._copy(following)

    def _copy(self, index: int) -> None:
        target = (self._current + 1) % BUFFERS
        with torch.cuda.stream(self._stream) if self._stream else nullcontext():
            if self._stream and self._fetched is not None:
                self._stream.wait_event(self._fetched)
            for weight, there in zip(self._weights[index], _tensors(self.buffers_on_device[target]), strict=True):
                there.copy_(weight, non_blocking=True)
            self._copied[target] = _now() if self._stream else None
        self._held[target] = index


class OffloadedBlock(nn.Module):
    """One block: called like any other, but its weights are on the GPU only during the call."""

    def __init__(self, blocks: BlockBuffers, index: int) -> None:
        super().__init__()
        self.blocks, self._index = blocks, index

    def forward(self, *inputs: Any) -> Any:
        """Output of the block for ``inputs``."""
        output = self.blocks.fetch(self._index)(*inputs)
        self.blocks.prefetch_next()
        return output

    @property
    def attn2(self) -> Any:
        """Cross-attention of the block, on the GPU until a second block is fetched."""
        return self.blocks.fetch(self._index).attn2


def offload_blocks(blocks: Sequence[nn.Module], device: torch.device) -> nn.ModuleList:
    """A replacement for ``blocks`` that computes on ``device``, while their weights stay in the machine's memory."""
    buffers = BlockBuffers(blocks, device)
    return nn.ModuleList(OffloadedBlock(buffers, index) for index in range(len(blocks)))


def pin_weights(
    weights: list[list[Tensor]], bytes_max: int, pin: Callable[[Tensor], Tensor] = Tensor.pin_memory
) -> int:
    """Replace tensors by pinned copies, block by block, up to ``bytes_max``. Returns the number of pinned blocks.

    The rest stays in pageable memory, where the kernel allows no more, or less is free.
    """
    for index, block in enumerate(weights):
        bytes_max -= sum(weight.nbytes for weight in block)
        if bytes_max < 0:
            return index
        try:
            block[:] = [pin(weight.detach()) for weight in block]
        except RuntimeError as error:
            _log.info("block offload: no more memory can be pinned: %s", str(error).splitlines()[0])
            return index
    return len(weights)


def _available_bytes() -> int:
    """Memory that can be allocated without swapping; 0 where the kernel does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    """All parameters and buffers of ``module``; a quantised weight as the plain tensors that it consists of."""
    for tensor in (*module.parameters(), *module.buffers()):
        yield from _plain(tensor)


def _plain(tensor: Tensor) -> Iterator[Tensor]:
    if not is_traceable_wrapper_subclass(tensor):
        yield tensor
        return
    names, _ = tensor.__tensor_flatten__()
    for name in names:
        yield from _plain(getattr(tensor, name))


def _now() -> torch.cuda.Event:
    event = torch.cuda.Event()
    event.record()
    return event

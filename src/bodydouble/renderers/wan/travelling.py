"""Blocks that wait in the machine's memory and come to the card for their turn.

Two places for a block stay on the card. While the block in one computes, the weights of the next one arrive in the
other, in a stream of their own. Places are filled by copying, so that a compiled block stays compiled, and nothing is
allocated on the card while it works.

Why not diffusers' group offloading: it learns an order from the first call of each block. Here a part of every block is
called on its own before, for the keys of text and picture, and would then stay on the card for good.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass


class Places(nn.Module):
    """Two places on the card, and the weights of all blocks, which are alike in shape."""

    def __init__(self, blocks: Sequence[nn.Module], device: torch.device) -> None:
        super().__init__()
        self.places = nn.ModuleList(copy.deepcopy(block).to(device) for block in blocks[:2])
        self._waiting = [list(_tensors(block)) for block in blocks]
        self._held: list[int | None] = [None] * len(self.places)
        self._current = 0  # the place that was entered last
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._entered: torch.cuda.Event | None = None  # what computed in the other place had been asked for by then
        self._arrived: list[torch.cuda.Event | None] = [None] * len(self.places)

    def enter(self, index: int) -> nn.Module:
        """Block ``index`` on the card. It stays there until a second one was entered after it."""
        self._entered = _now() if self._stream else None
        if index not in self._held:
            self._send(index)
        self._current = self._held.index(index)
        arrived = self._arrived[self._current]
        if arrived is not None:
            torch.cuda.current_stream().wait_event(arrived)
        return self.places[self._current]

    def send_for_next(self) -> None:
        """Have the block after the one entered last arrive, while that one computes."""
        held = self._held[self._current]
        assert held is not None, "a block is entered first"
        following = (held + 1) % len(self._waiting)
        if following not in self._held:
            self._send(following)

    def _send(self, index: int) -> None:
        place = (self._current + 1) % len(self.places)
        with torch.cuda.stream(self._stream) if self._stream else nullcontext():
            if self._stream and self._entered is not None:
                self._stream.wait_event(self._entered)
            for waiting, there in zip(self._waiting[index], _tensors(self.places[place]), strict=True):
                there.copy_(waiting, non_blocking=True)
            self._arrived[place] = _now() if self._stream else None
        self._held[place] = index


class TravellingBlock(nn.Module):
    """One block of many: called like it, but its weights are on the card only then."""

    def __init__(self, places: Places, index: int) -> None:
        super().__init__()
        self.places, self._index = places, index

    def forward(self, *inputs: Any) -> Any:
        """What the block makes of ``inputs``."""
        made = self.places.enter(self._index)(*inputs)
        self.places.send_for_next()
        return made

    @property
    def attn2(self) -> Any:
        """The block's cross-attention, on the card until a second block is asked for."""
        return self.places.enter(self._index).attn2


def travel(blocks: Sequence[nn.Module], device: torch.device) -> nn.ModuleList:
    """In place of ``blocks``, which stay where they are: the same, computing on ``device``."""
    places = Places(blocks, device)
    return nn.ModuleList(TravellingBlock(places, index) for index in range(len(blocks)))


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    """All that a module keeps; quantised weights as the plain tensors that they are made of."""
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

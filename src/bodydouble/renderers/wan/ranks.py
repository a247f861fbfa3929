"""Several processes, one per GPU, that generate together: rank 0 receives the requests and broadcasts them."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed

from bodydouble.renderers.wan.engine import StepReport
from bodydouble.renderers.wan.shards import Ranks
from bodydouble.renderers.wan.wire import Pictures
from bodydouble.tasks.errors import Cancelled

WAIT_MAX = timedelta(days=30)
"""Timeout of collective operations. Between requests the worker ranks wait in a broadcast, so it must exceed any idle
time. Lost ranks are detected in another way: the model runner watches their processes."""


def join(ranks: Ranks, rendezvous: Path, device: str) -> None:
    """Join the process group of all ranks on this machine.

    ``rendezvous`` is an empty file that all ranks share. It must stay: NCCL stores its address there later.
    """
    os.environ.update(GLOO_SOCKET_IFNAME="lo", NCCL_SOCKET_IFNAME="lo")
    if device == "cuda":
        torch.cuda.set_device(ranks.rank)
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo",
        init_method=rendezvous.as_uri(),
        rank=ranks.rank,
        world_size=ranks.count,
        timeout=WAIT_MAX,
    )


def share(message: Mapping[str, Any], pictures: Mapping[str, NDArray[np.uint8]]) -> None:
    """On rank 0: broadcast ``message`` and ``pictures`` to the other ranks."""
    shapes = {name: picture.shape for name, picture in pictures.items()}
    content = np.frombuffer(json.dumps({**message, "pictures": shapes}).encode(), np.uint8).copy()
    distributed.broadcast(torch.tensor([len(content)]), 0)
    distributed.broadcast(torch.from_numpy(content), 0)
    for picture in pictures.values():
        distributed.broadcast(torch.from_numpy(np.ascontiguousarray(picture)), 0)


def shared() -> tuple[dict[str, Any], Pictures]:
    """On the other ranks: the next message and pictures that rank 0 broadcasts."""
    length = torch.zeros(1, dtype=torch.int64)
    distributed.broadcast(length, 0)
    content = torch.zeros(int(length), dtype=torch.uint8)
    distributed.broadcast(content, 0)
    message: dict[str, Any] = json.loads(content.numpy().tobytes())
    pictures: Pictures = {}
    for name, shape in message.pop("pictures").items():
        picture = torch.zeros(shape, dtype=torch.uint8)
        distributed.broadcast(picture, 0)
        pictures[name] = picture.numpy()
    return message, pictures


def same_numbers(numbers: Sequence[float]) -> list[float]:
    """Rank 0's ``numbers``, on all ranks, which call this together."""
    count = torch.tensor([len(numbers)])
    distributed.broadcast(count, 0)
    shared = torch.zeros(int(count), dtype=torch.float64)
    if len(numbers) == len(shared):
        shared = torch.tensor(list(numbers), dtype=torch.float64)
    distributed.broadcast(shared, 0)
    return shared.tolist()


def agreed(report: StepReport | None) -> StepReport:
    """A step report that makes all ranks continue or stop together.

    Args:
        report: Rank 0's own report, called first; if it raises, all ranks stop. None on the other ranks, where the
            result raises ``Cancelled`` when rank 0 stops.
    """

    def decide(stop: bool) -> bool:
        flag = torch.tensor([int(stop)])
        distributed.broadcast(flag, 0)
        return bool(flag)

    def lead(tell: Callable[[int, int], None], done: int, steps: int) -> None:
        try:
            tell(done, steps)
        except BaseException:
            decide(stop=True)
            raise
        decide(stop=False)

    def step(done: int, steps: int) -> None:
        if report is not None:
            lead(report, done, steps)
        elif decide(stop=False):
            raise Cancelled("rank 0 stopped")

    return step

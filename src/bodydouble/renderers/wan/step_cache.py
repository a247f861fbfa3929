"""Reuse of what the transformer's blocks add to the tokens, from one denoising step to the next."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, distributed

from bodydouble.renderers.wan.shards import Ranks


class StepMemory:
    """The residual of one sequence of steps: what the blocks added to the tokens at the last computed step."""

    def __init__(self, plan: Sequence[bool] | None, ranks: Ranks | None = None) -> None:
        """``plan``: for each step, whether it reuses the residual. None: compute all, and measure ``ratios``."""
        self._plan, self._ranks = plan, ranks
        self._residual: Tensor | None = None
        self._step = 0
        self.ratios: list[float] = []  # size of each step's residual over that of the step before; the first is 1

    def pass_through(self, blocks: Callable[[Tensor], Tensor], hidden: Tensor) -> Tensor:
        """``blocks(hidden)``, or ``hidden`` with the last residual. Call it once for each step."""
        step, before = self._step, self._residual
        self._step += 1
        if self._plan is not None and self._plan[step]:
            assert before is not None, "the first step is always computed"
            return hidden + before
        made = blocks(hidden)
        self._residual = made - hidden
        if self._plan is None:
            self.ratios.append(1.0 if before is None else self._mean_ratio(before, self._residual))
        return made

    def _mean_ratio(self, before: Tensor, now: Tensor) -> float:
        """Mean over all tokens, of all ranks, of the ratio of the residuals' norms."""
        ratio = (_norms(now) / _norms(before).clamp(min=torch.finfo(torch.float32).tiny)).mean()
        if self._ranks is not None:
            distributed.all_reduce(ratio)
            ratio /= self._ranks.count
        return float(ratio)


class StepCache:
    """The memories of one segment: one for each prompt that the model is asked with."""

    def __init__(self, plan: Sequence[bool] | None, ranks: Ranks | None = None) -> None:
        """``plan`` is that of ``StepMemory``."""
        self._plan, self._ranks = plan, ranks
        self._first: StepMemory | None = None

    def new_memory(self) -> StepMemory:
        """A memory for one prompt. That of the first prompt measures for all."""
        memory = StepMemory(self._plan, self._ranks)
        self._first = self._first or memory
        return memory

    @property
    def measured(self) -> list[float] | None:
        """The ratios that were measured during the segment; None if it followed a plan."""
        return self._first.ratios if self._plan is None and self._first is not None else None


def _norms(residual: Tensor) -> Tensor:
    """The norm of each token (1, S) of ``residual`` (1, S, C)."""
    return torch.linalg.vector_norm(residual, dim=-1, dtype=torch.float32)

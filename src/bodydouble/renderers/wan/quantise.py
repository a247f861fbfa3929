"""8-bit weights, through torchao."""

from functools import partial
from typing import Any

from torch import nn
from torchao.quantization import (
    Float8DynamicActivationFloat8WeightConfig,
    Float8WeightOnlyConfig,
    Int8DynamicActivationInt8WeightConfig,
    Int8WeightOnlyConfig,
    PerRow,
    quantize_,
)
from torchao.quantization.quantize_.common import KernelPreference

SIDE_MIN = 16
"""Smaller matrices stay as they are: 8-bit kernels need rows of 16."""


def quantise(module: nn.Module, kind: str) -> None:
    """Quantise the linear layers of ``module`` in place. ``kind`` is one of ``settings.QUANTISATIONS`` except ``auto``.

    ``fp8`` and ``int8`` also quantise activations, row by row during the call, and multiply in 8 bits. The kinds that
    end in ``-weights`` keep the arithmetic of the activations and only save memory.
    """
    if kind == "none":
        return
    config: Any = {
        # torch's kernels: those of the package mslk, which would be taken where it is installed, quantise on a GPU
        # only, and round differently.
        "fp8": partial(
            Float8DynamicActivationFloat8WeightConfig, granularity=PerRow(), kernel_preference=KernelPreference.TORCH
        ),
        "int8": Int8DynamicActivationInt8WeightConfig,
        "fp8-weights": Float8WeightOnlyConfig,
        "int8-weights": Int8WeightOnlyConfig,
    }[kind]
    # Without this, torchao has the compiler choose kernels by speed: another run would choose and round differently.
    config = config(set_inductor_config=False)
    quantize_(module, config, filter_fn=_is_large)


def _is_large(module: nn.Module, name: str) -> bool:
    return isinstance(module, nn.Linear) and min(module.weight.shape) >= SIDE_MIN

"""Weights of 8 bits through torchao."""

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

SIDE_MIN = 16
"""Smaller matrices stay as they are: 8-bit kernels need rows of 16."""


def quantise(module: nn.Module, kind: str) -> None:
    """Quantise the linear layers of ``module`` in place. ``kind`` is one of ``options.QUANTISATIONS`` but ``auto``.

    ``fp8`` and ``int8`` quantise activations too, row by row as they come, and multiply in 8 bits; ``-weights`` keep
    the arithmetic and save memory alone.
    """
    if kind == "none":
        return
    config: Any = {
        "fp8": partial(Float8DynamicActivationFloat8WeightConfig, granularity=PerRow()),
        "int8": Int8DynamicActivationInt8WeightConfig,
        "fp8-weights": Float8WeightOnlyConfig,
        "int8-weights": Int8WeightOnlyConfig,
    }[kind]
    # torchao would have the compiler choose kernels by their speed: another run would choose, and round, otherwise.
    config = config(set_inductor_config=False)
    quantize_(module, config, filter_fn=_is_large)


def _is_large(module: nn.Module, name: str) -> bool:
    return isinstance(module, nn.Linear) and min(module.weight.shape) >= SIDE_MIN

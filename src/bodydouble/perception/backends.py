"""Which networks perception uses on this machine, and why."""

import importlib.util
from dataclasses import dataclass

from bodydouble.perception.networks import Networks, PackNetworks
from bodydouble.perception.options import PerceptionOptions
from bodydouble.perception.pack import ModelPack
from bodydouble.tasks.errors import ModelPackMissing

BACKENDS = ("auto", "cpu", "gpu")


@dataclass(frozen=True, kw_only=True)
class ChosenNetworks:
    """The networks, and one sentence that gives the reason for the choice."""

    networks: Networks
    reason: str


def package_obstacle() -> str | None:
    """The package of the extra ``wan`` that perception on the GPU lacks, with the command that installs it; or None."""
    for name in ("torch", "transformers"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed; pip install 'bodydouble[wan]'"
    return None


def gpu_obstacle(options: PerceptionOptions) -> str | None:
    """The reason why perception cannot run on the GPU and what to do about it; or None. Loads no weights."""
    if obstacle := package_obstacle():
        return obstacle
    from bodydouble.perception.gpu.weights import device_obstacle, locate_model  # imports torch

    if obstacle := device_obstacle(options.device):
        return obstacle
    for role in ("detector", "pose", "masks"):
        where = getattr(options, role)
        if locate_model(where) is None:
            return f"the {role} model is not installed: {where} is neither a model folder nor in the hub's cache"
    return None


def choose_networks(pack: ModelPack, options: PerceptionOptions) -> ChosenNetworks:
    """The GPU's networks where they can run, otherwise those of the model pack.

    Raises:
        ModelPackMissing: the GPU is required and cannot be used, or a model is of the wrong kind.
        ValueError: unknown back-end.
    """
    if options.backend not in BACKENDS:
        raise ValueError(f"perception back-end {options.backend} is not one of {', '.join(BACKENDS)}")
    if options.backend == "cpu":
        return ChosenNetworks(networks=PackNetworks(pack), reason="perception on the CPU: as configured")
    obstacle = gpu_obstacle(options)
    if obstacle is None:
        from bodydouble.perception.gpu.networks import load_networks  # imports torch, loads the weights

        return ChosenNetworks(networks=load_networks(options), reason=f"perception on {options.device}")
    if options.backend == "gpu":
        raise ModelPackMissing(
            f"Perception cannot run on the GPU: {obstacle}. Or set perception_backend to auto or cpu."
        )
    return ChosenNetworks(networks=PackNetworks(pack), reason=f"perception on the CPU: {obstacle}")

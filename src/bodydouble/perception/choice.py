"""Which networks look at a video on this machine, and why."""

import importlib.util
from dataclasses import dataclass

from bodydouble.perception.networks import Networks, PackNetworks
from bodydouble.perception.options import PerceptionOptions
from bodydouble.perception.pack import ModelPack
from bodydouble.tasks.errors import ModelPackMissing

BACKENDS = ("auto", "cpu", "gpu")


@dataclass(frozen=True, kw_only=True)
class ChosenNetworks:
    """The networks, and one sentence on why they were chosen."""

    networks: Networks
    reason: str


def package_obstacle() -> str | None:
    """Which package of the extra wan is missing for perception on the GPU; None where all are here."""
    for name in ("torch", "transformers"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed; pip install 'bodydouble[wan]'"
    return None


def gpu_obstacle(options: PerceptionOptions) -> str | None:
    """What keeps perception off the GPU and what to do about it; None where nothing does. Loads no weights."""
    if obstacle := package_obstacle():
        return obstacle
    from bodydouble.perception.gpu.weights import device_obstacle, locate_model  # imports torch

    if obstacle := device_obstacle(options.device):
        return obstacle
    for role in ("detector", "pose", "masks"):
        where = getattr(options, role)
        if locate_model(where) is None:
            return f"the {role} model is not here: {where} is neither a model's folder nor in the hub's cache"
    return None


def choose_networks(pack: ModelPack, options: PerceptionOptions) -> ChosenNetworks:
    """The GPU's networks where they can run, else those of the pack.

    Raises:
        ModelPackMissing: the GPU was asked for and cannot be used, or the models there are not of the right kind.
        ValueError: the back-end has no such name.
    """
    if options.backend not in BACKENDS:
        raise ValueError(f"perception back-end {options.backend} is none of {', '.join(BACKENDS)}")
    if options.backend == "cpu":
        return ChosenNetworks(networks=PackNetworks(pack), reason="perception on the CPU: asked for")
    obstacle = gpu_obstacle(options)
    if obstacle is None:
        from bodydouble.perception.gpu.networks import load_networks  # imports torch, loads the weights

        return ChosenNetworks(networks=load_networks(options), reason=f"perception on {options.device}")
    if options.backend == "gpu":
        raise ModelPackMissing(f"Perception cannot run on the GPU: {obstacle}. Or set the back-end to auto or cpu.")
    return ChosenNetworks(networks=PackNetworks(pack), reason=f"perception on the CPU: {obstacle}")

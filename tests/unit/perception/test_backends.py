import importlib.util

import pytest

from bodydouble.perception.backends import choose_networks
from bodydouble.perception.networks import PackNetworks
from bodydouble.perception.options import PerceptionOptions


def test_without_torch_perception_runs_on_the_cpu_and_says_why(model_pack, monkeypatch: pytest.MonkeyPatch):
    """The reason has the command that mends it."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))

    chosen = choose_networks(model_pack, PerceptionOptions())

    assert isinstance(chosen.networks, PackNetworks)
    assert chosen.reason == "perception on the CPU: torch is not installed; pip install 'bodydouble[wan]'"


def test_an_unknown_back_end_is_refused(model_pack):
    """The message lists those that there are."""
    with pytest.raises(ValueError, match="auto, cpu, gpu"):
        choose_networks(model_pack, PerceptionOptions(backend="tpu"))

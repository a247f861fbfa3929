"""Networks in memory: loaded when used, shared, freed on demand."""

import numpy as np
import pytest

from bodydouble.perception import litert
from bodydouble.perception.litert import LiteRTNet, release_idle_networks
from bodydouble.perception.pack import ModelPack


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are loaded from now on; nothing is idle at first."""
    release_idle_networks()
    found: list[str] = []
    original = litert._Loaded.__init__

    def counted(self: litert._Loaded, path) -> None:
        found.append(path.name)
        original(self, path)

    monkeypatch.setattr(litert._Loaded, "__init__", counted)
    return found


def test_a_network_is_loaded_once_for_all_that_use_it_in_turn(model_pack: ModelPack, loads: list[str]) -> None:
    """Unused ones are never loaded, two at once are two, and a network that was freed is loaded again."""
    path = model_pack.path("iris_landmark.tflite")
    image = np.random.default_rng(0).random((64, 64, 3), np.float32)
    first, second = LiteRTNet(path), LiteRTNet(path)
    assert not loads
    fresh = first.run(image)
    second.run(1 - image)
    again = first.run(image)
    assert (len(loads), first.width, second.height) == (1, 64, 64)
    assert all(np.array_equal(a, b) for a, b in zip(fresh, again, strict=True)), "a run leaves nothing behind"
    with litert._borrowed(path):
        second.run(image)
    assert len(loads) == 2
    for _ in range(2):
        first.run(image)
        second.run(image)
    assert len(loads) == 2
    release_idle_networks()
    first.run(image)
    assert len(loads) == 3


def test_a_network_that_fails_runs_again(model_pack: ModelPack, loads: list[str]) -> None:
    """An input of the wrong size is an error, and the network stays usable."""
    net = LiteRTNet(model_pack.path("iris_landmark.tflite"))
    with pytest.raises(ValueError, match=r"Dimension mismatch|Cannot set tensor"):
        net.run(np.zeros((32, 32, 3), np.float32))
    net.run(np.zeros((64, 64, 3), np.float32))
    assert len(loads) == 1

"""Networks in memory: loaded when used, handed on, freed on demand."""

import gc

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
    """Unused ones are never loaded; two at once are two; what one leaves the next takes over, with the same answers."""
    path = model_pack.path("iris_landmark.tflite")
    image = np.random.default_rng(0).random((64, 64, 3), np.float32)
    LiteRTNet(path)
    assert not loads
    first, second = LiteRTNet(path), LiteRTNet(path)
    fresh = first.run(image)
    second.run(1 - image)
    assert len(loads) == 2
    del first, second
    gc.collect()
    again = LiteRTNet(path).run(image)
    assert len(loads) == 2
    assert all(np.array_equal(a, b) for a, b in zip(fresh, again, strict=True))
    gc.collect()
    release_idle_networks()
    assert LiteRTNet(path).width == 64
    assert len(loads) == 3

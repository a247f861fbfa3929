"""Running one LiteRT network on one image crop."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

LOGIT_MAX = 60.0
"""exp(60) is within float32; the logistic function is 0 or 1 to float precision long before."""


class _Loaded:
    """A network in memory, ready to run."""

    def __init__(self, path: Path) -> None:
        self.interpreter = Interpreter(model_path=str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        details: Any = self.interpreter.get_input_details()[0]
        self.input: int = details["index"]
        _, self.height, self.width, _ = (int(n) for n in details["shape"])
        outputs: Any = self.interpreter.get_output_details()
        self.outputs: list[int] = [o["index"] for o in outputs]


_idle: dict[Path, list[_Loaded]] = {}
"""Networks that do not run now. Loading one takes 10 to 100 ms, so they stay in memory for the next run."""
_idle_lock = Lock()


@contextmanager
def _borrowed(path: Path) -> Generator[_Loaded]:
    """An idle network of this file, else one that is loaded now. It is idle after the block."""
    with _idle_lock:
        waiting = _idle.get(path)
        loaded = waiting.pop() if waiting else None
    loaded = loaded or _Loaded(path)
    try:
        yield loaded
    finally:
        with _idle_lock:
            _idle.setdefault(path, []).append(loaded)


def release_idle_networks() -> None:
    """Free the memory of the networks that do not run now."""
    with _idle_lock:
        _idle.clear()


class LiteRTNet:
    """A ``.tflite`` file with one image input. Loaded at its first use, and again after ``release_idle_networks``.

    All objects of one file share the networks in memory: there are as many as run at the same time, and they keep
    nothing from one run to the next.

    One thread per network: with more, XNNPACK splits sums by timing-dependent tiles on some shapes, so results differ
    from run to run. Several single-threaded networks side by side also use two cores better than one network on both.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size: tuple[int, int] | None = None

    @property
    def height(self) -> int:
        """Height of the input in pixels."""
        return self._input_size()[0]

    @property
    def width(self) -> int:
        """Width of the input in pixels."""
        return self._input_size()[1]

    def _input_size(self) -> tuple[int, int]:
        if self._size is None:
            with _borrowed(self._path) as loaded:
                self._size = loaded.height, loaded.width
        return self._size

    def run(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The output tensors in the network's order, without the batch axis. ``image`` is (height, width, 3)."""
        with _borrowed(self._path) as loaded:
            loaded.interpreter.set_tensor(loaded.input, image[None])
            loaded.interpreter.invoke()
            return [np.asarray(loaded.interpreter.get_tensor(o))[0] for o in loaded.outputs]


def to_unit_range(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0-255 to 0-1, the input range of the landmark networks."""
    return image.astype(np.float32) * np.float32(1 / 255)


def sigmoid(x: NDArray[np.floating]) -> NDArray[np.float32]:
    """The logistic function; does not overflow."""
    return (1 / (1 + np.exp(-np.clip(x, -LOGIT_MAX, LOGIT_MAX)))).astype(np.float32)

"""Running one LiteRT network on one image crop."""

from pathlib import Path
from threading import RLock
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
"""Networks that nobody uses now. Loading one takes 10 to 100 ms: most of them are used again for the next step."""
_idle_lock = RLock()  # a network may be collected, and so handed on, while this very thread takes one


def release_idle_networks() -> None:
    """Free the memory of the networks that nobody uses."""
    with _idle_lock:
        _idle.clear()


class LiteRTNet:
    """A ``.tflite`` file with one image input. Not thread-safe.

    Loaded at its first use. Its memory is handed on to the next network of the same file, until
    ``release_idle_networks``: networks keep nothing from one run to the next.

    One thread per network: with more, XNNPACK splits sums by timing-dependent tiles on some shapes, so results differ
    from run to run. Several single-threaded networks side by side also use two cores better than one network on both.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own: _Loaded | None = None

    def __del__(self) -> None:
        if self._own is not None:
            with _idle_lock:
                _idle.setdefault(self._path, []).append(self._own)

    @property
    def _loaded(self) -> _Loaded:
        if self._own is None:
            with _idle_lock:
                waiting = _idle.get(self._path)
                self._own = waiting.pop() if waiting else None
        if self._own is None:
            self._own = _Loaded(self._path)
        return self._own

    @property
    def height(self) -> int:
        """Of the input, pixels."""
        return self._loaded.height

    @property
    def width(self) -> int:
        """Of the input, pixels."""
        return self._loaded.width

    def run(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The output tensors in the network's order, without the batch axis. ``image`` is (height, width, 3)."""
        loaded = self._loaded
        loaded.interpreter.set_tensor(loaded.input, image[None])
        loaded.interpreter.invoke()
        return [np.asarray(loaded.interpreter.get_tensor(o))[0] for o in loaded.outputs]


def to_unit_range(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0-255 to 0-1, the input range of the landmark networks."""
    return image.astype(np.float32) * np.float32(1 / 255)


def sigmoid(x: NDArray[np.floating]) -> NDArray[np.float32]:
    """The logistic function; does not overflow."""
    return (1 / (1 + np.exp(-np.clip(x, -LOGIT_MAX, LOGIT_MAX)))).astype(np.float32)

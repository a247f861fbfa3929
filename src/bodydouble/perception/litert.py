"""Running one LiteRT network on one image crop."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

LOGIT_MAX = 60.0
"""exp(60) is within float32; the logistic function is 0 or 1 to float precision long before."""


class LiteRTNet:
    """A ``.tflite`` file with one image input. Not thread-safe.

    One thread per network: with more, XNNPACK splits sums by timing-dependent tiles on some shapes, so results differ
    from run to run. Several single-threaded networks side by side also use two cores better than one network on both.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        details: Any = self._interpreter.get_input_details()[0]
        self._input: int = details["index"]
        _, self.height, self.width, _ = (int(n) for n in details["shape"])
        outputs: Any = self._interpreter.get_output_details()
        self._outputs: list[int] = [o["index"] for o in outputs]

    def run(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The output tensors in the network's order, without the batch axis. ``image`` is (height, width, 3)."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(o))[0] for o in self._outputs]


def to_unit_range(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0-255 to 0-1, the input range of the landmark networks."""
    return image.astype(np.float32) * np.float32(1 / 255)


def sigmoid(x: NDArray[np.floating]) -> NDArray[np.float32]:
    """The logistic function; does not overflow."""
    return (1 / (1 + np.exp(-np.clip(x, -LOGIT_MAX, LOGIT_MAX)))).astype(np.float32)

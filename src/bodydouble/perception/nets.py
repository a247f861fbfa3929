"""One LiteRT network: an image crop in, named output tensors out."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


class Net:
    """A ``.tflite`` file with one image input. Not safe to call from two threads at once.

    One thread per network: with more, XNNPACK splits sums by timing-dependent tiles on some shapes, and several
    single-threaded networks side by side use two cores better than one network on both.
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
        """``image`` is (height, width, 3); the outputs keep the network's order, without the batch axis."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(o))[0] for o in self._outputs]


def unit(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0-255 to 0-1, as every landmark network here wants it."""
    return image.astype(np.float32) * np.float32(1 / 255)


def sigmoid(x: NDArray[np.floating]) -> NDArray[np.float32]:
    """The logistic function, clipped so that it never overflows."""
    return (1 / (1 + np.exp(-np.clip(x, -60, 60)))).astype(np.float32)

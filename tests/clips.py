"""Unusual videos for tests, written with PyAV: containers, time bases, shapes and damage."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from bodydouble.media import ColourTags, PlaneFormat, Planes

PQ, HLG = 16, 18
"""Transfer numbers of ISO/IEC 23091-2."""
TICK = Fraction(1, 12800)
"""Default time base in seconds; the one that libav gives an MP4 of 25 frames/s."""


def numbered(count: int, width: int = 256, height: int = 240) -> list[NDArray[np.uint8]]:
    """``count`` RGB frames that encode their number (below 256) as eight bright or dark bars over a moving ramp."""
    ramp = np.linspace(40, 200, width, dtype=np.float32)
    frames: list[NDArray[np.uint8]] = []
    for n in range(count):
        image = np.empty((height, width, 3), np.uint8)
        image[..., 0] = np.roll(ramp, 3 * n)
        image[..., 1] = ramp[::-1]
        image[..., 2] = np.linspace(60, 160, height, dtype=np.float32)[:, None]
        for bit in range(8):
            left = width * bit // 8
            image[: height // 3, left : left + width // 8] = 230 if n >> bit & 1 else 25
        frames.append(image)
    return frames


def number_of(image: NDArray[np.uint8]) -> int:
    """The number that ``numbered`` encoded into a frame, which must be upright; any size."""
    height, width = image.shape[:2]
    row = image[height // 12 : height // 4].mean((0, 2))
    return sum(int(row[int((bit + 0.5) * width / 8)] > 128) << bit for bit in range(8))


def write_clip(
    path: Path,
    frames: Sequence[NDArray[np.uint8]],
    *,
    pts: Sequence[int] | None = None,
    time_base: Fraction = TICK,
    rate: Fraction | int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    sample_aspect: Fraction | None = None,
    sound: str | None = None,
    sound_start: float = 0.0,
    sound_seed: int | None = None,
    matrix: int | None = None,
    full_range: bool = False,
    container_options: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Write frames with the given timestamps in ticks (default: constant rate), and a tone in the codec ``sound``.

    ``sound_seed``: noise instead of a tone, which matches itself at one place only.
    """
    times = list(pts) if pts is not None else [round(n / Fraction(rate) / time_base) for n in range(len(frames))]
    with av.open(str(path), "w", options=container_options or {}) as container:
        if codec == "libx264":
            options = {"crf": "12", "preset": "veryfast", "threads": "1", **options}
        stream: Any = container.add_stream(codec, rate=Fraction(rate), options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = time_base
        stream.time_base = time_base
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if matrix is not None:
            stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = 2 if full_range else 1
        seconds = float((times[-1] - times[0]) * time_base) + 1 / float(rate)
        tone = _Tone(container, sound, sound_start, seconds, sound_seed) if sound else None
        for image, at in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format=pix_fmt,
                dst_colorspace=None if matrix is None else {1: 1, 5: 5, 6: 5, 9: 9}[matrix],
                dst_color_range=2 if full_range else 1,
            )
            frame.pts, frame.time_base = at, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone:
            tone.write()
    return path


class _Tone:
    """A stereo tone of 440 Hz, or noise, from ``start``, ``seconds`` long. Its abrupt start can be detected."""

    def __init__(self, container: Any, codec: str, start: float, seconds: float, seed: int | None) -> None:
        self._container, self._start, self._seconds = container, start, seconds
        self._rate, self._seed = 48000, seed
        self._stream = container.add_stream(codec, rate=self._rate, layout="stereo")
        self._stream.codec_context.options = {"strict": "-2"}

    def write(self) -> None:
        count = round(self._rate * self._seconds)
        wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(count) / self._rate)).astype(np.float32)
        if self._seed is not None:
            noise = np.random.default_rng(self._seed).normal(size=count)
            wave = np.convolve(noise, np.full(30, 1 / 30), "same").astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate = self._rate
        frame.pts = round(self._start * self._rate)
        frame.time_base = Fraction(1, self._rate)
        context = self._stream.codec_context
        resampler = av.AudioResampler(
            format=context.format, layout="stereo", rate=self._rate, frame_size=context.frame_size or 1024
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            self._container.mux(self._stream.encode(piece))
        self._container.mux(self._stream.encode())


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Time in seconds and bytes of each packet of the first stream of a kind, in presentation order."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        found = [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size]
    return sorted(found, key=lambda item: item[0])


def patched(path: Path, name: str, old: bytes, new: bytes) -> Path:
    """A copy with the first ``old`` replaced by ``new``, which has the same length."""
    assert len(old) == len(new)
    data = path.read_bytes()
    assert old in data
    copy = path.with_name(name)
    copy.write_bytes(data.replace(old, new, 1))
    return copy


UPRIGHT, CLOCKWISE, HALF_TURN, COUNTERCLOCKWISE = (1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)
MIRRORED, FLIPPED, TRANSPOSED, TRANSVERSED = (-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)
"""The values a, b, c and d of the eight display matrices without scaling."""


def turned(path: Path, name: str, matrix: tuple[int, int, int, int]) -> Path:
    """A copy of an MP4 with a display matrix in its first track header (ISO/IEC 14496-12)."""
    a, b, c, d = (value << 16 for value in matrix)
    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    data = path.read_bytes()
    at = data.index(upright, data.index(b"tkhd"))
    copy = path.with_name(name)
    copy.write_bytes(data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + len(upright) :])
    return copy


def box(kind: bytes, *parts: bytes) -> bytes:
    """One MP4 box: length, type and body."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def write_hdr(path: Path, transfer: int, *, frames: int = 4, mastered: bool = False) -> Path:
    """A 10-bit clip of 64 x 64 with a grey ramp and a bright corner."""
    parameters = "log-level=error:lossless=1:pools=1:frame-threads=1"
    if mastered:
        parameters += (
            ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
        )
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(
            "libx265", rate=25, options={"x265-params": parameters, "preset": "ultrafast"}
        )
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, transfer, 9, 1
        form = PlaneFormat(bits=10, colour=ColourTags(primaries=9, transfer=transfer, matrix=9))
        chroma = np.full((32, 32), 512, np.uint16)
        planes = Planes(luma=np.zeros((64, 64), np.uint16), blue=chroma, red=chroma)
        planes.luma[:] = np.linspace(64, 700, 64).astype(np.uint16)
        planes.luma[:8, :8] = 940
        for n in range(frames):
            frame = form.frame_of(planes)
            frame.pts, frame.time_base = n * 512, TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path

"""Generated video files of every accepted kind: containers, codecs, orientations, rates, dynamic ranges and audio.

``CASES`` combines the values of all dimensions evenly; ``write_case`` makes the file of one. ``test_matrix.py`` sends
each through probing, decoding, encoding and joining. ``tools/generate_media_tables.py`` publishes the same lists in
``docs/media.md``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from clips import (
    CLOCKWISE,
    COUNTERCLOCKWISE,
    FLIPPED,
    HALF_TURN,
    MIRRORED,
    TRANSPOSED,
    TRANSVERSED,
    UPRIGHT,
    numbered,
)

FRAMES, WIDTH, HEIGHT = 8, 96, 64
PATCHES = ((200, 70, 60), (70, 170, 80), (60, 90, 190), (225, 200, 175))
"""RGB of the colour patches in the lower third of each frame, from left to right."""
ORIENTATIONS = (
    *(UPRIGHT, CLOCKWISE, HALF_TURN, COUNTERCLOCKWISE),
    *(MIRRORED, FLIPPED, TRANSPOSED, TRANSVERSED),
)
RATES = (Fraction(25), Fraction(30_000, 1001), Fraction(60), Fraction(24_000, 1001), None)
"""Frames/s; None: uneven distances."""
STARTS = (Fraction(0), Fraction(3, 2), Fraction(36_000))
"""Seconds at which all tracks start."""
ASPECTS = (Fraction(1), Fraction(4, 3))
"""Width of a pixel over its height."""
VARIANTS = 5
"""Cases for each kind."""


@dataclass(frozen=True, kw_only=True)
class Dynamic:
    """A colour signal: numbers of H.273 for primaries, transfer and matrix."""

    name: str
    deep: bool = False  # 10 bits
    tags: tuple[int, int, int] = (1, 1, 1)
    full_range: bool = False


SDR = Dynamic(name="BT.709")
DYNAMICS = (
    SDR,
    Dynamic(name="HLG", deep=True, tags=(9, 18, 9)),
    Dynamic(name="full range", full_range=True),
    Dynamic(name="PQ", deep=True, tags=(9, 16, 9)),
    Dynamic(name="BT.601", tags=(6, 6, 6)),
    Dynamic(name="10 bits", deep=True),
)


@dataclass(frozen=True, kw_only=True)
class Sound:
    """An audio track: encoder, layout, rate in Hz."""

    name: str
    codec: str
    layout: str = "stereo"
    rate: int = 48_000
    tracks: int = 1


SOUNDS = {
    sound.name: sound
    for sound in (
        Sound(name="AAC stereo", codec="aac"),
        Sound(name="AAC mono 44.1 kHz", codec="aac", layout="mono", rate=44_100),
        Sound(name="AAC in two languages", codec="aac", tracks=2),
        Sound(name="AAC 5.1", codec="aac", layout="5.1"),
        Sound(name="AC-3 5.1", codec="ac3", layout="5.1"),
        Sound(name="E-AC-3", codec="eac3"),
        Sound(name="MP3", codec="libmp3lame", rate=44_100),
        Sound(name="Opus", codec="libopus"),
        Sound(name="FLAC", codec="flac"),
        Sound(name="ALAC", codec="alac"),
        Sound(name="PCM", codec="pcm_s16le"),
        Sound(name="Vorbis", codec="vorbis"),
    )
}
MP4_SOUNDS = ("AAC stereo", "AAC mono 44.1 kHz", "Opus", "AC-3 5.1", "AAC in two languages", "MP3", "FLAC", "ALAC")
MKV_SOUNDS = (*MP4_SOUNDS, "PCM", "Vorbis", "E-AC-3", "AAC 5.1")


@dataclass(frozen=True, kw_only=True)
class Container:
    """A file format and what it can hold."""

    name: str
    suffix: str
    sounds: tuple[str, ...]
    turns: bool = False  # holds display matrices
    late: bool = False  # can start later than zero
    stretched: bool = False  # holds the shape of pixels
    time_base: Fraction | None = None  # seconds a tick; None: derived from the rate
    tagged: bool = True  # holds colour tags
    variable: bool = True  # can hold uneven distances
    options: Mapping[str, str] = field(default_factory=dict[str, str])


def _mp4(name: str, suffix: str, *sounds: str, **options: str) -> Container:
    return Container(name=name, suffix=suffix, sounds=sounds, options=options, turns=True, late=True, stretched=True)


def _matroska(name: str, suffix: str, *sounds: str, **options: str) -> Container:
    return Container(
        name=name, suffix=suffix, sounds=sounds, options=options, late=True, stretched=True, time_base=Fraction(1, 1000)
    )


CONTAINERS = {
    container.name: container
    for container in (
        _mp4("MP4", "mp4", *MP4_SOUNDS),
        _mp4("MP4 in fragments", "mp4", *MP4_SOUNDS, movflags="frag_keyframe+empty_moov+delay_moov"),
        _mp4("MP4, index first", "mp4", *MP4_SOUNDS, movflags="+faststart"),
        _mp4("M4V", "m4v", "AAC stereo", "AC-3 5.1"),
        _mp4("MOV", "mov", "AAC stereo", "PCM", "ALAC", "MP3"),
        _mp4("3GP", "3gp", "AAC stereo", "AAC mono 44.1 kHz"),
        _mp4("3G2", "3g2", "AAC stereo", "AAC mono 44.1 kHz"),
        _matroska("MKV", "mkv", *MKV_SOUNDS),
        _matroska("MKV of a live stream", "mkv", *MKV_SOUNDS, live="1"),
        _matroska("WebM", "webm", "Opus", "Vorbis"),
        Container(name="AVI", suffix="avi", sounds=("MP3", "PCM", "AC-3 5.1"), tagged=False, variable=False),
        Container(name="GIF", suffix="gif", sounds=(), time_base=Fraction(1, 100)),
    )
}


@dataclass(frozen=True, kw_only=True)
class Film:
    """A video codec: libav's encoder, its pixel formats of 8 and of 10 bits, and options."""

    name: str
    encoder: str
    pixels: str | None = "yuv420p"
    deep_pixels: str | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    size: tuple[int, int] = (WIDTH, HEIGHT)
    even: bool = False  # constant standard rates only
    stretched: bool = False  # its stream holds the shape of pixels
    tagged: bool = False  # its stream holds colour tags
    aspect: Fraction | None = None  # shape of pixels that its sizes imply


REALTIME = {"deadline": "realtime", "cpu-used": "8", "b": "2000000"}
X264 = {"preset": "ultrafast", "crf": "8", "threads": "1"}
X265 = {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=none:pools=1:frame-threads=1"}
FILMS = {
    f.name: f
    for f in (
        Film(name="H.264", encoder="libx264", deep_pixels="yuv420p10le", options=X264, stretched=True, tagged=True),
        Film(name="HEVC", encoder="libx265", deep_pixels="yuv420p10le", options=X265, stretched=True, tagged=True),
        Film(name="AV1", encoder="libsvtav1", deep_pixels="yuv420p10le", options={"preset": "12", "crf": "12"}),
        Film(name="VP9", encoder="libvpx-vp9", options=REALTIME),
        Film(name="VP8", encoder="libvpx", options=REALTIME),
        Film(name="MPEG-4", encoder="mpeg4", options={"b": "3000000", "bf": "0"}, stretched=True),
        Film(name="MPEG-2", encoder="mpeg2video", options={"b": "3000000"}, even=True),
        Film(name="H.263", encoder="h263", options={"b": "3000000"}, size=(128, 96), aspect=Fraction(12, 11)),
        Film(name="MJPEG", encoder="mjpeg", options={"qmin": "1", "qmax": "2"}),
        Film(name="ProRes", encoder="prores_ks", pixels=None, deep_pixels="yuv422p10le"),
        Film(name="FFV1", encoder="ffv1", deep_pixels="yuv420p10le"),
        Film(name="QuickTime animation", encoder="qtrle", pixels="rgb24"),
        Film(name="GIF", encoder="gif", pixels="rgb8"),
    )
}
HELD = {
    "MP4": ("H.264", "HEVC", "AV1", "VP9", "MPEG-4"),
    "MP4 in fragments": ("H.264", "HEVC"),
    "MP4, index first": ("H.264",),
    "M4V": ("H.264", "MPEG-4"),
    "MOV": ("H.264", "HEVC", "MJPEG", "ProRes", "QuickTime animation"),
    "3GP": ("H.264", "MPEG-4", "H.263"),
    "3G2": ("H.264",),
    "MKV": ("H.264", "HEVC", "AV1", "VP9", "VP8", "MPEG-4", "MPEG-2", "MJPEG", "FFV1"),
    "MKV of a live stream": ("H.264", "VP9"),
    "WebM": ("VP8", "VP9", "AV1"),
    "AVI": ("H.264", "MPEG-4", "MJPEG", "FFV1"),
    "GIF": ("GIF",),
}
"""Container → video codecs that are tried in it."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file."""

    number: int
    container: Container
    film: Film
    dynamic: Dynamic
    sound: Sound | None
    matrix: tuple[int, int, int, int]
    rate: Fraction | None
    start: Fraction
    aspect: Fraction

    @property
    def name(self) -> str:
        return f"{self.number:03d}.{self.container.suffix}"

    def __str__(self) -> str:
        sound = self.sound.name if self.sound else "silent"
        return f"{self.number}-{self.container.name}-{self.film.name}-{self.dynamic.name}-{sound}"

    @property
    def hdr(self) -> bool:
        """Whether the file says that it is HDR."""
        return self.dynamic.tags[1] in (16, 18) and (self.container.tagged or self.film.tagged)

    @property
    def time_base(self) -> Fraction:
        if self.container.time_base is not None:
            return self.container.time_base
        if not self.container.variable:
            return 1 / (self.rate or Fraction(25))
        if self.rate is None:
            return Fraction(1, 12_800)
        return Fraction(1, self.rate.numerator * (512 if self.rate.denominator == 1 else 1))

    @property
    def ticks(self) -> list[int]:
        """Time of each frame in ticks of ``time_base``, from 0 on."""
        gaps = [1, 3, 2, 2, 1, 4, 1] if self.rate is None else [1] * (FRAMES - 1)
        step = Fraction(1, 25) if self.rate is None else 1 / self.rate
        return [round(int(n) * step / self.time_base) for n in np.cumsum([0, *gaps])]


def _cases() -> Iterator[Case]:
    """Every kind ``VARIANTS`` times; values of the other dimensions take turns, at different paces."""
    number = count()
    for container_name, films in HELD.items():
        container = CONTAINERS[container_name]
        for film in (FILMS[name] for name in films):
            dynamics = [d for d in DYNAMICS if (film.deep_pixels if d.deep else film.pixels) is not None]
            if film.pixels in ("rgb24", "rgb8"):
                dynamics = [SDR]
            rates = [r for r in RATES if r is not None or (container.variable and not film.even)]
            for _ in range(VARIANTS if container_name != "GIF" else 2):
                n = next(number)
                sounds = [*container.sounds, None]
                yield Case(
                    number=n,
                    container=container,
                    film=film,
                    dynamic=dynamics[n % len(dynamics)],
                    sound=SOUNDS[name] if (name := sounds[n % len(sounds)]) else None,
                    matrix=ORIENTATIONS[n % len(ORIENTATIONS)] if container.turns else UPRIGHT,
                    rate=rates[(n // 3) % len(rates)] if container_name != "GIF" else RATES[0],
                    start=STARTS[(n // 2) % len(STARTS)] if container.late else STARTS[0],
                    aspect=ASPECTS[(n // 4) % len(ASPECTS)] if container.stretched and film.stretched else ASPECTS[0],
                )


CASES = tuple(_cases())


def painted(case: Case) -> list[NDArray[np.uint8]]:
    """The frames of a case: number, ramp and colour patches."""
    width, height = case.film.size
    frames = numbered(FRAMES, width, height)
    for image in frames:
        for k, colour in enumerate(PATCHES):
            image[height * 2 // 3 :, width * k // 4 : width * (k + 1) // 4] = colour
    return frames


def write_case(case: Case, folder: Path) -> Path:
    """The file of one case."""
    path, film, dynamic = folder / case.name, case.film, case.dynamic
    pixels = film.deep_pixels if dynamic.deep else film.pixels
    coded_as_rgb = pixels in ("rgb24", "rgb8")
    full = dynamic.full_range or film.encoder == "mjpeg"
    primaries, transfer, matrix = dynamic.tags
    start = round(case.start / case.time_base)
    with av.open(str(path), "w", options=dict(case.container.options)) as container:
        stream: Any = container.add_stream(film.encoder, rate=case.rate or 25, options=dict(film.options))
        stream.width, stream.height, stream.pix_fmt = *film.size, pixels
        context = stream.codec_context
        context.time_base = stream.time_base = case.time_base
        if film.even:
            context.time_base = 1 / (case.rate or Fraction(25))
        if not coded_as_rgb:
            context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, matrix
            context.color_range = 2 if full else 1
        if case.aspect != 1:
            context.sample_aspect_ratio = case.aspect
        if case.matrix != UPRIGHT:
            a, b, c, d = (value << 16 for value in case.matrix)
            stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        sounds = _add_sounds(container, case.sound)
        for image, at in zip(painted(case), case.ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format=pixels, dst_colorspace=None if coded_as_rgb else matrix, dst_color_range=2 if full else 1
            )
            frame.pts, frame.time_base = at + start, case.time_base
            frame.color_primaries, frame.color_trc = primaries, transfer
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        seconds = float(case.ticks[-1] * case.time_base) + 0.1
        for n, sound in enumerate(sounds):
            _write_tone(container, sound, case.sound, seconds, case.start, 330 * (n + 1))
    return path


def _add_sounds(container: Any, sound: Sound | None) -> list[Any]:
    streams: list[Any] = []
    for n in range(sound.tracks if sound else 0):
        assert sound is not None
        stream = container.add_stream(sound.codec, rate=sound.rate, layout=sound.layout)
        stream.codec_context.options = {"strict": "-2"}
        if sound.tracks > 1:
            stream.metadata["language"] = ("deu", "eng")[n]
            stream.disposition = Disposition(0) if n == 0 else Disposition.default
        streams.append(stream)
    return streams


def _write_tone(container: Any, stream: Any, sound: Any, seconds: float, start: Fraction, hertz: int) -> None:
    context = stream.codec_context
    wave = (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(sound.rate * seconds)) / sound.rate)).astype(np.float32)
    channels = len(context.layout.channels)
    frame = av.AudioFrame.from_ndarray(np.stack([wave] * channels), format="fltp", layout=sound.layout)
    frame.sample_rate, frame.time_base = sound.rate, Fraction(1, sound.rate)
    frame.pts = round(start * sound.rate)
    resampler = av.AudioResampler(
        format=context.format, layout=sound.layout, rate=sound.rate, frame_size=context.frame_size or 1024
    )
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode())

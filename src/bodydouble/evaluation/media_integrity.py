"""Whether frames, timestamps and sound of the output are the source's."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from bodydouble.evaluation.result import MediaIntegrity
from bodydouble.media import VideoInfo, VideoReader
from bodydouble.media.container import open_container
from bodydouble.media.tracks import audio_tracks

TIMESTAMP_TOLERANCE = Fraction(1, 1_000_000)
"""Seconds."""
FRAME_RATE_MIN = 1e-6
"""Frames per second: keeps a frame's duration finite where the file names no rate."""
SYNC_TOLERANCE = Fraction(1, 1000)
"""Seconds: a tick of Matroska."""
FRAME_RATE_TOLERANCE = Fraction(1, 10_000)
"""Relative to the source's rate: containers round it."""
DURATION_TOLERANCE = 0.1
"""Frames."""


def compare_media(
    source: tuple[Path, VideoInfo, VideoReader], output: tuple[Path, VideoInfo, VideoReader]
) -> MediaIntegrity:
    """Which parts of the media are unchanged. Both files are given as path, probe and reader."""
    (source_path, a, source_reader), (output_path, b, output_reader) = source, output
    # From the first frame: a common start of all tracks is removed from results.
    times = [[(p - r.pts[0]) * info.time_base for p in r.pts] for info, r in ((a, source_reader), (b, output_reader))]
    frame_seconds = 1 / max(float(a.frame_rate), FRAME_RATE_MIN)
    return MediaIntegrity(
        frames=len(times[0]) == len(times[1]),
        timestamps=len(times[0]) == len(times[1])
        and all(abs(x - y) <= TIMESTAMP_TOLERANCE for x, y in zip(*times, strict=True)),
        frame_rate=abs(a.frame_rate - b.frame_rate) <= a.frame_rate * FRAME_RATE_TOLERANCE,
        duration=abs(a.duration_seconds - b.duration_seconds) <= frame_seconds * DURATION_TOLERANCE,
        audio=same_audio(source_path, output_path)
        and abs(_sound_lag(a, source_reader) - _sound_lag(b, output_reader)) <= SYNC_TOLERANCE,
    )


def _sound_lag(info: VideoInfo, reader: VideoReader) -> Fraction:
    """Seconds from the first frame to the first sound; 0 without sound."""
    return info.audio.start_seconds - reader.pts[0] * info.time_base if info.audio else Fraction(0)


def same_audio(source: Path, output: Path) -> bool:
    """Whether the default audio tracks hold the same packets, byte for byte; also where neither has one."""
    return all(a == b for a, b in zip_longest(_audio_packets(source), _audio_packets(output)))


def _audio_packets(path: Path) -> Iterator[bytes]:
    with open_container(path) as container:
        for sound in audio_tracks(container)[:1]:
            yield from (bytes(p) for p in container.demux(container.streams[sound.track]) if p.size)

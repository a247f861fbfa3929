"""Tests of tracks that cannot be kept as they are: converted, damaged and unreadable ones."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from bodydouble.media import probe_video
from bodydouble.media.container import decoded_frames
from clips import numbered, packets, patched, write_clip
from media_pass import through


def test_what_mp4_cannot_hold_is_reported(tmp_path: Path) -> None:
    """Converted sound is named with its track and codec, and only where sound matters."""
    source = write_clip(tmp_path / "a.mkv", numbered(8, 96, 96), sound="pcm_s16le")
    (warning,) = probe_video(source).warnings
    assert (warning.code, warning.about_audio) == ("audio_converted", True)
    assert warning.message == "Audio track 2 was converted to AAC: MP4 cannot hold pcm_s16le."


def test_unreadable_tracks_are_named_and_left_out(tmp_path: Path) -> None:
    """Subtitles of an unknown kind and Opus without its header are warnings, and the rest is delivered."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        film: Any = container.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 96, 96, "yuv420p"
        text = container.add_mux_stream("subrip")
        for n, image in enumerate(numbered(4, 96, 96)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            container.mux(film.encode(frame))
        container.mux(film.encode())
        subtitle = av.Packet(b"Bonjour")
        subtitle.stream, subtitle.time_base, subtitle.pts, subtitle.dts = text, Fraction(1, 1000), 0, 0
        subtitle.duration = 100
        container.mux(subtitle)
    unknown = patched(path, "b.mkv", b"S_TEXT/UTF8", b"S_TEXT/XXXX")
    assert [w.code for w in probe_video(unknown).warnings] == ["subtitles_left_out"]
    result = through(unknown, tmp_path, [2])
    with av.open(str(result)) as container:
        assert [s.type for s in container.streams] == ["video"]


def test_sound_whose_times_go_back_is_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Converted sound has increasing times even if a damaged file's do not."""

    def jumping(container: Any, stream: Any) -> Iterator[Any]:
        for n, frame in enumerate(decoded_frames(container, stream)):
            frame.pts -= 200 if n >= 10 else 0  # ms
            yield frame

    monkeypatch.setattr("bodydouble.media.sound.decoded_frames", jumping)
    source = write_clip(tmp_path / "a.mkv", numbered(25, 96, 96), sound="pcm_s16le", time_base=Fraction(1, 1000))
    times = [at for at, _ in packets(through(source, tmp_path, [12]), "audio")]
    assert times == sorted(set(times))

"""Copies of videos for browsers that cannot play the original."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from bodydouble.media import MediaLimits, probe_video
from bodydouble.media.browser_video import SHORT_SIDE_MAX, plays_in_browsers
from bodydouble.media.proxy import write_proxy
from clips import number_of, numbered, write_clip

FRAMES, RATE = 12, 24


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("mpeg4.avi", "mpeg4", "yuv420p"),
        ("prores.mov", "prores_ks", "yuv422p10le"),
        ("mpeg2.mkv", "mpeg2video", "yuv420p"),
        ("hevc.mp4", "libx265", "yuv420p"),
    ],
)
def test_a_copy_plays_in_browsers(name: str, codec: str, pixels: str, tmp_path: Path) -> None:
    """It is MP4 with 8-bit H.264, small, as long as the original, and begins at 0."""
    frames = numbered(FRAMES, 960, 540)
    source = write_clip(tmp_path / name, frames, rate=RATE, time_base=Fraction(1, RATE), codec=codec, pix_fmt=pixels)
    target = tmp_path / "copy.mp4"
    assert not plays_in_browsers(probe_video(source, MediaLimits(), "video"))
    write_proxy(source, target, MediaLimits())
    copy = probe_video(target, MediaLimits(), "copy")
    assert plays_in_browsers(copy)
    assert (copy.codec, copy.bit_depth, copy.audio) == ("h264", 8, None)
    assert (copy.width, copy.height) == (640, SHORT_SIDE_MAX)
    assert copy.frames == FRAMES
    assert copy.duration_seconds == pytest.approx(FRAMES / RATE, abs=0.005)
    with av.open(str(target)) as container:
        played = [(frame.time, number_of(frame.to_ndarray(format="rgb24"))) for frame in container.decode(video=0)]
    assert [number for _, number in played] == list(range(FRAMES))
    assert [time for time, _ in played] == pytest.approx([index / RATE for index in range(FRAMES)], abs=1e-3)

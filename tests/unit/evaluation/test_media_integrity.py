"""Frames, times and sound against the source's."""

import dataclasses
from pathlib import Path

import pytest

from bodydouble.evaluation.media_integrity import compare_media, same_audio
from bodydouble.media import MediaLimits, VideoInfo, VideoReader, probe_video
from clips import numbered, write_clip
from material import landscape, write_video


def _opened(path: Path) -> tuple[Path, VideoInfo, VideoReader]:
    info = probe_video(path, MediaLimits(), "video")
    return path, info, VideoReader(path, info, info.width, info.height)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames a 25th of a second each, with sound."""
    return write_video(tmp_path_factory.mktemp("delivery") / "source.mp4", landscape(30), sound=True)


def test_a_video_is_equal_to_itself(source: Path) -> None:
    """Everything that is compared is equal."""
    assert all(dataclasses.asdict(compare_media(_opened(source), _opened(source))).values())


def test_another_rate_and_length_are_told(source: Path, tmp_path: Path) -> None:
    """Frames missing at another rate: none of them is equal."""
    other = write_video(tmp_path / "other.mp4", landscape(28), 20)
    assert not any(dataclasses.asdict(compare_media(_opened(source), _opened(other))).values())


def test_sound_is_compared_packet_by_packet(source: Path, tmp_path: Path) -> None:
    """A shorter or a missing sound is not the same; two silent videos are."""
    shorter = write_video(tmp_path / "shorter.mp4", landscape(26), sound=True)
    silent = write_video(tmp_path / "silent.mp4", landscape(26))
    assert same_audio(source, source)
    assert not same_audio(source, shorter)
    assert not same_audio(source, silent)
    assert same_audio(silent, silent)


def test_late_sound_is_not_the_same(tmp_path: Path) -> None:
    """The same packets a fifth of a second later are out of time; a common delay of picture and sound is not."""
    pts = [2560 + 512 * n for n in range(10)]
    clip = write_clip(tmp_path / "clip.mp4", numbered(10, 96, 96), sound="aac")
    late = write_clip(tmp_path / "late.mp4", numbered(10, 96, 96), sound="aac", sound_start=0.2)
    both = write_clip(tmp_path / "both.mp4", numbered(10, 96, 96), sound="aac", sound_start=0.2, pts=pts)
    assert same_audio(clip, late)
    assert not compare_media(_opened(clip), _opened(late)).audio
    assert same_audio(late, both)
    assert compare_media(_opened(both), _opened(both)).audio
    assert not compare_media(_opened(late), _opened(both)).audio

"""Frames that one pass over a video leaves for the next one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bodydouble.media import SDR_COLOUR, KeepingReader, PlaneFormat, VideoReader, keeping, probe_video
from material import landscape, write_video

FRAMES = 20
SAMPLES = PlaneFormat(bits=8, colour=SDR_COLOUR)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Gets first frame and step of each pass that decodes."""
    passes: list[tuple[int, int]] = []
    original = VideoReader._frames

    def counted(self: VideoReader, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Any]]:
        passes.append((start, step))
        return original(self, start, stop, step)

    monkeypatch.setattr(VideoReader, "_frames", counted)
    return passes


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeepingReader:
    """A clip of 20 frames, kept in an empty folder, however full the disk of the tests is."""
    monkeypatch.setattr(keeping, "FREE_BYTES_MIN", 0)
    video, folder = tmp_path / "clip.mp4", tmp_path / "kept"
    write_video(video, landscape(FRAMES, (96, 64)))
    folder.mkdir()
    return KeepingReader(folder, video, probe_video(video), 96, 64, SAMPLES)


def test_even_frames_are_decoded_once(reader: KeepingReader, decoded: list[tuple[int, int]], tmp_path: Path) -> None:
    """Passes after the first one get the same pixels from a file that has no name."""
    whole = dict(reader.read(0, FRAMES))
    again = dict(reader.read(0, FRAMES, 2)) | dict(reader.read(2, 15, 4))
    assert decoded == [(0, 1)]
    assert list(again) == list(range(0, FRAMES, 2))
    assert all(np.array_equal(image, whole[index]) for index, image in again.items())
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_pass_decodes_from_the_first_frame_on_that_is_not_kept(
    reader: KeepingReader, decoded: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has a largest size."""
    monkeypatch.setattr(reader._pictures, "_bytes_max", 3 * 96 * 64 * 3)
    whole = dict(reader.read(0, FRAMES))
    again = dict(reader.read(0, FRAMES, 2))
    assert decoded == [(0, 1), (6, 2)]
    assert all(np.array_equal(image, whole[index]) for index, image in again.items())


def test_the_last_pass_reads_samples_that_the_first_one_kept(
    reader: KeepingReader, decoded: list[tuple[int, int]], tmp_path: Path
) -> None:
    """Pictures and samples of every frame are those of a reader that keeps nothing."""
    list(reader.read(0, FRAMES))
    kept = list(reader.read_planes(3, FRAMES, SAMPLES))
    assert decoded == [(0, 1)]
    video = tmp_path / "clip.mp4"
    wanted = list(VideoReader(video, probe_video(video), 96, 64).read_planes(3, FRAMES, SAMPLES))
    assert [index for index, _, _ in kept] == list(range(3, FRAMES))
    for (_, image, planes), (_, wanted_image, wanted_planes) in zip(kept, wanted, strict=True):
        assert np.array_equal(image, wanted_image)
        assert all(np.array_equal(plane, other) for plane, other in zip(planes, wanted_planes, strict=True))


@pytest.mark.parametrize("limit", ["PICTURES_BYTES_MAX", "SAMPLES_BYTES_MAX"])
def test_samples_are_decoded_from_the_first_frame_on_that_is_not_kept(
    reader: KeepingReader, decoded: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Each of both files has a largest size; no frame is missing then."""
    monkeypatch.setattr(keeping, limit, 4 * 96 * 64 * 3)
    small = KeepingReader(reader._pictures._folder, reader._path, reader._info, 96, 64, SAMPLES)
    whole = dict(small.read(0, FRAMES))
    again = list(small.read_planes(0, FRAMES, SAMPLES))
    assert [index for index, _, _ in again] == list(range(FRAMES))
    assert all(np.array_equal(image, whole[index]) for index, image, _ in again)
    assert len(decoded) == 2


def test_nothing_is_kept_after_forget(reader: KeepingReader, decoded: list[tuple[int, int]]) -> None:
    """The next pass decodes, and leaves nothing for the one after it."""
    list(reader.read(0, FRAMES))
    reader.forget()
    assert len(list(reader.read(0, FRAMES, 2))) == FRAMES // 2
    list(reader.read(0, FRAMES, 2))
    assert decoded == [(0, 1), (0, 2), (0, 2)]


def test_a_full_disk_costs_time_only(
    reader: KeepingReader, decoded: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file cannot be written, every pass decodes."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    assert len(list(reader.read(0, FRAMES))) == FRAMES
    assert len(list(reader.read(0, FRAMES, 2))) == FRAMES // 2
    assert decoded == [(0, 1), (0, 2)]


def test_the_room_of_the_database_is_left_free(
    reader: KeepingReader, decoded: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk with little free space nothing is written, and every pass decodes."""
    monkeypatch.setattr(keeping, "FREE_BYTES_MIN", 1 << 60)
    list(reader.read(0, FRAMES))
    assert len(list(reader.read(0, FRAMES, 2))) == FRAMES // 2
    assert decoded == [(0, 1), (0, 2)]

"""Tests of the sheet that compares source and result."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bodydouble.shot import compare_sheet
from bodydouble.shot.sheet import CELL_HEIGHT, COLUMNS, GAP
from bodydouble.tasks.errors import MediaRejected
from material import landscape, write_video


def test_source_above_result_below(tmp_path: Path) -> None:
    """The sheet has two rows of six cells: the source's frames above, the result's below."""
    frames = landscape(30)
    source = write_video(tmp_path / "source.mp4", frames)
    result = write_video(tmp_path / "result.mp4", [255 - f for f in frames])
    compare_sheet(source, result, tmp_path / "sheet.png")
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[1] == COLUMNS * (round(320 * CELL_HEIGHT / 240) + 2 * GAP)
    upper, lower = (sheet[k * sheet.shape[0] // 2 :][GAP : GAP + CELL_HEIGHT, GAP:300] for k in (0, 1))
    assert np.abs(upper.astype(int) + lower - 255).mean() < 6


def test_videos_of_two_shapes_share_their_columns(tmp_path: Path) -> None:
    """Frames of different shapes appear complete, six of each video in common columns."""
    frames = landscape(30)
    source = write_video(tmp_path / "source.mp4", frames)
    result = write_video(tmp_path / "result.mp4", [255 - f[:, 50:270] for f in frames])
    compare_sheet(source, result, tmp_path / "sheet.png")
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    width = round(320 * CELL_HEIGHT / 240) + 2 * GAP
    assert sheet.shape[1] == COLUMNS * width
    lower = sheet[sheet.shape[0] // 2 + GAP :][:CELL_HEIGHT]
    lit = (lower.max(axis=(0, 2)) > 60).reshape(COLUMNS, width)  # dark is what is beside the pictures
    assert (abs(lit.sum(axis=1) - 220) < 4).all()
    assert (abs(lit @ np.arange(width) / lit.sum(axis=1) - width / 2) < 3).all()


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    """The error names the unreadable video, and no sheet is written."""
    source = write_video(tmp_path / "source.mp4", landscape(30))
    broken = tmp_path / "result.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(MediaRejected, match="result"):
        compare_sheet(source, broken, tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()

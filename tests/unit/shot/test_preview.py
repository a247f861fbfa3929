"""Tests of the preview of a running shot."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bodydouble.media import MediaLimits, VideoReader, probe_video
from bodydouble.shot import Shot, ShotRequest
from bodydouble.shot.preview import PREVIEW_NAME, SIDE_MAX, write_preview
from box_shot import PACK, BoxRenderer, box_plugin


def _decoded(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image[..., ::-1].astype(np.float64)


@pytest.mark.parametrize(("size", "shown"), [((1280, 720), (480, 270)), ((300, 900), (160, 480)), ((64, 48), (64, 48))])
def test_a_preview_is_small_and_keeps_its_shape(tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]) -> None:
    """The longer side is within the limit, small frames are not enlarged, and colours stay."""
    image = np.full((size[1], size[0], 3), (200, 40, 90), np.uint8)
    write_preview(tmp_path / PREVIEW_NAME, image)
    preview = _decoded(tmp_path / PREVIEW_NAME)
    assert max(preview.shape) <= SIDE_MAX
    assert preview.shape[:2] == (shown[1], shown[0])
    assert np.abs(preview.mean((0, 1)) - (200, 40, 90)).max() < 4
    assert [p.name for p in tmp_path.iterdir()] == [PREVIEW_NAME]


def test_each_segment_leaves_its_last_frame_as_the_preview(box_request: ShotRequest, workspace: Path) -> None:
    """After a rendered segment the preview is its last frame; a segment that exists already does not change it."""
    shot = Shot.create(workspace, box_request, PACK, plugin=box_plugin(BoxRenderer()))
    shot.perceive()
    segments = shot.prepare()
    assert not (workspace / PREVIEW_NAME).exists()
    previews: list[np.ndarray] = []
    for segment in segments:
        shot.render_segment(segment.index)
        previews.append(_decoded(workspace / PREVIEW_NAME))
    result = shot.finish().path
    reader = VideoReader(result, probe_video(result, MediaLimits(), "video"), 320, 240)
    for segment, preview in zip(segments, previews, strict=True):
        error = [np.abs(preview - image).mean() for _, image in reader.read(0, reader.frames)]
        assert int(np.argmin(error)) == segment.stop - 1
    before = (workspace / PREVIEW_NAME).stat().st_mtime_ns
    shot.render_segment(0)
    assert (workspace / PREVIEW_NAME).stat().st_mtime_ns == before

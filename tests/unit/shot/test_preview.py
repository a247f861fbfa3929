"""Tests of the preview of a running shot."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from bodydouble.media import MediaLimits, VideoReader, probe_video
from bodydouble.media.browser_video import join_browser_videos
from bodydouble.media.mux import RESULT_COMMENT
from bodydouble.perception.arrays import Image
from bodydouble.renderers.protocol import PreparedShot, Scene, Segment, StepReporter
from bodydouble.shot import Shot, ShotRequest, preview
from bodydouble.shot.preview import (
    PREVIEW_PARTS,
    PREVIEW_PICTURE,
    PREVIEW_VIDEO,
    SIDE_MAX,
    PreviewWriter,
    write_small_picture,
)
from box_shot import PACK, BoxRenderer, box_plugin

RATE, STEP = 25, 3
"""Frames a second of the clip, and of them from one that the preview shows to the next."""


def _decoded(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image[..., ::-1].astype(np.float64)


def _played(path: Path) -> list[tuple[float, np.ndarray]]:
    """Time in seconds and picture of each frame of a video."""
    with av.open(str(path)) as container:
        return [(float(f.time or 0), f.to_ndarray(format="rgb24").astype(float)) for f in container.decode(video=0)]


def _shown(segments: list[Segment]) -> list[int]:
    """The frames that the preview of these segments shows: of each second, every third frame."""
    seconds = [range(k, min(k + RATE, s.stop), STEP) for s in segments for k in range(s.start, s.stop, RATE)]
    return [index for second in seconds for index in second]


@pytest.mark.parametrize(("size", "shown"), [((1280, 720), (480, 270)), ((300, 900), (160, 480)), ((64, 48), (64, 48))])
def test_a_picture_is_small_and_keeps_its_shape(tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]) -> None:
    """The longer side is within the limit, small frames are not enlarged, and colours stay."""
    image = np.full((size[1], size[0], 3), (200, 40, 90), np.uint8)
    write_small_picture(tmp_path / PREVIEW_PICTURE, image)
    preview = _decoded(tmp_path / PREVIEW_PICTURE)
    assert max(preview.shape) <= SIDE_MAX
    assert preview.shape[:2] == (shown[1], shown[0])
    assert np.abs(preview.mean((0, 1)) - (200, 40, 90)).max() < 4
    assert [p.name for p in tmp_path.iterdir()] == [PREVIEW_PICTURE]


def _prepared_shot(request: ShotRequest, workspace: Path, renderer: BoxRenderer) -> tuple[Shot, list[Segment]]:
    shot = Shot.create(workspace, request, PACK, plugin=box_plugin(renderer))
    shot.perceive()
    return shot, shot.prepare()


def test_each_segment_lengthens_the_preview(box_request: ShotRequest, workspace: Path) -> None:
    """After a segment the video shows every third frame until its end, and the picture is its last frame.

    Frames keep their times. The clip is faster than ``RATE_MAX``: each part shows its first frame, and goes on from it.
    """
    shot, segments = _prepared_shot(box_request, workspace, BoxRenderer())
    assert not (workspace / PREVIEW_PICTURE).exists()
    assert not (workspace / PREVIEW_VIDEO).exists()
    grown: list[list[tuple[float, np.ndarray]]] = []
    pictures: list[np.ndarray] = []
    for segment in segments:
        shot.render_segment(segment.index)
        grown.append(_played(workspace / PREVIEW_VIDEO))
        pictures.append(_decoded(workspace / PREVIEW_PICTURE))
    result = shot.finish().path
    reader = VideoReader(result, probe_video(result, MediaLimits(), "video"), 320, 240)
    frames = [image.astype(float) for _, image in reader.read(0, reader.frames)]
    for segment, shown, picture in zip(segments, grown, pictures, strict=True):
        at = [round(seconds * RATE) for seconds, _ in shown]
        assert at == _shown(segments[: segment.index + 1])
        assert max(np.abs(image - frames[k]).mean() for k, (_, image) in zip(at, shown, strict=True)) < 6
        assert int(np.argmin([np.abs(picture - frame).mean() for frame in frames])) == segment.stop - 1


def test_a_finished_segment_does_not_touch_the_preview(box_request: ShotRequest, workspace: Path) -> None:
    """Rendering a segment whose file exists changes neither video nor picture."""
    shot, _ = _prepared_shot(box_request, workspace, BoxRenderer())
    shot.render_segment(0)
    before = [(workspace / name).stat().st_mtime_ns for name in (PREVIEW_VIDEO, PREVIEW_PICTURE)]
    shot.render_segment(0)
    assert [(workspace / name).stat().st_mtime_ns for name in (PREVIEW_VIDEO, PREVIEW_PICTURE)] == before


def test_the_preview_grows_by_the_second(box_request: ShotRequest, tmp_path: Path) -> None:
    """Within a segment, each second that is complete is shown."""
    info = probe_video(box_request.video, MediaLimits(), "video")
    reader = VideoReader(box_request.video, info, 320, 240)
    lengths: list[int] = []
    with PreviewWriter(tmp_path, (320, 240), info, reader.pts) as writer:
        for index, image in reader.read(0, 30):
            writer.add(index, image)
            lengths.append(len(_played(tmp_path / PREVIEW_VIDEO)) if (tmp_path / PREVIEW_VIDEO).exists() else 0)
    second = -(-RATE // STEP)
    assert lengths == [0] * RATE + [second] * (30 - RATE)
    assert len(_played(tmp_path / PREVIEW_VIDEO)) == second + 2
    with av.open(str(tmp_path / PREVIEW_VIDEO)) as container:
        assert container.metadata["comment"] == RESULT_COMMENT  # it shows what is generated, as the result does


def test_a_second_opens_no_part_before_it(
    box_request: ShotRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each second is added to what is shown, in time that does not grow with the seconds before; none is missing."""
    opened: list[list[str]] = []

    def counting(parts: Sequence[tuple[Path, Fraction]], output: Path, comment: str) -> None:
        opened.append([path.name for path, _ in parts])
        join_browser_videos(parts, output, comment)

    monkeypatch.setattr(preview, "join_browser_videos", counting)
    info = probe_video(box_request.video, MediaLimits(), "video")
    reader = VideoReader(box_request.video, info, 320, 240)
    for start in (0, 2):  # segments of two seconds
        with PreviewWriter(tmp_path, (320, 240), info, [k * reader.pts[1] for k in range(4 * RATE)]) as writer:
            for index in range(start * RATE, (start + 2) * RATE):
                writer.add(index, np.full((240, 320, 3), index, np.uint8))
    assert opened == [["0000000.mp4"], *([PREVIEW_VIDEO, f"{k:07d}.mp4"] for k in (RATE, 2 * RATE, 3 * RATE))]
    at = [round(seconds * RATE) for seconds, _ in _played(tmp_path / PREVIEW_VIDEO)]
    assert at == [k + j for k in range(0, 4 * RATE, RATE) for j in range(0, RATE, STEP)]


def test_a_resumed_shot_continues_the_preview(box_request: ShotRequest, workspace: Path) -> None:
    """After a crash within a segment, the preview has each second once."""
    shot, segments = _prepared_shot(box_request, workspace, BoxRenderer())
    shot.render_segment(0)
    info = probe_video(box_request.video, MediaLimits(), "video")
    reader = VideoReader(box_request.video, info, 320, 240)
    lost = segments[1].start
    with PreviewWriter(workspace, (320, 240), info, reader.pts) as writer:  # of a process that ended
        writer.add(lost, np.zeros((240, 320, 3), np.uint8))
    again, _ = _prepared_shot(box_request, workspace, BoxRenderer())
    again.render_segment(1)
    shown = _played(workspace / PREVIEW_VIDEO)
    at = [round(seconds * RATE) for seconds, _ in shown]
    assert at == _shown(segments[:2])
    assert shown[at.index(lost)][1].mean() > 20


def test_a_preview_that_cannot_be_written_costs_nothing(box_request: ShotRequest, workspace: Path) -> None:
    """The segment is finished without it."""
    shot, _ = _prepared_shot(box_request, workspace, BoxRenderer())
    (workspace / PREVIEW_PARTS).write_text("a file where a folder is needed")
    shot.render_segment(0)
    assert not (workspace / PREVIEW_VIDEO).exists()
    assert (workspace / "segments" / "segment-00000.nut").exists()


class _FailingRenderer(BoxRenderer):
    """Fails in the middle of its first segment."""

    def prepare(self, scene: Scene, folder: Path, report: StepReporter) -> PreparedShot:  # type: ignore[override]
        prepared = super().prepare(scene, folder, report)
        render = prepared.render

        def fail(segment: Segment, carry: bytes | None, report: StepReporter) -> Iterator[Image]:
            images = render(segment, carry, report)
            yield next(images)
            raise RuntimeError("the renderer fails")

        prepared.render = fail  # pyright: ignore[reportAttributeAccessIssue]
        return prepared


def test_a_segment_that_fails_leaves_no_part(box_request: ShotRequest, workspace: Path) -> None:
    """Frames of a segment that failed are not shown."""
    shot, _ = _prepared_shot(box_request, workspace, _FailingRenderer())
    with pytest.raises(RuntimeError):
        shot.render_segment(0)
    assert list((workspace / PREVIEW_PARTS).iterdir()) == []
    assert not (workspace / PREVIEW_VIDEO).exists()

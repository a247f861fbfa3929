"""One replacement from inputs to finished file, as stages over a workspace folder.

Each stage is idempotent: it leaves an artefact, whole or not at all, and is skipped where that is there. So a shot
that was killed anywhere goes on at the last finished window or segment, in this process or another, and the finished
file has the same bytes.
"""

import json
import os
import shutil
from functools import cached_property
from pathlib import Path

from bodydouble.media import (
    SegmentEncoder,
    VideoInfo,
    VideoReader,
    join_segments,
    probe_image,
    probe_video,
    read_image,
    working_size,
)
from bodydouble.perception import ModelPack, load_perception, perceive
from bodydouble.perception.perceive import WINDOW_FRAMES
from bodydouble.renderers.protocol import PreparedShot, RenderOptions, Scene, Segment
from bodydouble.renderers.registry import build_renderer, resolve_renderer
from bodydouble.shot.progress import Listener, ProgressMeter
from bodydouble.shot.request import ShotProgress, ShotRequest, ShotResult

COMMENT = "Made with bodydouble: the person in this video was replaced by a generated character."
"""Provenance: whoever opens the file can learn that it is not what a camera saw."""


def _ignore(progress: ShotProgress) -> None:
    """Nobody listens."""


class Shot:
    """A shot in a workspace. Call the stages in order, or ``run``."""

    def __init__(self, workspace: Path, pack: ModelPack, listener: Listener = _ignore) -> None:
        self.workspace = workspace
        self.request = ShotRequest.from_json((workspace / "shot.json").read_text())
        self._pack = pack
        self._meter = ProgressMeter(listener)

    @classmethod
    def create(cls, workspace: Path, request: ShotRequest, pack: ModelPack, listener: Listener = _ignore) -> "Shot":
        """Start in an empty or an earlier workspace; work done for another request is removed."""
        workspace.mkdir(parents=True, exist_ok=True)
        path = workspace / "shot.json"
        text = request.to_json()
        if path.exists() and path.read_text() != text:
            for stale in ("perception", "renderer", "segments"):
                shutil.rmtree(workspace / stale, ignore_errors=True)
        write_whole(path, text)
        return cls(workspace, pack, listener)

    @cached_property
    def info(self) -> VideoInfo:
        """The driving video, probed and within the limits. Raises MediaRejected."""
        return probe_video(self.request.video, self.request.limits, field="video")

    @cached_property
    def footage(self) -> VideoReader:
        """The driving video at working size."""
        width, height = working_size(self.info.width, self.info.height, self.request.short_side)
        return VideoReader(self.request.video, self.info, width, height)

    def probe(self) -> VideoInfo:
        """Check both inputs, without heavy work.

        Raises:
            MediaRejected, RendererUnavailable: what is wrong, and with which input.
        """
        resolve_renderer(self.request.renderer)
        probe_image(self.request.image, self.request.limits, field="image")
        self._meter.report("probe", 1.0)
        return self.info

    def perceive(self) -> None:
        """Find and follow the person. Raises NobodyFound."""
        windows = -(-self.footage.frames // WINDOW_FRAMES)
        perceive(
            self._pack,
            self.footage,
            self.request.person,
            self.workspace / "perception",
            lambda f: self._meter.report("perceive", f, min(int(f * windows), windows - 1), windows),
        )

    def prepare(self) -> list[Segment]:
        """The renderer's work for the whole shot; answers the segments to render. Raises NobodyFound."""
        return self._prepared.segments

    @cached_property
    def _prepared(self) -> PreparedShot:
        perception = load_perception(self.workspace / "perception")
        scene = Scene(
            reference=read_image(self.request.image, self.request.limits, field="image"),
            footage=self.footage,
            mattes=perception.mattes,
            track=perception.track,
            options=RenderOptions(hands=self.request.hands, seed=self.request.seed),
        )
        folder = self.workspace / "renderer"
        folder.mkdir(exist_ok=True)
        renderer = build_renderer(self.request.renderer, self._pack)
        prepared = renderer.prepare(scene, folder, lambda f: self._meter.report("prepare", f))
        self._meter.report("prepare", 1.0)
        return prepared

    def render_segment(self, index: int) -> None:
        """Render and encode one segment; nothing happens where its file is there."""
        segments = self._prepared.segments
        segment = segments[index]
        path = self._segment_path(index)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            carry_path = path.with_suffix(".carry")
            before = self._segment_path(index - 1).with_suffix(".carry")
            carry = before.read_bytes() if index and before.exists() else None
            with SegmentEncoder(
                path,
                width=self.footage.width,
                height=self.footage.height,
                frame_rate=self.info.frame_rate,
                time_base=self.info.time_base,
                colour=self.info.colour,
            ) as encoder:
                length = segment.stop - segment.start
                for k, image in enumerate(self._prepared.render(segment, carry)):
                    encoder.write(image, self.footage.pts[segment.start + k])
                    if k % 4 == 0:
                        self._meter.report("render", (index + k / length) / len(segments), index, len(segments))
                after = self._prepared.carry_after(segment)
                if after is not None:
                    write_whole(carry_path, after)
        self._meter.report("render", (index + 1) / len(segments), index, len(segments))

    def _segment_path(self, index: int) -> Path:
        return self.workspace / "segments" / f"segment-{index:05d}.nut"

    def finish(self, output: Path | None = None) -> ShotResult:
        """Join the segments and the sound into ``output`` (default: result.mp4 in the workspace)."""
        target = output or self.workspace / "result.mp4"
        paths = [self._segment_path(i) for i in range(len(self._prepared.segments))]
        keep = self.request.keep_audio
        join_segments(paths, self.request.video, self.info, target, keep_audio=keep, comment=COMMENT)
        result = ShotResult(
            path=target,
            renderer=resolve_renderer(self.request.renderer),
            width=self.footage.width,
            height=self.footage.height,
            frame_rate=float(self.info.frame_rate),
            frames=self.footage.frames,
            duration_seconds=self.info.duration_seconds,
            audio=keep and self.info.audio is not None,
            warnings=[{"code": w.code, "message": w.message} for w in self._prepared.warnings],
        )
        write_whole(self.workspace / "result.json", json.dumps(result.media_info(), indent=1))
        self._meter.report("mux", 1.0)
        return result

    def run(self, output: Path | None = None) -> ShotResult:
        """All stages."""
        self.probe()
        self.perceive()
        for segment in self.prepare():
            self.render_segment(segment.index)
        return self.finish(output)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a small file so that it is there whole or not at all, through a power cut too."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)

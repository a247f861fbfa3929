"""One replacement from inputs to finished video, as stages over a workspace folder.

Each stage is idempotent. It writes its artefact atomically and does nothing if the artefact exists. A killed shot
continues after the last finished window or segment, in this process or another. The result has the same bytes.
"""

import json
import logging
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np

from bodydouble.media import (
    KeepingReader,
    MediaWarning,
    SegmentEncoder,
    VideoInfo,
    join_segments,
    picture_in_view,
    probe_image,
    probe_video,
    read_image,
    working_size,
)
from bodydouble.perception import ModelPack, Perception, PersonTrack, load_perception, perceive
from bodydouble.perception.arrays import Image
from bodydouble.perception.backends import choose_networks
from bodydouble.perception.litert import release_idle_networks
from bodydouble.perception.networks import Networks
from bodydouble.perception.perceive import WINDOW_FRAMES
from bodydouble.perception.upside_down import UPSIDE_DOWN, is_upside_down
from bodydouble.renderers.plugin import REPLACE, BuildRequest, PerceptionNetworks, RendererPlugin
from bodydouble.renderers.protocol import PreparedShot, RenderWarning, Scene, Segment
from bodydouble.renderers.registry import Renderers
from bodydouble.shot import artefacts
from bodydouble.shot.allocation import keep_freed_memory
from bodydouble.shot.input_watch import InputWatch, describe_inputs
from bodydouble.shot.labels import VisibleLabel, people_in_picture, result_texts, visible_label
from bodydouble.shot.minimum import check_minimum
from bodydouble.shot.output_samples import OutputSamples, output_format
from bodydouble.shot.plan import Plan
from bodydouble.shot.preview import PreviewWriter
from bodydouble.shot.progress import Listener, ProgressMeter
from bodydouble.shot.request import ShotProgress, ShotRequest, ShotResult
from bodydouble.tasks.atomic_files import atomic_write
from bodydouble.tasks.digests import damaged_files, digest_path, is_intact, publish_with_digest
from bodydouble.tasks.errors import MediaRejected, WorkspaceDamaged
from bodydouble.tasks.stages import Stage

_log = logging.getLogger(__name__)

MARK = "inputs.json"
"""File that identifies the origin of the artefacts: this version and the digests of both inputs."""


def _ignore(progress: ShotProgress) -> None:
    """The default listener."""


class Shot:
    """A shot in a workspace. Call the stages in order, or ``run``.

    ``runner``: socket of the process that holds the renderer's networks, for renderers that need one.
    ``plugin``: a renderer to use instead of the installed one that the request names.
    """

    def __init__(
        self,
        workspace: Path,
        pack: ModelPack,
        listener: Listener = _ignore,
        *,
        runner: Path | None = None,
        plugin: RendererPlugin | None = None,
    ) -> None:
        keep_freed_memory()
        self.workspace = workspace
        self.request = ShotRequest.from_json((workspace / "shot.json").read_text())
        self._pack, self._listener, self._runner, self._own_plugin = pack, listener, runner, plugin
        self._renderers = Renderers(self.request.renderer_settings)
        mark = workspace / MARK
        self._watch = InputWatch(self.request.files, mark.read_text() if mark.exists() else "{}")

    @classmethod
    def create(
        cls,
        workspace: Path,
        request: ShotRequest,
        pack: ModelPack,
        listener: Listener = _ignore,
        *,
        runner: Path | None = None,
        plugin: RendererPlugin | None = None,
    ) -> "Shot":
        """A shot in a new or an existing workspace.

        Removes damaged artefacts. Removes all artefacts if they come from another request, from other contents of the
        input files, or from another version.
        """
        workspace.mkdir(parents=True, exist_ok=True)
        path, mark = workspace / "shot.json", workspace / MARK
        text, made_from = request.to_json(), describe_inputs(request.files)
        if not (_holds(path, text) and _holds(mark, made_from)):
            artefacts.remove_all(workspace)
            atomic_write(path, text)
            atomic_write(mark, made_from)
        elif damaged := artefacts.remove_damaged(workspace):
            _log.warning("Damaged artefacts are made again: %s", artefacts.relative_names(damaged, workspace))
        return cls(workspace, pack, listener, runner=runner, plugin=plugin)

    @cached_property
    def info(self) -> VideoInfo:
        """Properties of the driving video, checked against the limits. Raises MediaRejected."""
        return probe_video(self.request.video, self.request.limits, field="video")

    @cached_property
    def footage(self) -> KeepingReader:
        """The driving video at working size."""
        width, height = working_size(self.info.width, self.info.height, self.request.short_side)
        samples = output_format(self.info, self.request) if self.request.mode == REPLACE else None
        return KeepingReader(self.workspace, self.request.video, self.info, width, height, samples)

    @cached_property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the result in pixels: the footage's, or in mode animate the reference image's."""
        if self.request.mode == REPLACE:
            return self.footage.width, self.footage.height
        height, width = read_image(self.request.image, self.request.limits, field="image").shape[:2]
        return working_size(width, height, self.request.short_side)

    def _reference(self) -> Image:
        picture = read_image(self.request.image, self.request.limits, field="image")
        if self._samples.form.hdr is not None:
            picture = picture_in_view(picture)
        if self.request.mode == REPLACE:
            return picture
        return np.asarray(cv2.resize(picture, self.frame_size, interpolation=cv2.INTER_AREA), np.uint8)

    def probe(self) -> VideoInfo:
        """Properties of the driving video, after quick checks of both inputs and the options.

        Raises:
            MediaRejected, RendererUnavailable, InputRejected, NobodyFound: the message names the input.
        """
        _ = self._options
        probe_image(self.request.image, self.request.limits, field="image")
        info = self.info
        check_minimum(self.plugin, info)
        self._meter.report(Stage.PROBE, 0.5)
        _ = self._reference_warnings
        artefacts.store_digests(self.workspace)
        self._meter.report(Stage.PROBE, 1.0)
        return info

    @property
    def _media_warnings(self) -> list[MediaWarning]:
        """Warnings about parts of the driving video that the result lacks."""
        return [w for w in self.info.warnings if self.request.keep_audio or not w.about_audio]

    @cached_property
    def _reference_warnings(self) -> list[RenderWarning]:
        """The renderer's warnings about the reference image. Raises InputRejected, NobodyFound."""
        check = self.plugin.check_reference
        return check(self._pack, self._reference(), self._renderer_folder()) if check else []

    @cached_property
    def _track_warnings(self) -> list[RenderWarning]:
        """The renderer's warnings about the tracked person. Raises InputRejected, NobodyFound."""
        check = self.plugin.check_track
        return check(self._perception.track) if check else []

    @property
    def _direction_warnings(self) -> list[RenderWarning]:
        if not is_upside_down(self._pack, self.footage, self._perception.track):
            return []
        return [RenderWarning(code="video_upside_down", message=UPSIDE_DOWN)]

    def perceive(self) -> None:
        """Find and track the person. Raises NobodyFound."""
        windows, networks = -(-self.footage.frames // WINDOW_FRAMES), self._networks()

        def report(fraction: float) -> None:
            artefacts.store_digests(self.workspace)
            self._meter.report(Stage.PERCEIVE, fraction, min(int(fraction * windows), windows - 1), windows)

        self.__dict__["_perception"] = perceive(
            self._pack, self.footage, self.request.person, self.workspace / "perception", report, networks
        )
        artefacts.store_digests(self.workspace)
        if networks is not None:
            networks.close()
        release_idle_networks()  # preparing and rendering need the memory
        _ = self._track_warnings

    def _networks(self) -> Networks | None:
        """The networks for perception; None means those of the model pack."""
        if self.plugin.perception is PerceptionNetworks.PACK:
            return None
        chosen = choose_networks(self._pack, self.request.perception)
        _log.info(chosen.reason)
        return chosen.networks

    @cached_property
    def _perception(self) -> Perception:
        return load_perception(self.workspace / "perception")

    def prepare(self) -> list[Segment]:
        """The segments to render, after the renderer's work for the whole shot. Raises NobodyFound."""
        segments = self._plan.segments
        artefacts.store_digests(self.workspace)
        self._meter.report(Stage.PREPARE, 1.0)
        return segments

    @cached_property
    def _plan(self) -> Plan:
        path = self.workspace / "plan.json"
        if not path.exists():
            prepared = self._prepared
            warnings = [
                *self._reference_warnings,
                *self._track_warnings,
                *self._direction_warnings,
                *prepared.warnings,
            ]
            text = Plan(segments=prepared.segments, warnings=warnings).to_json()
            atomic_write(path, text, publish_with_digest)
        return Plan.from_json(path.read_text())

    @cached_property
    def _prepared(self) -> PreparedShot:
        scene = Scene(
            reference=self._reference(),
            footage=self._samples.frames,
            mattes=self._perception.mattes,
            track=self._perception.track,
            mode=self.request.mode,
        )
        folder, plugin = self._renderer_folder(), self.plugin
        renderer = plugin.build(
            BuildRequest(
                mode=self.request.mode,
                options=self._options,
                settings=self._renderers.settings_of(plugin),
                pack=self._pack,
                runner=self._runner,
            )
        )
        return renderer.prepare(scene, folder, lambda f: self._meter.report(Stage.PREPARE, f))

    def _renderer_folder(self) -> Path:
        """Where the renderer keeps its artefacts."""
        folder = self.workspace / artefacts.RENDERER
        folder.mkdir(exist_ok=True)
        return folder

    @cached_property
    def plugin(self) -> RendererPlugin:
        """The request's renderer. Raises RendererUnavailable."""
        return self._own_plugin or self._renderers.resolve(self.request.renderer, self.request.mode)

    @cached_property
    def _options(self) -> Any:
        """The validated renderer options of the request. Raises RendererUnavailable, InputRejected."""
        return self.plugin.read_options(self.request.options)

    @cached_property
    def _meter(self) -> ProgressMeter:
        return ProgressMeter(self._listener, self.plugin.stage_shares)

    def render_segment(self, index: int) -> None:
        """Render and encode one segment, unless its file exists. The preview grows by its frames."""
        segments = self._plan.segments
        path = self._segment_path(index)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            self._render_into(path, segments[index], len(segments))
            artefacts.store_digests(self.workspace)
        self._meter.report(Stage.RENDER, (index + 1) / len(segments), index, len(segments))

    def _render_into(self, path: Path, segment: Segment, segments: int) -> None:
        carry = self._carry_into(segment)
        length, done = segment.stop - segment.start, 0
        width, height = self.frame_size

        def report(fraction: float) -> None:
            self._meter.report(Stage.RENDER, (segment.index + fraction) / segments, segment.index, segments)

        images = self._prepared.render(segment, carry, report)
        with ExitStack() as stack:
            encoder = stack.enter_context(
                SegmentEncoder(
                    path,
                    width=width,
                    height=height,
                    frame_rate=self.info.frame_rate,
                    time_base=self.info.time_base,
                    form=self._samples.form,
                    encoding=self._samples.encoding,
                )
            )
            if (close := getattr(images, "close", None)) is not None:
                stack.callback(close)  # ends a cancelled segment's threads now, not at garbage collection
            preview = stack.enter_context(PreviewWriter(self.workspace, self.frame_size, self.info, self.footage.pts))
            for image, planes in self._samples.of(images, segment.start, self._label):
                encoder.write(planes, self.footage.pts[segment.start + done])
                preview.add(segment.start + done, image)
                done += 1
            if done != length:
                raise RuntimeError(f"segment {segment.index} has {done} frames instead of {length}")
            after = self._prepared.carry_after(segment)
            if after is not None:  # written before the segment's file, which marks both as complete
                atomic_write(path.with_suffix(".carry"), after, publish_with_digest)

    @cached_property
    def _samples(self) -> OutputSamples:
        return OutputSamples(self.request, self.info, self.footage)

    @cached_property
    def _label(self) -> VisibleLabel | None:
        def moved() -> PersonTrack:
            return people_in_picture(self._pack, self._reference(), self._prepared, self.footage.frames)

        return visible_label(self.request, self.frame_size, self.info, self.footage, self._perception, moved)

    def _carry_into(self, segment: Segment) -> bytes | None:
        """The renderer's state from the end of the previous segment, if stored. Raises WorkspaceDamaged."""
        before = self._segment_path(segment.index - 1)
        if segment.index == 0 or not before.exists():
            return None
        path = before.with_suffix(".carry")
        if digest_path(path).exists() and not is_intact(path):
            self._raise_damaged([path])
        return path.read_bytes() if path.exists() else None

    def find_damage(self) -> list[Path]:
        """Artefacts and inputs that changed or disappeared after their digest was stored."""
        return artefacts.find_damage(self.workspace) + damaged_files([self.request.image, self.request.video])

    def _raise_damaged(self, damaged: list[Path]) -> NoReturn:
        names = artefacts.relative_names(damaged, self.workspace)
        raise WorkspaceDamaged(f"Files of the workspace were damaged while it was in use: {names}. Try again.")

    def _segment_path(self, index: int) -> Path:
        return self.workspace / "segments" / f"segment-{index:05d}.nut"

    def finish(self, output: Path | None = None) -> ShotResult:
        """Join segments and audio into ``output`` (default: result.mp4 or .mkv in the workspace).

        Raises:
            WorkspaceDamaged: an artefact was damaged during the shot. ``Shot.create`` makes it again.
        """
        self.footage.forget()
        target = output or self.workspace / self._samples.file_name
        paths = [self._segment_path(i) for i in range(len(self._plan.segments))]
        keep, tags = self.request.keep_audio, self._samples.form.colour
        texts = result_texts(self.request, (self.workspace / MARK).read_bytes())
        join_segments(paths, self.request.video, self.info, target, keep_audio=keep, texts=texts, colour=tags)
        if damaged := artefacts.find_damage(self.workspace):  # checked after reading, so that no damage is missed
            target.unlink(missing_ok=True)
            self._raise_damaged(damaged)
        try:
            self._watch.check()
        except MediaRejected:
            target.unlink(missing_ok=True)
            raise
        result = ShotResult(
            path=target,
            renderer=self.plugin.name,
            width=self.frame_size[0],
            height=self.frame_size[1],
            frame_rate=float(self.info.frame_rate),
            frames=self.footage.frames,
            duration_seconds=self.info.duration_seconds,
            audio=keep and self.info.audio is not None,
            warnings=[{"code": w.code, "message": w.message} for w in (*self._media_warnings, *self._plan.warnings)],
        )
        atomic_write(self.workspace / "result.json", json.dumps(result.media_info(), indent=1))
        self._meter.report(Stage.MUX, 1.0)
        return result

    def run(self, output: Path | None = None) -> ShotResult:
        """Run all stages. Raises MediaRejected if an input file changes meanwhile."""
        try:
            self.probe()
            self.perceive()
            for segment in self.prepare():
                self.render_segment(segment.index)
            return self.finish(output)
        except Exception:
            self._watch.check()  # whatever failed may have failed because of it
            raise


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()

"""Performs a supervisor's requests on one shot."""

import time
from typing import TYPE_CHECKING, assert_never

from bodydouble.tasks.digests import digest_of
from bodydouble.tasks.heavy_imports import heavy_imports
from bodydouble.tasks.stages import Stage
from bodydouble.worker.child.channel import Channel
from bodydouble.worker.messages import (
    Done,
    Finish,
    Finished,
    Open,
    Perceive,
    Prepare,
    Prepared,
    Probe,
    Probed,
    Progress,
    Render,
    Request,
    ShotOrder,
    Value,
)

if TYPE_CHECKING:  # heavy imports: ``_open`` makes them, after the heartbeat has begun
    from bodydouble.renderers.protocol import Segment
    from bodydouble.shot import Shot
    from bodydouble.shot.request import ShotProgress, ShotResult

PROGRESS_SECONDS_MIN = 0.1
"""Shortest time between two progress messages of one segment."""


class ShotRunner:
    """One shot, from ``Open`` on."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._order: ShotOrder | None = None
        self._opened: Shot | None = None
        self._segments: list[Segment] | None = None
        self._sent = Progress(stage=Stage.QUEUED, fraction=0.0)
        self._sent_at = 0.0  # by the monotonic clock

    def perform(self, request: Request) -> Value:
        """The request's value. Raises what the stage raises."""
        match request:
            case Open():
                self._order, self._opened = request.order, self._open(request.order)
            case Probe():
                seconds = self._shot.probe().duration_seconds
                return Probed(duration_seconds=seconds, short_side=min(self._shot.frame_size))
            case Perceive():
                self._shot.perceive()
            case Prepare():
                return Prepared(segments=len(self._prepare()))
            case Render():
                self._prepare()
                self._shot.render_segment(request.segment)
            case Finish():
                for segment in self._prepare():
                    self._shot.render_segment(segment.index)
                result = self._finish()
                return Finished(media_info=result.media_info(), digest=digest_of(result.path))
            case _:
                assert_never(request)
        return Done()

    def find_damage(self) -> str | None:
        """The damaged files of the workspace, as the end of a sentence; None if there are none."""
        if self._opened is None:
            return None
        if not self._opened.workspace.exists():
            return "its workspace disappeared"
        if damaged := self._opened.find_damage():
            return f"files of its workspace were damaged: {', '.join(path.name for path in damaged)}"
        return None

    @property
    def _shot(self) -> "Shot":
        assert self._opened is not None, "the first request is Open"
        return self._opened

    def _prepare(self) -> "list[Segment]":
        """The segments. A new child over an old workspace passes quickly through the stages that are done."""
        if self._segments is None:
            self._shot.perceive()
            self._segments = self._shot.prepare()
        return self._segments

    def _finish(self) -> "ShotResult":
        """The finished file, signed if the installation signs."""
        assert self._order is not None, "the first request is Open"
        if self._order.signing is None:
            return self._shot.finish()
        from bodydouble.provenance.options import SigningOptions
        from bodydouble.provenance.shots import sign_shot, unsigned_path

        unsigned = self._shot.finish(unsigned_path(self._shot.workspace))
        target = self._shot.workspace / "result.mp4"
        return sign_shot(
            self._shot, unsigned, target, SigningOptions.from_json(self._order.signing), self._order.task_id
        )

    def _open(self, order: ShotOrder) -> "Shot":
        with heavy_imports():
            from bodydouble.media import MediaLimits, Quality
            from bodydouble.perception import PersonChoice, locate_pack
            from bodydouble.perception.options import PerceptionOptions
            from bodydouble.shot import Shot, ShotRequest

        request = ShotRequest(
            image=order.image,
            video=order.video,
            short_side=order.short_side,
            person=PersonChoice(point=order.point, rank=order.rank),
            renderer=order.renderer,
            mode=order.mode,
            options=order.options,
            keep_audio=order.keep_audio,
            quality=Quality(order.quality),
            dynamic_range=order.dynamic_range,
            label=order.label,
            label_producer=order.label_producer,
            limits=MediaLimits(**order.limits),
            renderer_settings=order.renderer_settings,
            perception=PerceptionOptions(**order.perception),
        )
        return Shot.create(order.workspace, request, locate_pack(order.models), self._report, runner=order.runner)

    def _report(self, progress: "ShotProgress") -> None:
        """Send progress, at most ten times a second within one segment."""
        now = time.monotonic()
        same = (progress.stage, progress.segment) == (self._sent.stage, self._sent.segment)
        if same and now - self._sent_at < PROGRESS_SECONDS_MIN:
            return
        self._sent_at = now
        self._sent = Progress(
            stage=progress.stage,
            fraction=progress.fraction,
            segment=progress.segment,
            segments=progress.segments,
        )
        self._channel.send(self._sent)

"""The operations that a child performs on its shot."""

import time
from pathlib import Path
from typing import Any

from bodydouble.worker.child.channel import Channel

PROGRESS_SECONDS_MIN = 0.1


class ShotRunner:
    """Performs operations on one shot."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._shot: Any = None
        self._segments: Any = None
        self._told: tuple[float, str, int | None] = (0.0, "", None)

    def perform(self, message: dict[str, Any]) -> Any:
        """Raises what the stage raises."""
        match message["op"]:
            case "open":
                self._open(message["order"])
                return None
            case "probe":
                return {"duration_seconds": self._shot.probe().duration_seconds}
            case "perceive":
                self._shot.perceive()
                return None
            case "prepare":
                return len(self._prepared())
            case "render":
                self._prepared()
                self._shot.render_segment(message["segment"])
                return None
            case "finish":
                for segment in self._prepared():
                    self._shot.render_segment(segment.index)
                return self._shot.finish().media_info()
            case unknown:
                raise ValueError(f"unknown operation {unknown}")

    def _prepared(self) -> Any:
        """The segments. A fresh child over an old workspace passes through the stages that are done, once."""
        if self._segments is None:
            self._shot.perceive()
            self._segments = self._shot.prepare()
        return self._segments

    def _open(self, order: dict[str, Any]) -> None:
        from bodydouble.media import MediaLimits  # the heavy imports, after the heartbeat has begun
        from bodydouble.perception import PersonChoice, locate_pack
        from bodydouble.perception.options import PerceptionOptions
        from bodydouble.shot import Shot, ShotRequest

        point = order["point"]
        request = ShotRequest(
            image=Path(order["image"]),
            video=Path(order["video"]),
            short_side=order["short_side"],
            person=PersonChoice(point=(point[0], point[1]) if point else None, rank=order["rank"]),
            renderer=order["renderer"],
            mode=order["mode"],
            options=order["options"],
            keep_audio=order["keep_audio"],
            limits=MediaLimits(**order["limits"]),
            renderer_settings=order["renderer_settings"],
            perception=PerceptionOptions(**order["perception"]),
        )
        pack = locate_pack(Path(order["models"]) if order["models"] else None)
        runner = Path(order["runner"]) if order["runner"] else None
        self._shot = Shot.create(Path(order["workspace"]), request, pack, self._tell, runner=runner)

    def _tell(self, progress: Any) -> None:
        """Pass progress on, at most ten times a second within one segment."""
        last, stage, segment = self._told
        now = time.monotonic()
        if now - last < PROGRESS_SECONDS_MIN and (stage, segment) == (progress.stage, progress.segment):
            return
        self._told = (now, progress.stage, progress.segment)
        self._channel.send(
            {
                "progress": {
                    "fraction": progress.fraction,
                    "stage": progress.stage,
                    "segment": progress.segment,
                    "segments": progress.segments,
                }
            }
        )

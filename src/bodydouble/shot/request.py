"""What is asked of a shot, and what came of it; both live in the workspace as JSON."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodydouble.media import MediaLimits
from bodydouble.perception import PersonChoice
from bodydouble.perception.options import PerceptionOptions
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.tasks.stages import Stage


@dataclass(frozen=True, kw_only=True)
class ShotRequest:
    """One replacement: the character of ``image`` for a person of ``video``."""

    image: Path
    video: Path
    short_side: int = 720  # pixels; a smaller source is not enlarged
    person: PersonChoice = field(default_factory=PersonChoice)
    renderer: str = "auto"
    mode: str = "replace"  # or animate: the character moves in its own picture
    hands: str = "keep"
    seed: int = 0
    prompt: str = ""  # this and the next three: renderer wan
    steps: int = 20
    guidance: float = 1.0
    shift: float = 5.0
    keep_audio: bool = True
    limits: MediaLimits = field(default_factory=MediaLimits)
    wan: WanOptions = field(default_factory=WanOptions)  # what the operator chose, as in the next one
    perception: PerceptionOptions = field(default_factory=PerceptionOptions)  # for renderer wan

    def to_json(self) -> str:
        """As text; ``from_json`` brings it back."""
        return json.dumps(dataclasses.asdict(self), default=str, sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "ShotRequest":
        """The request that ``to_json`` wrote."""
        data = json.loads(text)
        person = data.pop("person")
        point = person["point"]
        return cls(
            **data
            | {
                "image": Path(data["image"]),
                "video": Path(data["video"]),
                "person": PersonChoice(point=tuple(point) if point else None, rank=person["rank"]),
                "limits": MediaLimits(**data["limits"]),
                "wan": WanOptions(**data["wan"]),
                "perception": PerceptionOptions(**data["perception"]),
            }
        )


@dataclass(frozen=True, kw_only=True)
class ShotProgress:
    """How far a shot is. ``fraction`` (0-1) only grows; ``segment`` counts from 0 within the stage."""

    stage: Stage
    fraction: float
    segment: int | None = None
    segments: int | None = None


@dataclass(frozen=True, kw_only=True)
class ShotResult:
    """A finished shot."""

    path: Path
    renderer: str
    width: int
    height: int
    frame_rate: float
    frames: int
    duration_seconds: float
    audio: bool
    warnings: list[dict[str, str]]

    def media_info(self) -> dict[str, Any]:
        """As it stands in a task's result."""
        return {
            "renderer": self.renderer,
            "width": self.width,
            "height": self.height,
            "fps": round(self.frame_rate, 3),
            "frames": self.frames,
            "duration_s": round(self.duration_seconds, 3),
            "audio": self.audio,
            "warnings": self.warnings,
        }

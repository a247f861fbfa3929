"""Request, progress and result of a shot. Request and result are stored in the workspace as JSON."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodydouble.media import MediaLimits, Quality
from bodydouble.perception import PersonChoice
from bodydouble.perception.options import PerceptionOptions
from bodydouble.renderers.registry import SettingsByRenderer
from bodydouble.renderers.shot_inputs import NO_LABEL, SOURCE_RANGE
from bodydouble.tasks.stages import Stage


@dataclass(frozen=True, kw_only=True)
class ShotRequest:
    """One replacement: the character in ``image`` replaces a person in ``video``."""

    image: Path
    video: Path
    short_side: int = 720  # pixels at most; a smaller source is not enlarged
    person: PersonChoice = field(default_factory=PersonChoice)
    renderer: str = "auto"
    mode: str = "replace"  # or "animate": the character moves in its own picture
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])  # for all renderers; each reads its own
    keep_audio: bool = True
    quality: Quality = Quality.STANDARD
    dynamic_range: str = SOURCE_RANGE  # or SDR
    label: str = NO_LABEL  # visible; of ``shot_inputs``
    label_producer: str = ""  # names the maker in the metadata of China's label
    limits: MediaLimits = field(default_factory=MediaLimits)
    renderer_settings: SettingsByRenderer = field(default_factory=dict[str, Any])  # set by the operator
    perception: PerceptionOptions = field(default_factory=PerceptionOptions)

    @property
    def files(self) -> dict[str, Path]:
        """The input files by field name."""
        return {"image": self.image, "video": self.video}

    def to_json(self) -> str:
        """The request as JSON text for ``from_json``."""
        return json.dumps(dataclasses.asdict(self), default=str, sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "ShotRequest":
        """The request from the text of ``to_json``."""
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
                "quality": Quality(data["quality"]),
                "perception": PerceptionOptions(**data["perception"]),
            }
        )


@dataclass(frozen=True, kw_only=True)
class ShotProgress:
    """Progress of a shot. ``fraction`` (0-1) never decreases; ``segment`` counts from 0 within the stage."""

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
    provenance: Mapping[str, Any] | None = None  # how it is signed; None: it is not

    def media_info(self) -> dict[str, Any]:
        """The ``media_info`` object of a task's result."""
        info: dict[str, Any] = {
            "renderer": self.renderer,
            "width": self.width,
            "height": self.height,
            "fps": round(self.frame_rate, 3),
            "frames": self.frames,
            "duration_s": round(self.duration_seconds, 3),
            "audio": self.audio,
            "warnings": self.warnings,
        }
        if self.provenance:
            info["provenance"] = dict(self.provenance)
        return info

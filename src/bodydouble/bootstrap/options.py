"""What an installation chose for its media and its GPU renderer."""

import dataclasses
from pathlib import Path
from typing import Any

from bodydouble.media.limits import MediaLimits
from bodydouble.perception.options import PerceptionOptions
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.settings import Settings
from bodydouble.tasks.errors import InputRejected


def media_limits(settings: Settings) -> MediaLimits:
    """What pictures and videos this installation takes."""
    return MediaLimits(
        image_bytes_max=settings.image_bytes_max,
        image_side_min=settings.image_side_min,
        image_side_max=settings.image_side_max,
        video_bytes_max=settings.video_bytes_max,
        video_seconds_min=settings.video_seconds_min,
        video_seconds_max=settings.video_seconds_max,
        video_side_min=settings.video_side_min,
        video_side_max=settings.video_side_max,
    )


def wan_options(settings: Settings) -> WanOptions:
    """What this installation chose about the GPU renderer. Raises InputRejected."""
    names = {f"wan_{field.name}": field.name for field in dataclasses.fields(WanOptions)}
    chosen: dict[str, Any] = {names[name]: value for name, value in settings if name in names}
    paths: dict[str, Any] = {name: str(value.resolve()) for name, value in chosen.items() if isinstance(value, Path)}
    try:
        return WanOptions(**chosen | paths)
    except ValueError as error:
        raise InputRejected(str(error), field="wan") from None


def perception_options(settings: Settings) -> PerceptionOptions:
    """What this installation chose to find and follow people with; folders with their whole paths."""
    chosen = {f.name: getattr(settings, f"perception_{f.name}") for f in dataclasses.fields(PerceptionOptions)}
    folders = {name: str(Path(value).resolve()) for name, value in chosen.items() if Path(value).is_dir()}
    return PerceptionOptions(**chosen | folders)

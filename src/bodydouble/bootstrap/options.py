"""The options of an installation for its media and its renderers."""

import dataclasses
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bodydouble.media.limits import MediaLimits
from bodydouble.perception.options import PerceptionOptions
from bodydouble.renderers.plugin import RendererPlugin
from bodydouble.renderers.registry import installed_plugins
from bodydouble.renderers.wan.plugin import PLUGIN as WAN
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.settings import Settings
from bodydouble.tasks.errors import InputRejected


def media_limits(settings: Settings) -> MediaLimits:
    """The pictures and videos that this installation accepts."""
    return MediaLimits(
        image_bytes_max=settings.image_bytes_max,
        image_side_min=settings.image_side_min,
        image_side_max=settings.image_side_max,
        image_pixels_max=settings.image_pixels_max,
        video_bytes_max=settings.video_bytes_max,
        video_seconds_min=settings.video_seconds_min,
        video_seconds_max=settings.video_seconds_max,
        video_side_min=settings.video_side_min,
        video_side_max=settings.video_side_max,
    )


def renderer_settings(settings: Settings) -> dict[str, dict[str, Any]]:
    """Renderer → what this installation chose about it, by field name: our ``wan_profile`` is wan's ``profile``.

    Raises:
        InputRejected: a renderer refuses a value, or there is no such setting; the message names it.
    """
    if unknown := settings.renderers.keys() - {plugin.name for plugin in installed_plugins()}:
        raise InputRejected(
            f"setting renderers: no renderer called {min(unknown)} is installed; remove it, or install its package",
            field="renderers",
        )
    return {plugin.name: dataclasses.asdict(_settings_of(plugin, settings)) for plugin in installed_plugins()}


def wan_settings(settings: Settings) -> WanSettings:
    """The settings of the GPU renderer. Raises InputRejected."""
    return _settings_of(WAN, settings)


def _settings_of(plugin: RendererPlugin, settings: Settings) -> Any:
    names = {f"{plugin.name}_{field.name}": field.name for field in dataclasses.fields(plugin.settings)}
    chosen: dict[str, Any] = {names[name]: value for name, value in settings if name in names}
    paths: dict[str, Any] = {name: str(value.resolve()) for name, value in chosen.items() if isinstance(value, Path)}
    try:
        return plugin.read_settings(chosen | paths | _settings_in_table(plugin, settings, set(chosen)))
    except ValueError as error:
        raise InputRejected(str(error), field=plugin.name) from None


def _settings_in_table(plugin: RendererPlugin, settings: Settings, own: set[str]) -> dict[str, Any]:
    """The values of ``plugin`` in the setting ``renderers``, converted to their types.

    ``own`` are its fields that are settings of their own. Raises InputRejected.
    """
    values = settings.renderers.get(plugin.name, {})
    types = {field.name: field.type for field in dataclasses.fields(plugin.settings)}
    for name in values:
        if name in own:
            raise InputRejected(
                f"setting renderers: {plugin.name}.{name} has a setting of its own, {plugin.name}_{name}",
                field="renderers",
            )
        if name not in types:
            known = ", ".join(types) or "none"
            raise InputRejected(
                f"setting renderers: {plugin.name} has no setting {name}; it has: {known}", field="renderers"
            )
    try:
        checked = TypeAdapter(plugin.settings).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        if own_error := first.get("ctx", {}).get("error"):  # the dataclass's own message
            raise InputRejected(str(own_error), field="renderers") from None
        name = ".".join([plugin.name, *map(str, first["loc"])])
        raise InputRejected(
            f"setting renderers: {name}: {first['input']!r} is not valid: {first['msg']}", field="renderers"
        ) from None
    return {name: getattr(checked, name) for name in values}


def perception_options(settings: Settings) -> PerceptionOptions:
    """The networks with which this installation finds and follows people. Paths of folders are absolute."""
    chosen = {f.name: getattr(settings, f"perception_{f.name}") for f in dataclasses.fields(PerceptionOptions)}
    folders = {name: str(Path(value).resolve()) for name, value in chosen.items() if Path(value).is_dir()}
    return PerceptionOptions(**chosen | folders)

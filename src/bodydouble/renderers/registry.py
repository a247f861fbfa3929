"""The installed renderers, and which of them run on this machine."""

import importlib.metadata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from bodydouble.renderers.options import OptionSpec
from bodydouble.renderers.plugin import RendererPlugin
from bodydouble.tasks.errors import RendererUnavailable

GROUP = "bodydouble.renderers"
"""The entry-point group in which distributions register renderers."""
AUTO = "auto"
"""The name that callers give for the best renderer that runs."""

SettingsByRenderer = Mapping[str, Mapping[str, Any]]
"""Renderer → what the operator chose about it, by field name, as JSON values."""


@cache
def installed_plugins() -> tuple[RendererPlugin, ...]:
    """The description of every renderer that an installed distribution registers, best first.

    Raises:
        RuntimeError: none is registered, a description cannot be loaded, or two have one name. The message names the
            entry point and what to do.
    """
    plugins: dict[str, RendererPlugin] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        source = f"entry point {entry.name} = {entry.value}"
        try:
            plugin = entry.load()
        except Exception as error:
            raise RuntimeError(f"{source} cannot be loaded: {error}. Repair or uninstall its package.") from error
        if not isinstance(plugin, RendererPlugin):
            raise RuntimeError(f"{source} is no RendererPlugin. Repair or uninstall its package.")
        if plugin.name == AUTO or plugin.name in plugins:
            raise RuntimeError(f"{source}: the renderer name {plugin.name} is taken. Uninstall one of the packages.")
        plugins[plugin.name] = plugin
    if not plugins:
        raise RuntimeError("No renderer is registered: install bodydouble again (in a checkout: make setup).")
    return tuple(sorted(plugins.values(), key=lambda plugin: (-plugin.priority, plugin.name)))


class Renderers:
    """The installed renderers under one operator's settings."""

    def __init__(
        self,
        settings: SettingsByRenderer | None = None,
        *,
        plugins: Sequence[RendererPlugin] | None = None,
        elsewhere: Collection[str] = (),
    ) -> None:
        """``plugins``: others than the installed ones. ``elsewhere``: renderers that run on other machines' workers."""
        self._settings = settings or {}
        self.plugins = tuple(installed_plugins() if plugins is None else plugins)
        self._elsewhere = frozenset(elsewhere)

    def plugin(self, name: str) -> RendererPlugin:
        """The description of ``name``. Raises RendererUnavailable: there is no such renderer."""
        for plugin in self.plugins:
            if plugin.name == name:
                return plugin
        known = ", ".join([AUTO, *(plugin.name for plugin in self.plugins)])
        raise RendererUnavailable(f"renderer: there is no renderer called {name}; there are: {known}", field="renderer")

    def names(self, mode: str) -> list[str]:
        """Renderers that can make ``mode``, best first, whether they run here or not."""
        return [plugin.name for plugin in self.plugins if mode in plugin.modes]

    def settings_of(self, plugin: RendererPlugin) -> Any:
        """The operator's settings of ``plugin``. Raises ValueError."""
        return plugin.read_settings(self._settings.get(plugin.name, {}))

    def obstacle(self, plugin: RendererPlugin) -> str | None:
        """Why ``plugin`` does not run, and what to do about it; None where it runs."""
        return None if plugin.name in self._elsewhere else plugin.obstacle(self.settings_of(plugin))

    def available(self, mode: str) -> list[str]:
        """Renderers that can make ``mode`` and run, best first."""
        return [name for name in self.names(mode) if self.obstacle(self.plugin(name)) is None]

    def resolve(self, name: str, mode: str) -> RendererPlugin:
        """The renderer that ``name`` means for ``mode``: ``auto`` is the best one that runs.

        Raises:
            RendererUnavailable: there is no such renderer, it cannot make ``mode`` or does not run here, and why.
        """
        among = self.names(mode)
        if name == AUTO:
            name = next(iter(self.available(mode)), among[0] if among else name)
        plugin = self.plugin(name)
        if name not in among:
            raise RendererUnavailable(
                f"renderer: {name} cannot make this; it takes {' or '.join(among)}.", field="renderer"
            )
        obstacle = self.obstacle(plugin)
        if obstacle:
            others = [other for other in self.available(mode) if other != name]
            instead = f" Or use renderer {' or '.join([*others, AUTO])}." if others else ""
            raise RendererUnavailable(
                f"renderer: {name} does not run here. {obstacle.rstrip('.')}.{instead}",
                client_message=f"renderer: {name} does not run on this installation.{instead}",
                field="renderer",
            )
        return plugin

    def runner_gpus(self) -> list[str]:
        """UUIDs of the GPUs on which model runners can work; empty where they work on the CPU."""
        found = [gpu for plugin, runner in self._runners() for gpu in runner.gpus(self.settings_of(plugin))]
        return list(dict.fromkeys(found))

    def gpus_per_task(self) -> int:
        """GPUs that one model runner takes."""
        return max((runner.gpus_per_task(self.settings_of(plugin)) for plugin, runner in self._runners()), default=1)

    def _runners(self) -> list[tuple[RendererPlugin, Any]]:
        return [(plugin, plugin.model_runner) for plugin in self.plugins if plugin.model_runner is not None]


def offered_options(plugins: Sequence[RendererPlugin], mode: str) -> list[OptionSpec]:
    """The options of all renderers that can make ``mode``, each name once, as its best renderer declares it.

    ``renderers`` of each names the renderers that declare it.

    Raises:
        RuntimeError: two renderers declare one name with different types or limits.
    """
    found: dict[str, tuple[OptionSpec, list[str]]] = {}
    for plugin in plugins:
        for spec in plugin.option_specs if mode in plugin.modes else ():
            known, owners = found.setdefault(spec.name, (spec, []))
            if _shape(known) != _shape(spec):
                raise RuntimeError(f"renderers {owners[0]} and {plugin.name} declare {spec.name} differently")
            owners.append(plugin.name)
    return [replace(spec, renderers=tuple(owners)) for spec, owners in found.values()]


def _shape(spec: OptionSpec) -> OptionSpec:
    return replace(spec, label="", help="")


def options_from_api(inputs: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """The renderers' options in a task's validated input, by field name."""
    specs = offered_options(installed_plugins(), mode)
    return {spec.name: inputs[spec.api_name] for spec in specs if spec.api_name in inputs}

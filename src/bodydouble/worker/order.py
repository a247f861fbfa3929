"""What a worker may choose, and what it tells its child to make. Plain values: they cross a process border as JSON."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodydouble.renderers.registry import AUTO, Renderers, SettingsByRenderer, options_from_wire
from bodydouble.tasks.catalogue import CATALOGUE, RESOLUTIONS, ModelSpec, find_model
from bodydouble.tasks.errors import RendererUnavailable
from bodydouble.tasks.task import Task
from bodydouble.worker.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """How one worker works."""

    folder: Path  # one sub-folder a task, removed once the task is settled; of a second worker, the one beside it
    models: Path | None = None  # a prepared model pack; None: the user's cache
    child: tuple[str, ...] = (sys.executable, "-m", "bodydouble.worker.child")
    runner: tuple[str, ...] = (sys.executable, "-m", "bodydouble.worker.model_runner")
    runner_idle_seconds: float = 900.0  # a model runner's networks stay loaded for so long without a task
    attempts_max: int = 3  # of one step, when the child dies, and of a task, when its worker does
    limits: dict[str, Any] = field(default_factory=dict[str, Any])  # fields of ``media.MediaLimits``
    renderers: SettingsByRenderer = field(default_factory=dict[str, Any])  # what the operator chose about each
    perception: dict[str, Any] = field(default_factory=dict[str, Any])  # fields of ``PerceptionOptions``
    catalogue: Mapping[str, ModelSpec] = field(default_factory=lambda: CATALOGUE)  # with the installation's prices
    silence_seconds_max: float = 60.0  # without a heartbeat the child is frozen
    stall_seconds_max: float = 900.0  # beating, but without progress or answer
    tasks_max: int = 1  # at once
    heartbeat_seconds: float = 5.0
    takeover_seconds: float = 30.0  # a worker silent for so long has its tasks taken over
    free_bytes_min: int = 0  # of the folder's disk, left alone
    checkpoints: bool = False  # keep finished artefacts in the file store, for workers on other machines


def shot_order(task: Task, workspace: Workspace, options: WorkerOptions, runner: Path | None) -> dict[str, Any]:
    """The child's order for ``task``: what ``worker.child`` needs to open the shot.

    ``runner`` is the address of the process with the renderer's networks, where the task needs one.
    """
    person = task.inputs.get("person", 0)
    mode = find_model(task.model, options.catalogue).mode
    return {
        "workspace": str(workspace.path),
        "models": str(options.models) if options.models else None,
        "image": str(workspace.image),
        "video": str(workspace.video),
        "short_side": RESOLUTIONS[str(task.inputs["resolution"])],
        "point": list(person) if isinstance(person, list | tuple) else None,
        "rank": person if isinstance(person, int) else 0,
        "renderer": task.inputs.get("renderer", AUTO),
        "mode": mode,
        "options": options_from_wire(task.inputs, mode),
        "runner": str(runner) if runner else None,
        "keep_audio": task.inputs.get("keep_audio", True),
        "limits": options.limits,
        "renderer_settings": options.renderers,
        "perception": options.perception,
    }


def runner_options(task: Task, options: WorkerOptions) -> Mapping[str, Any] | None:
    """What a model runner for ``task`` loads, as its renderer says.

    None where the task's renderer needs no runner, or where this machine cannot run it: the child says why.
    """
    mode, renderers = find_model(task.model, options.catalogue).mode, Renderers(options.renderers)
    try:
        plugin = renderers.resolve(str(task.inputs.get("renderer", AUTO)), mode)
    except RendererUnavailable:
        return None
    return plugin.model_runner.load(renderers.settings_of(plugin), mode) if plugin.model_runner else None


def runner_gpus(options: WorkerOptions) -> list[str]:
    """UUIDs of this machine's GPUs that model runners can use; none where they compute on the CPU."""
    return Renderers(options.renderers).runner_gpus()

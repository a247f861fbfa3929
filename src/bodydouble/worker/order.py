"""A worker's options, and what follows from them and a task for the processes that make its video."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bodydouble.renderers.plugin import RendererPlugin
from bodydouble.renderers.registry import AUTO, Renderers, SettingsByRenderer, options_from_api
from bodydouble.renderers.shot_inputs import NO_LABEL, SOURCE_RANGE, STANDARD, combined_label
from bodydouble.tasks.catalogue import CATALOGUE, RESOLUTIONS, ModelSpec, find_model
from bodydouble.tasks.errors import RendererUnavailable
from bodydouble.tasks.task import Task
from bodydouble.worker.messages import ShotOrder
from bodydouble.worker.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """The settings of one worker."""

    folder: Path  # one workspace for each task; further workers of the data folder use sibling folders
    models: Path | None = None  # a prepared model pack; None: the user's cache
    child: tuple[str, ...] = (sys.executable, "-m", "bodydouble.worker.child")
    runner: tuple[str, ...] | None = None  # command of every model runner; None: the program of the task's renderer
    signing: Mapping[str, Any] | None = None  # of ``provenance.options.SigningOptions``; None: results are not signed
    label: str = NO_LABEL  # that every result has, besides those of its task and account
    label_producer: str = ""
    runner_idle_seconds: float = 900.0  # how long an unused model runner stays loaded
    attempts_max: int = 3  # of a request after crashes of the child, and of a task after crashes of its worker
    limits: dict[str, Any] = field(default_factory=dict[str, Any])  # fields of ``media.MediaLimits``
    renderers: SettingsByRenderer = field(default_factory=dict[str, Any])  # what the operator set for each renderer
    perception: dict[str, Any] = field(default_factory=dict[str, Any])  # fields of ``PerceptionOptions``
    catalogue: Mapping[str, ModelSpec] = field(default_factory=lambda: CATALOGUE)  # with this installation's prices
    silence_seconds_max: float = 60.0  # time without a heartbeat after which a child counts as frozen
    stall_seconds_max: float = 900.0  # time without progress after which a child counts as stalled
    tasks_max: int = 1  # at once
    fetches_max: int = 16  # tasks whose inputs are fetched at once, besides those that are rendered
    heartbeat_seconds: float = 5.0
    takeover_seconds: float = 30.0  # time without a heartbeat after which other workers take over
    free_bytes_min: int = 0  # space on the folder's disk that is kept for the database
    checkpoints: bool = False  # store finished artefacts in the file store, for workers on other machines


def shot_order(task: Task, workspace: Workspace, options: WorkerOptions, runner: Path | None) -> ShotOrder:
    """The shot that a child makes for ``task``; ``runner`` is the socket of the model runner, if it needs one."""
    person = task.inputs.get("person", 0)
    point = cast("list[float]", person) if isinstance(person, list | tuple) else None
    mode = find_model(task.model, options.catalogue).mode
    return ShotOrder(
        workspace=workspace.path,
        image=workspace.image,
        video=workspace.video,
        models=options.models,
        runner=runner,
        short_side=RESOLUTIONS[str(task.inputs["resolution"])],
        point=(point[0], point[1]) if point else None,
        rank=person if isinstance(person, int) else 0,
        renderer=str(task.inputs.get("renderer", AUTO)),
        mode=mode,
        options=options_from_api(task.inputs, mode),
        keep_audio=bool(task.inputs.get("keep_audio", True)),
        quality=str(task.inputs.get("quality", STANDARD)),
        dynamic_range=str(task.inputs.get("dynamic_range", SOURCE_RANGE)),
        limits=options.limits,
        renderer_settings=options.renderers,
        perception=options.perception,
        task_id=str(task.id),
        label=combined_label(str(task.inputs.get("label", NO_LABEL)), task.account_label, options.label),
        label_producer=options.label_producer,
        signing=options.signing,
    )


@dataclass(frozen=True, kw_only=True)
class RunnerOrder:
    """A model runner: the module that it runs, and what it loads, as JSON values."""

    program: str
    loaded: Mapping[str, Any]


def runner_order(task: Task, options: WorkerOptions) -> RunnerOrder | None:
    """The model runner that ``task`` needs.

    None if the task's renderer needs no runner, or cannot run on this machine: the child then reports why.
    """
    mode, renderers = find_model(task.model, options.catalogue).mode, Renderers(options.renderers)
    try:
        plugin = renderers.resolve(str(task.inputs.get("renderer", AUTO)), mode)
    except RendererUnavailable:
        return None
    return order_of(plugin, renderers.settings_of(plugin), mode)


def order_of(plugin: RendererPlugin, settings: Any, mode: str) -> RunnerOrder | None:
    """The model runner of a renderer under the operator's ``settings``; None if it needs none."""
    runner = plugin.model_runner
    return RunnerOrder(program=runner.program, loaded=runner.load(settings, mode)) if runner else None


def runner_gpus(options: WorkerOptions) -> list[str]:
    """UUIDs of this machine's GPUs that model runners can use; empty if they compute on the CPU."""
    return Renderers(options.renderers).runner_gpus()

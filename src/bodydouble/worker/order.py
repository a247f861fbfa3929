"""What a worker may choose, and what it tells its child to make. Plain values: they cross a process border as JSON."""

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodydouble.renderers.registry import resolve_renderer
from bodydouble.renderers.wan.cards import find_cards
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.setup import usable_cards
from bodydouble.renderers.wan.weights import options_for
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
    runner_idle_seconds: float = 900.0  # the wan renderer's networks stay loaded for so long without a task
    attempts_max: int = 3  # of one step, when the child dies, and of a task, when its worker does
    limits: dict[str, Any] = field(default_factory=dict[str, Any])  # fields of ``media.MediaLimits``
    wan: dict[str, Any] = field(default_factory=dict[str, Any])  # fields of ``renderers.wan.options.WanOptions``
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

    ``runner`` is the address of the process with the wan renderer's networks, where the task needs one.
    """
    person = task.inputs.get("person", 0)
    return {
        "workspace": str(workspace.path),
        "models": str(options.models) if options.models else None,
        "image": str(workspace.image),
        "video": str(workspace.video),
        "short_side": RESOLUTIONS[str(task.inputs["resolution"])],
        "point": list(person) if isinstance(person, list | tuple) else None,
        "rank": person if isinstance(person, int) else 0,
        "renderer": task.inputs.get("renderer", "auto"),
        "mode": find_model(task.model, options.catalogue).mode,
        "runner": str(runner) if runner else None,
        "hands": task.inputs.get("hands", "keep"),
        "seed": task.inputs.get("seed", 0),
        "prompt": task.inputs.get("prompt", ""),
        "steps": task.inputs.get("num_inference_steps", 20),
        "guidance": task.inputs.get("guidance_scale", 1.0),
        "shift": task.inputs.get("shift", 5.0),
        "keep_audio": task.inputs.get("keep_audio", True),
        "limits": options.limits,
        "wan": options.wan,
        "perception": options.perception,
    }


def runner_options(task: Task, options: WorkerOptions) -> dict[str, Any] | None:
    """What a runner for ``task`` loads, fields of ``WanOptions``.

    None where the task is not for the wan renderer, or where this machine cannot run it: the child says why.
    """
    model, wan = find_model(task.model, options.catalogue), WanOptions(**options.wan)
    try:
        renderer = resolve_renderer(str(task.inputs.get("renderer", "auto")), wan, model.renderers)
    except RendererUnavailable:
        return None
    return dataclasses.asdict(options_for(wan, model.mode)) if renderer == "wan" else None


def drawing_cards(wan: Mapping[str, Any]) -> list[str]:
    """UUIDs of this machine's GPUs that can draw as ``wan`` (fields of ``WanOptions``) says; none where it says CPU."""
    options = WanOptions(**wan)
    return [card.uuid for card in usable_cards(options, find_cards())] if options.device == "cuda" else []

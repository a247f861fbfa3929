"""Quality reports of finished tasks, measured on request."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

from bodydouble.service.callers import Caller
from bodydouble.service.fair_slots import FairSlots
from bodydouble.service.identifiers import parse_task_id
from bodydouble.service.local_copies import Part, local_copy
from bodydouble.tasks.catalogue import find_model
from bodydouble.tasks.errors import InputRejected, NotFound
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.task import Task, TaskId, TaskStatus

KNOWN_MAX = 1_000
"""Reports in memory; the oldest is dropped first."""
SLOTS = 1
"""A report takes a core for about as long as the task took."""

Measure = Callable[[Path, Path, Path, str], Awaitable[Mapping[str, Any]]]
"""The fields of ``evaluation.Evaluation`` for a result, its driving video, its reference image, and the person."""


class QualityService:
    """Measures each task once. Accounts share the slots fairly."""

    def __init__(self, tasks: TaskStore, files: FileStore, measure: Measure, part: Part) -> None:
        self._tasks, self._files, self._measure, self._part = tasks, files, measure, part
        self._known: OrderedDict[TaskId, Mapping[str, Any]] = OrderedDict()
        self._slots = FairSlots(SLOTS)

    async def report(self, caller: Caller, task_id: str) -> Mapping[str, Any]:
        """Raises NotFound; InputRejected if the task has no result or its files are not here; MediaRejected."""
        task = await self._tasks.get_task(parse_task_id(task_id), caller.id)
        if task is None:
            raise NotFound("Task not found")
        keys = await self._keys(task)
        if task.id in self._known:
            return self._known[task.id]
        async with self._slots.slot(caller.id):
            if task.id not in self._known:
                async with AsyncExitStack() as stack:
                    paths = [await stack.enter_async_context(local_copy(self._files, key, self._part)) for key in keys]
                    result, video, image = paths
                    self._known[task.id] = await self._measure(result, video, image, _person(task))
                if len(self._known) > KNOWN_MAX:
                    self._known.popitem(last=False)
            return self._known[task.id]

    async def _keys(self, task: Task) -> list[str]:
        if task.status is not TaskStatus.SUCCESS or task.result is None or task.media_deleted_at is not None:
            raise InputRejected("task_id: this task has no result; a report needs one", field="task_id")
        if find_model(task.model).mode != "replace":
            raise InputRejected(
                "task_id: this model replaces nobody; a report compares a replaced person with the driving video",
                field="task_id",
            )
        keys = [task.result.media_keys[0]]
        for field in ("video_urls", "img_urls"):
            key = await self._files.own_key(str(task.inputs[field][0]), task.account)
            if key is None or await self._files.stat(key) is None:
                raise InputRejected(
                    f"{field}: a report needs the inputs, and this file is not stored here", field=field
                )
            keys.append(key)
        return keys


def _person(task: Task) -> str:
    chosen = task.inputs.get("person", 0)
    return ",".join(map(str, cast("list[float]", chosen))) if isinstance(chosen, list) else str(chosen)

"""The use cases of tasks."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TypedDict

from bodydouble.service.callers import Caller, KeyUse, RecentKeys, admit, hash_secret
from bodydouble.service.document import to_json
from bodydouble.service.identifiers import decode_cursor, encode_cursor, make_uuid7, parse_task_id
from bodydouble.service.inline_files import InlineFiles
from bodydouble.service.inputs import FILE_FIELDS, Submission, require_consent
from bodydouble.service.json_input import reject_nul
from bodydouble.service.pricing import MediaCheck, Price, Pricing
from bodydouble.service.repeats import UNNAMED, former_name
from bodydouble.service.views import TaskView, show_task
from bodydouble.service.waiting import WaitingLine
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.catalogue import CATALOGUE, ModelSpec, find_model
from bodydouble.tasks.data_url import DATA_URL_BYTES_MAX
from bodydouble.tasks.errors import FeatureDisabled, InvalidParams, Maintenance, NotFound, StorageUnavailable
from bodydouble.tasks.files import FileStore, SignedUpload, fetched_inputs_prefix
from bodydouble.tasks.operation import MAINTENANCE, UPLOADS, SwitchedOff, renderer_feature
from bodydouble.tasks.operation_ports import SwitchStore
from bodydouble.tasks.ports import AccountStore, TaskChanges, TaskStore
from bodydouble.tasks.task import (
    CANCELLED,
    TERMINAL,
    Created,
    CreateLimits,
    NewTask,
    StageTime,
    Task,
    TaskFilter,
    TaskId,
    TaskSource,
    TaskStatus,
    preview_video_keys,
)

CREDITS_NEVER = Decimal(10) ** 14
"""A price above every balance: the column has 14 digits before the point."""

TITLE_CHARACTERS_MAX = 100

PAGE_BYTES_MAX = 1_000_000
"""Limit of the JSON in one page of tasks. A request has up to 128 kB."""

RendererCheck = Callable[[str, str], str]
"""Resolves a renderer's name for a mode on this installation; raises RendererUnavailable."""

AddressCheck = Callable[[str], str | None]
"""The reason why an address will be refused, judged by its text alone; None if the text shows none."""


@dataclass(frozen=True, kw_only=True)
class MediaInputs:
    """Addresses of a task's inputs; None for a file that is elsewhere or was deleted."""

    image_url: str | None
    video_url: str | None


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """A page of tasks, newest first, and the cursor of the next page (None: last page)."""

    views: Sequence[TaskView]
    next_cursor: str | None


class Origin(TypedDict):
    """Where a request for a task comes from: fields of ``NewTask``."""

    source: TaskSource
    key_hash: bytes | None
    account: AccountId | None
    idempotency_key: str | None
    body_hash: bytes | None
    traceparent: str | None
    fetches_inputs: bool


class TaskService:
    """Creating, reading and ending tasks."""

    def __init__(
        self,
        tasks: TaskStore,
        accounts: AccountStore,
        switches: SwitchStore,
        files: FileStore,
        media_check: MediaCheck,
        check_renderer: RendererCheck,
        check_address: AddressCheck,
        limits: CreateLimits,
        deadline_seconds: float,
        inline_bytes_max: int = DATA_URL_BYTES_MAX,
        consent_required: bool = False,
        catalogue: Mapping[str, ModelSpec] = CATALOGUE,
    ) -> None:
        self._tasks, self._accounts, self._switches, self._files = tasks, accounts, switches, files
        self._check_renderer, self._check_address = check_renderer, check_address
        self._limits, self._deadline_seconds = limits, deadline_seconds
        self._inline_files, self._catalogue = InlineFiles(files, inline_bytes_max), catalogue
        self.pricing = Pricing(files, self._inline_files, media_check, catalogue)
        self._line, self._consent_required = WaitingLine(tasks), consent_required
        self.key_use, self._recent_keys = KeyUse(), RecentKeys()

    def was_valid(self, secret: str | None) -> bool:
        """Whether this process found this key valid a short while ago."""
        return bool(secret) and hash_secret(secret) in self._recent_keys

    def _note_valid(self, key_hash: bytes) -> None:
        self.key_use.note(key_hash)
        self._recent_keys.note(key_hash)

    async def authenticate(self, secret: str | None) -> Caller:
        """The caller with this key. Raises Unauthenticated, KeyDisabled."""
        key_hash = hash_secret(secret)
        caller = admit(await self._accounts.account_for_key(key_hash))
        self._note_valid(key_hash)
        return caller

    async def submit(
        self,
        who: Caller | str | None,
        submission: Submission,
        *,
        source: TaskSource = TaskSource.API,
        idempotency_key: str | None = None,
        body_hash: bytes | None = None,
        traceparent: str | None = None,
    ) -> Created:
        """Store and enqueue a task and reserve its credits.

        ``who`` is the caller, or the API key of a caller that is not authenticated yet. With a key and without files
        of ours among the inputs, this takes one round trip to the database, which checks the key too.

        Raises:
            What ``TaskStore.create_task`` and ``Pricing.price`` raise; RendererUnavailable; InvalidParams for a
            callback_url that will be refused. Nothing was stored.
        """
        secret = None if isinstance(who, Caller) else who
        known = who if isinstance(who, Caller) else None
        key_hash = None if known else hash_secret(secret)
        callback_url = submission.callback_url or submission.event_url
        obstacle = self._check_address(callback_url) if callback_url else None
        files_here = await self.pricing.count_files_here(submission)
        former = former_name(idempotency_key) if idempotency_key else None
        if former is not None:
            known = known or await self.authenticate(secret)
            if await self._tasks.has_request(known.id, former):
                idempotency_key = former
        if known is None and (obstacle or files_here):  # a caller without a valid key gets no other answer
            known = await self.authenticate(secret)
        origin = Origin(
            source=source,
            key_hash=key_hash,
            account=known.id if known and key_hash is None else None,
            idempotency_key=idempotency_key,
            body_hash=body_hash,
            traceparent=traceparent,
            fetches_inputs=files_here < len(FILE_FIELDS),
        )
        if known and idempotency_key and await self._tasks.has_request(known.id, idempotency_key):
            created = await self._replay(submission, origin)
        elif obstacle:
            raise InvalidParams([f"callback_url: {obstacle}"])
        elif known and files_here:
            created = await self._create_from_files(known, submission, origin)
        else:
            if known:
                known.require_write()
            created = await self._create(submission, self.pricing.estimate(submission), origin)
        if key_hash is not None:
            self._note_valid(key_hash)
        return created

    async def _replay(self, submission: Submission, origin: Origin) -> Created:
        """The task that this request created before. Files and price are not looked at: the uploads may have expired.

        The price is beyond every balance. So nothing is created if the task is deleted at this moment.
        """
        new = NewTask(
            id=TaskId(make_uuid7()),
            model=submission.model,
            param={},
            inputs={},
            reserve=CREDITS_NEVER,
            callback_url=None,
            **origin,
        )
        return await self._tasks.create_task(new, self._limits)

    async def _create_from_files(self, caller: Caller, submission: Submission, origin: Origin) -> Created:
        """A task whose files are here. Files within the request are stored first, and deleted if no task uses them."""
        caller.require_write()
        stored = await self._inline_files.store(submission, caller.id)
        created: Created | None = None
        try:
            created = await self._create(
                stored.submission, await self.pricing.price(stored.submission, caller.id), origin
            )
            return created
        finally:
            if created is None or created.replayed:
                await self._inline_files.discard(stored)

    async def _create(self, submission: Submission, price: Price, origin: Origin) -> Created:
        if self._consent_required:
            require_consent(submission)
        mode = self.model(submission.model).mode
        renderer = self._check_renderer(str(submission.inputs["renderer"]), mode)
        new = NewTask(
            id=TaskId(make_uuid7()),
            model=submission.model,
            param=submission.param,
            inputs=submission.inputs,
            reserve=price.credits,
            callback_url=submission.callback_url,
            features=(submission.model, renderer_feature(renderer)),
            deadline_seconds=self._deadline_seconds,
            **origin,
        )
        return await self._tasks.create_task(new, self._limits)

    async def read(self, caller: Caller, task_id: str) -> TaskView:
        """A task of the caller. Raises NotFound."""
        task = await self._tasks.get_task(parse_task_id(task_id), caller.id)
        if task is None:
            raise NotFound("Task not found")
        return await self.view(task)

    async def read_with_key(self, secret: str | None, task_id: str) -> tuple[Caller, TaskView]:
        """``authenticate`` and ``read`` in one round trip to the database, with the timeline."""
        key_hash = hash_secret(secret)
        try:
            known = parse_task_id(task_id)
        except NotFound:
            await self.authenticate(secret)
            raise
        found = await self._tasks.read_task(key_hash, known)
        caller = admit((found.account, found.key) if found else None)
        self._note_valid(key_hash)
        if found is None or found.task is None:
            raise NotFound("Task not found")
        return caller, await self.view(found.task, found.stages)

    async def note_received(self, task: Task) -> None:
        """Record that the task's client has the response to its request, so that the next one creates another task."""
        key = task.idempotency_key
        if key is not None and key.startswith(UNNAMED):
            with suppress(StorageUnavailable):  # the next read tries again
                await self._tasks.forget_request(task.id, key)

    async def view(self, task: Task, stages: Sequence[StageTime] | None = None) -> TaskView:
        """The task with its place in the queue and the addresses of its media."""
        place = await self._line.place(task.id) if task.status is TaskStatus.PENDING else None
        return await show_task(self._files, task, place, stages)

    async def timeline(self, caller: Caller, task_id: str) -> Sequence[StageTime]:
        """The stages of a task so far, oldest first. Raises NotFound."""
        return await self._tasks.stage_times((await self.read(caller, task_id)).task.id)

    async def media_inputs(self, task: Task) -> MediaInputs:
        """Addresses of the task's inputs, if they were uploaded here and still exist."""

        async def address(field: str) -> str | None:
            for url in task.inputs.get(field) or ():
                key = await self._files.own_key(str(url), task.account)
                if key and await self._files.stat(key):
                    return await self._files.sign_download(key)
            return None

        return MediaInputs(image_url=await address("img_urls"), video_url=await address("video_urls"))

    async def rename(self, caller: Caller, task_id: str, title: str) -> None:
        """Name a task. Raises NotFound, ScopeInsufficient, InvalidParams."""
        caller.require_write()
        title = " ".join(title.split())
        if len(title) > TITLE_CHARACTERS_MAX:
            raise InvalidParams([f"title: must have at most {TITLE_CHARACTERS_MAX} characters"])
        reject_nul((title,))
        if not await self._tasks.set_title(parse_task_id(task_id), caller.id, title):
            raise NotFound("Task not found")

    async def list(self, wanted: TaskFilter, cursor: str | None) -> TaskPage:
        """One page of at most ``PAGE_BYTES_MAX``, but at least one task; ``next_cursor`` leads to the next.

        Raises InvalidParams for an invalid cursor.
        """
        before = decode_cursor(cursor) if cursor else wanted.before
        found = await self._tasks.list_tasks(dataclasses.replace(wanted, before=before, limit=wanted.limit + 1))
        page = _first_bytes(found[: wanted.limit])
        more = len(found) > len(page)
        return TaskPage(
            views=[await show_task(self._files, task) for task in page],
            next_cursor=encode_cursor(page[-1].id) if more else None,
        )

    async def cancel(self, caller: Caller, task_id: str) -> bool:
        """Request a cancel; False if the task had ended. Raises NotFound, ScopeInsufficient."""
        caller.require_write()
        known = parse_task_id(task_id)
        asked = await self._tasks.request_cancel(known, caller.id)
        if asked is None and await self._tasks.get_task(known, caller.id) is None:
            raise NotFound("Task not found")
        if asked is TaskStatus.PENDING:
            # No worker has it, so it ends now. If a worker starts it at this moment, the settlement stands, and the
            # worker stops at its first progress.
            await self._tasks.settle(known, TaskStatus.FAILED, CANCELLED, None)
            with suppress(StorageUnavailable):  # the cleanup deletes them later
                await self._files.delete_prefix(fetched_inputs_prefix(caller.id, known))
        return asked is not None

    async def delete(self, caller: Caller, task_id: str) -> None:
        """Delete a task that has ended, with its media. Raises NotFound, StillRunning, ScopeInsufficient."""
        caller.require_write()
        known = parse_task_id(task_id)
        task = await self._tasks.get_task(known, caller.id)
        if task is not None and is_over(task):
            await self._files.delete(media_keys(task))  # before the row, so that a failed deletion can be repeated
        if await self._tasks.delete_task(known, caller.id) is None:
            raise NotFound("Task not found")

    def changes(self, task: TaskId) -> AbstractAsyncContextManager[TaskChanges]:
        """Watch a task."""
        return self._tasks.changes(task)

    async def sign_upload(
        self, caller: Caller, content_type: str, extension: str, size_bytes: int | None = None
    ) -> SignedUpload:
        """Addresses for the upload of a picture or a video; in pieces too if its size is known.

        Raises InputRejected, ScopeInsufficient, Maintenance, FeatureDisabled.
        """
        caller.require_write()
        off = await self.switched_off()
        if maintenance := off.get(MAINTENANCE):
            message = maintenance.message or "Under maintenance; uploads are not accepted"
            raise Maintenance(message, retry_seconds=maintenance.retry_seconds)
        if uploads := off.get(UPLOADS):
            raise FeatureDisabled(f"Switched off by the operator: {uploads.message or uploads.name}")
        return await self._files.sign_upload(content_type, extension, caller.id, size_bytes)

    async def switched_off(self) -> dict[str, SwitchedOff]:
        """Everything that is switched off, by name."""
        return {off.name: off for off in await self._switches.switched_off()}

    def model(self, name: str) -> ModelSpec:
        """One entry of the catalogue. Raises NotFound."""
        return find_model(name, self._catalogue)

    def models(self, modality: str | None = None, operation: str | None = None) -> Sequence[ModelSpec]:
        """The catalogue, filtered. ``modality`` is compared with that of a model and with its type, as crun.ai does."""
        return [
            m
            for m in self._catalogue.values()
            if (modality is None or modality in (m.modality, m.model_type))
            and (operation is None or operation in m.operations)
        ]


def _first_bytes(tasks: Sequence[Task]) -> Sequence[Task]:
    """The first tasks whose requests and results together have at most ``PAGE_BYTES_MAX`` of JSON; at least one."""
    size = 0
    for place, task in enumerate(tasks):
        size += len(to_json([task.param, task.result.media_info if task.result else None]))
        if place and size > PAGE_BYTES_MAX:
            return tasks[:place]
    return tasks


def media_keys(task: Task) -> list[str]:
    """Keys of the files of a task that has ended."""
    keys = list(task.result.media_keys) if task.result else []
    if task.preview_key:
        keys.append(task.preview_key)
    if task.preview_video_key:
        keys += preview_video_keys(task)
    return keys


def is_over(task: Task) -> bool:
    """Whether the task has ended."""
    return task.status in TERMINAL

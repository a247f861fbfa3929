"""The use cases. They speak to ports only."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bodydouble.service.identifiers import make_uuid7, parse_task_id
from bodydouble.service.inputs import Submission
from bodydouble.tasks.account import Account, hash_api_key, make_api_key
from bodydouble.tasks.catalogue import CATALOGUE, ESTIMATE_SECONDS, ModelSpec, find_model
from bodydouble.tasks.errors import InputRejected, KeyDisabled, NotFound, Unauthenticated
from bodydouble.tasks.ports import FileStore, SignedUpload, TaskStore
from bodydouble.tasks.task import AccountId, NewTask, ResultCode, Task, TaskId, TaskResult, TaskSource, TaskStatus

KEY_PREFIX_LENGTH = 9  # "ak_" and six digits: enough to tell keys apart, far from enough to guess one

CANCELLED = TaskResult(code=ResultCode.CANCELLED, message="Cancelled at the caller's request")

CheckUpload = Callable[[str, str], Awaitable[float]]
"""Looks at one of our own uploads, by key and field: seconds of a video, 0 of a picture. Raises MediaRejected."""

RendererCheck = Callable[[str], str]
"""Resolves a renderer's name on this installation; raises RendererUnavailable."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a task will cost; ``estimated`` where nobody has seen the video yet."""

    credits: Decimal
    estimated: bool


@dataclass(frozen=True, kw_only=True)
class TaskView:
    """A task with what its owner sees beside it."""

    task: Task
    queue_position: int | None
    media_urls: Sequence[str]


class Service:
    """What a client may do."""

    def __init__(
        self, store: TaskStore, files: FileStore, check_upload: CheckUpload, check_renderer: RendererCheck
    ) -> None:
        self.store, self.files = store, files
        self._check_upload, self._check_renderer = check_upload, check_renderer

    async def authenticate(self, secret: str | None) -> Account:
        """The account that a key belongs to. Raises Unauthenticated, KeyDisabled."""
        found = await self.store.account_for_key(hash_api_key(secret)) if secret else None
        if found is None:
            raise Unauthenticated("Missing or invalid API key")
        account, key = found
        if key.disabled:
            raise KeyDisabled("This API key is disabled")
        return account

    async def price(self, submission: Submission) -> Price:
        """Exact where the video is one of our uploads, else for ``ESTIMATE_SECONDS``.

        Raises:
            NotFound: no such model. InputRejected: an upload of ours that is not there or cannot be used; its
                ``fields`` has the model.
        """
        model = find_model(submission.model)
        try:
            await self._seconds_of(str(submission.inputs["img_urls"][0]), "img_urls[0]")
            seconds = await self._seconds_of(str(submission.inputs["video_urls"][0]), "video_urls[0]")
        except InputRejected as error:
            error.fields["model"] = model.name
            raise
        resolution = str(submission.inputs["resolution"])
        if seconds is None:
            return Price(credits=model.price(resolution, ESTIMATE_SECONDS), estimated=True)
        return Price(credits=model.price(resolution, seconds), estimated=False)

    async def _seconds_of(self, url: str, field: str) -> float | None:
        """Length of one of our own uploads, None for an address elsewhere."""
        key = await self.files.own_key(url)
        try:
            return await self._check_upload(key, field) if key else None
        except NotFound:
            raise InputRejected(f"{field}: nothing was uploaded to this address yet; PUT the file first.") from None

    async def submit(self, account: AccountId, submission: Submission) -> TaskId:
        """Store, reserve and enqueue a task.

        Raises:
            InsufficientCredits, RendererUnavailable, NotFound, MediaRejected: nothing was stored.
        """
        self._check_renderer(str(submission.inputs["renderer"]))
        task = NewTask(
            id=TaskId(make_uuid7()),
            account=account,
            model=submission.model,
            param=submission.param,
            inputs=submission.inputs,
            source=TaskSource.API,
            reserve=(await self.price(submission)).credits,
            callback_url=submission.callback_url,
        )
        await self.store.create_task(task)
        return task.id

    async def read(self, account: AccountId, task_id: str) -> TaskView:
        """Raises NotFound for an unknown or foreign task."""
        task = await self.store.get_task(parse_task_id(task_id), account)
        if task is None:
            raise NotFound("Task not found")
        position = await self.store.queue_position(task.id) if task.status is TaskStatus.PENDING else None
        urls = [await self.files.sign_download(key) for key in task.result.media_keys] if task.result else []
        return TaskView(task=task, queue_position=position, media_urls=urls)

    async def cancel(self, account: AccountId, task_id: str) -> bool:
        """Ask a task to stop; False where it was over. Raises NotFound."""
        known = parse_task_id(task_id)
        task = await self.store.get_task(known, account)
        if task is None:
            raise NotFound("Task not found")
        asked = await self.store.request_cancel(known, account)
        if asked and task.status is TaskStatus.PENDING:
            # Nobody works on it: it ends now. Should a worker have taken it this very moment, the settlement stands
            # and the worker stops at its first progress.
            await self.store.settle(known, TaskStatus.FAILED, CANCELLED)
        return asked

    async def balance(self, account: AccountId) -> Decimal:
        """Credits that are neither spent nor reserved."""
        return (await self.store.get_account(account)).balance

    async def sign_upload(self, account: AccountId, content_type: str, extension: str) -> SignedUpload:
        """A place to PUT a picture or a video. Raises InputRejected."""
        return await self.files.sign_upload(content_type, extension, account)

    def models(self, modality: str | None = None, operation: str | None = None) -> list[ModelSpec]:
        """The catalogue, filtered."""
        return [
            m
            for m in CATALOGUE.values()
            if (modality is None or m.modality == modality) and (operation is None or operation in m.operations)
        ]

    async def create_key(self, account_name: str, credits_granted: Decimal | None = None) -> str:
        """A new key of the account of this name, which is made where there is none. The secret is shown here only."""
        account = await self.store.ensure_account(account_name)
        if credits_granted:
            await self.store.grant(account.id, credits_granted, "granted with a new key")
        secret = make_api_key()
        await self.store.add_key(account.id, hash_api_key(secret), secret[:KEY_PREFIX_LENGTH])
        return secret

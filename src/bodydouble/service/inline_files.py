"""Files within a request, as data URLs."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bodydouble.service.inputs import FILE_FIELDS, Submission
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.data_url import InlineFile, is_data_url, read_data_url
from bodydouble.tasks.errors import InputRejected, StorageUnavailable
from bodydouble.tasks.files import FileStore

EXTENSIONS = MappingProxyType(
    {
        "image/jpeg": ".jpg",
        "image/png": ".png",
        "image/webp": ".webp",
        "image/bmp": ".bmp",
        "image/heic": ".heic",
        "image/heif": ".heif",
        "image/avif": ".avif",
        "video/mp4": ".mp4",
        "video/quicktime": ".mov",
        "video/x-msvideo": ".avi",
        "video/x-matroska": ".mkv",
        "video/webm": ".webm",
        "image/gif": ".gif",  # as a video
    }
)


@dataclass(frozen=True, kw_only=True)
class StoredSubmission:
    """A request whose files within it were stored as uploads, and the keys of these uploads."""

    submission: Submission
    keys: Sequence[str]


class InlineFiles:
    """Stores files within a request as uploads of the account: rows of tasks and answers hold only their addresses."""

    def __init__(self, files: FileStore, bytes_max: int) -> None:
        self._files, self._bytes_max = files, bytes_max

    async def store(self, submission: Submission, account: AccountId) -> StoredSubmission:
        """The same request with addresses of uploads instead of files, if it has any.

        Raises:
            InputRejected: as ``read``; its ``fields`` name the model. StorageFull, StorageUnavailable. Nothing is left.
        """
        addresses: dict[str, list[str]] = {}
        keys: list[str] = []
        try:
            for field in FILE_FIELDS:
                url = str(submission.inputs[field][0])
                if is_data_url(url):
                    addresses[field] = [await self._store(await self.read(url, f"{field}[0]"), account, keys)]
        except BaseException as error:
            if isinstance(error, InputRejected):
                error.fields["model"] = submission.model
            await self.discard(StoredSubmission(submission=submission, keys=keys))
            raise
        if keys:
            param: dict[str, Any] = {**submission.param, "input": {**submission.param["input"], **addresses}}
            submission = dataclasses.replace(submission, param=param, inputs={**submission.inputs, **addresses})
        return StoredSubmission(submission=submission, keys=keys)

    async def discard(self, stored: StoredSubmission) -> None:
        """Delete the uploads that ``store`` made. While the storage is away they stay until uploads expire."""
        if stored.keys:
            with suppress(StorageUnavailable):
                await asyncio.shield(self._files.delete(stored.keys))

    async def read(self, url: str, field: str) -> InlineFile:
        """The file. Raises InputRejected naming ``field``: no base64, too large, or of a type that is not accepted."""
        try:
            file = await asyncio.to_thread(read_data_url, url, self._bytes_max)
        except ValueError as error:
            raise InputRejected(f"{field}: {error}", field=field) from None
        if file.content_type not in EXTENSIONS:
            raise InputRejected(
                f"{field}: a data URL of type '{file.content_type}' is not accepted; use {', '.join(EXTENSIONS)}",
                field=field,
            )
        return file

    async def _store(self, file: InlineFile, account: AccountId, keys: list[str]) -> str:
        signed = await self._files.sign_upload(file.content_type, EXTENSIONS[file.content_type], account)
        key = await self._files.own_key(signed.file_url, account)
        assert key is not None, "the store has just signed this address"
        keys.append(key)
        await self._files.receive(key, _whole(file.content), len(file.content))
        return signed.file_url


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content

"""Files that come within a request, as data URLs."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any

from bodydouble.service.inputs import FILE_FIELDS, Submission
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.data_url import InlineFile, is_data_url, read_data_url
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.files import FileStore

EXTENSIONS = MappingProxyType(
    {
        "image/jpeg": ".jpg",
        "image/png": ".png",
        "image/webp": ".webp",
        "image/bmp": ".bmp",
        "video/mp4": ".mp4",
        "video/quicktime": ".mov",
        "video/x-msvideo": ".avi",
        "video/x-matroska": ".mkv",
        "video/webm": ".webm",
    }
)


class InlineFiles:
    """Keeps them as uploads of the account, so that neither a task's row nor any answer carries megabytes."""

    def __init__(self, files: FileStore, bytes_max: int) -> None:
        self._files, self._bytes_max = files, bytes_max

    async def keep(self, submission: Submission, account: AccountId) -> Submission:
        """The same request with the addresses of the uploads in the place of the files, where there are any.

        Raises:
            InputRejected: what ``read`` raises, with the model.
            StorageFull, StorageUnavailable.
        """
        kept: dict[str, list[str]] = {}
        for field in FILE_FIELDS:
            url = str(submission.inputs[field][0])
            if is_data_url(url):
                try:
                    kept[field] = [await self._keep(await self.read(url, f"{field}[0]"), account)]
                except InputRejected as error:
                    error.fields["model"] = submission.model
                    raise
        if not kept:
            return submission
        param: dict[str, Any] = {**submission.param, "input": {**submission.param["input"], **kept}}
        return dataclasses.replace(submission, param=param, inputs={**submission.inputs, **kept})

    async def read(self, url: str, field: str) -> InlineFile:
        """The file. Raises InputRejected: no base64, too large, or of a type that is not taken; names ``field``."""
        try:
            file = await asyncio.to_thread(read_data_url, url, self._bytes_max)
        except ValueError as error:
            raise InputRejected(f"{field}: {error}", field=field) from None
        if file.content_type not in EXTENSIONS:
            raise InputRejected(
                f"{field}: a data URL of type '{file.content_type}' is not taken; there are: {', '.join(EXTENSIONS)}",
                field=field,
            )
        return file

    async def _keep(self, file: InlineFile, account: AccountId) -> str:
        signed = await self._files.sign_upload(file.content_type, EXTENSIONS[file.content_type], account)
        key = await self._files.own_key(signed.file_url, account)
        assert key is not None, "it was signed just now"
        await self._files.receive(key, _whole(file.content), len(file.content))
        return signed.file_url


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content

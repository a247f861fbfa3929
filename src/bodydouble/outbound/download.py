"""Bringing a stranger's URL to a local file, guarded."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from bodydouble.outbound.client import Answer, GuardedClient, RequestLimits
from bodydouble.outbound.content import HEAD_BYTES, foreign_content
from bodydouble.outbound.failure import RequestFailed
from bodydouble.tasks.atomic_files import part_of, publish
from bodydouble.tasks.data_url import is_data_url, read_data_url
from bodydouble.tasks.errors import InputRejected

REDIRECTS_MAX = 5


class GuardedDownloader:
    """Satisfies ``tasks.ports.Downloader``."""

    def __init__(
        self, client: GuardedClient, limits: RequestLimits | None = None, redirects_max: int = REDIRECTS_MAX
    ) -> None:
        self._client, self._limits, self._redirects_max = client, limits or RequestLimits(), redirects_max

    async def download(self, url: str, target: Path, bytes_max: int, field: str) -> None:
        """Download ``url`` to ``target``, completely or not at all.

        Raises:
            InputRejected: address refused, too large, too slow, not found, or a web page; the message names ``field``.
        """
        part = part_of(target)
        try:
            if is_data_url(url):
                part.write_bytes(_inline(url, bytes_max))
            else:
                limits = replace(self._limits, bytes_max=bytes_max)
                async with self._client.exchange("GET", url, limits, redirects_max=self._redirects_max) as answer:
                    await _store(answer, part)
            await asyncio.to_thread(publish, part, target)
        except RequestFailed as error:
            raise InputRejected(f"{field}: {error.message}", field=field) from error
        finally:
            part.unlink(missing_ok=True)


async def _store(answer: Answer, part: Path) -> None:
    if answer.status != 200:
        raise RequestFailed(f"the address answered with HTTP status {answer.status}.")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestFailed("the server sends the file compressed; it has to send it as it is.")
    head = b""
    with part.open("wb") as stream:
        async with aclosing(answer.body()) as chunks:
            async for chunk in chunks:
                if len(head) < HEAD_BYTES:
                    head += chunk[:HEAD_BYTES]
                    if len(head) >= HEAD_BYTES:
                        _check_content(head)
                stream.write(chunk)
    _check_content(head)
    if not head:
        raise RequestFailed("the address answered with an empty file.")


def _inline(url: str, bytes_max: int) -> bytes:
    try:
        content = read_data_url(url, bytes_max).content
    except ValueError as error:
        raise RequestFailed(str(error)) from None
    _check_content(content[:HEAD_BYTES])
    return content


def _check_content(head: bytes) -> None:
    foreign = foreign_content(head)
    if foreign is not None:
        raise RequestFailed(f"the address gives {foreign}; give the address of the picture or video file itself.")

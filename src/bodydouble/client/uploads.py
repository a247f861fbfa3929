"""Files to the service.

A small file goes by one PUT, and from its beginning where that fails. A large one goes in pieces by the tus protocol
(1.0.0, core) where the service has it: after a break it goes on at the last byte that arrived.
"""

from typing import Any

import httpx

from bodydouble.client.caller import USER_AGENT, Caller, transfer_error
from bodydouble.client.media import LocalMedia, Media, as_url

PIECE_BYTES = 4 * 1024 * 1024
"""What a try sends at once: a proxy that holds a request back until it is whole loses no more than this."""
WRONG_OFFSET = 409


async def bring(caller: Caller, source: Media, field: str) -> str:
    """The address that the service reads ``source`` from: its own, or that of an upload made here.

    Raises:
        FileNotFoundError, TypeError, ValueError: see ``LocalMedia``.
        InvalidRequest: the service refuses the file. TransferFailed: the file store does. ConnectionFailed.
    """
    if url := as_url(source):
        return url
    media = await caller.transport.work(lambda: LocalMedia(source, field))
    with media:
        if media.size_bytes > PIECE_BYTES:
            place = await caller.call("GET", "files/upload-url", params=_wanted(media) | {"size": media.size_bytes})
            if resumable := place.get("resumable_url"):
                await _Pieces(caller, media, httpx.URL(resumable)).send()
                return str(place["file_url"])
        return await caller.retried(lambda: _put(caller, media))


def _wanted(media: LocalMedia) -> dict[str, str | int]:
    return {"content_type": media.content_type, "ext": media.extension}


async def _put(caller: Caller, media: LocalMedia) -> str:
    """One try, under an address of its own: one that has been used takes nothing more."""
    place = (await caller.send_once(caller.request("GET", "files/upload-url", params=_wanted(media)))).data
    headers = {"content-type": media.content_type, "content-length": str(media.size_bytes)}
    await _sent(caller, "PUT", httpx.URL(place["presigned_url"]), media, headers, stream=media.body())
    return str(place["file_url"])


class _Pieces:
    """An upload under way."""

    def __init__(self, caller: Caller, media: LocalMedia, url: httpx.URL) -> None:
        self._caller, self._media, self._url = caller, media, url
        self._offset: int | None = 0  # so many bytes are there; None: a try failed, and nobody here knows

    async def send(self) -> None:
        """All of it. Each piece has all the tries of a call: what goes forward is not given up."""
        while self._offset != self._media.size_bytes:
            await self._caller.retried(self._send_one)

    async def _send_one(self) -> None:
        """One try of one piece."""
        start, self._offset = self._offset, None
        if start is None:
            start = await self._reached("HEAD", {})
        if start < self._media.size_bytes:
            size_bytes = min(PIECE_BYTES, self._media.size_bytes - start)
            headers = {
                "content-type": "application/offset+octet-stream",
                "content-length": str(size_bytes),
                "upload-offset": str(start),
            }
            start = await self._reached("PATCH", headers, stream=self._media.body(start, size_bytes))
        self._offset = start

    async def _reached(self, method: str, headers: dict[str, str], **content: Any) -> int:
        """How many bytes are there after this request."""
        tus = {"tus-resumable": "1.0.0"}
        answer = await _sent(self._caller, method, self._url, self._media, tus | headers, **content)
        return int(answer.headers["upload-offset"])


async def _sent(
    caller: Caller, method: str, url: httpx.URL, media: LocalMedia, headers: dict[str, str], **content: Any
) -> httpx.Response:
    """The good answer to one try."""
    common = {"host": url.netloc.decode("ascii"), "user-agent": USER_AGENT}
    request = httpx.Request(method, url, headers=common | headers, extensions=caller.patience(), **content)
    try:
        response = await caller.transport.send(request)
    except httpx.RequestError as error:
        raise caller.connection_error(request, error, repeatable=True) from error
    if not response.is_success:
        failure = transfer_error(f"the upload of {media.name}", response)
        failure.retryable = failure.retryable or response.status_code == WRONG_OFFSET
        raise failure
    return response

# By tools/generate_sync_client.py from ../asynchronous/uploads.py. Edit that file, then run `make client`.
"""Upload local files to the service.

A small file is sent with one PUT, from the beginning at every attempt. A large file is sent in pieces with the tus
protocol (1.0.0, core) if the service supports it: after a break the upload continues at the last byte that arrived.
"""

from typing import Any

import httpx

from bodydouble_client.blocking import waiting
from bodydouble_client.blocking.request_sender import RequestSender
from bodydouble_client.connection import USER_AGENT
from bodydouble_client.envelope import transfer_error
from bodydouble_client.media import LocalMedia, Media, as_url

PIECE_BYTES = 4 * 1024 * 1024
"""Size of one piece: the most that is lost if a proxy buffers a whole request before it fails."""
WRONG_OFFSET_STATUS = 409


def upload(sender: RequestSender, source: Media, field: str) -> str:
    """The URL at which the service reads ``source``: its own URL, or that of a new upload.

    Args:
        sender: of the service.
        source: a URL, or a local file.
        field: names ``source`` in error messages.

    Raises:
        FileNotFoundError, TypeError, ValueError: see ``LocalMedia``.
        InvalidRequest: the service rejects the file. TransferFailed: the file store does. ConnectionFailed.
    """
    if url := as_url(source):
        return url
    media = waiting.run_file_operation(lambda: LocalMedia(source, field))
    with media:
        if media.size_bytes > PIECE_BYTES:
            params = _upload_params(media) | {"size": media.size_bytes}
            target = sender.call("GET", "files/upload-url", params=params)
            if resumable_url := target.get("resumable_url"):
                _ResumableUpload(sender, media, httpx.URL(resumable_url)).send()
                return str(target["file_url"])
        return sender.retry(lambda: _put(sender, media))


def _upload_params(media: LocalMedia) -> dict[str, str | int]:
    return {"content_type": media.content_type, "ext": media.extension}


def _put(sender: RequestSender, media: LocalMedia) -> str:
    """One attempt, with a new upload address: an address accepts one upload only."""
    request = sender.connection.request("GET", "files/upload-url", params=_upload_params(media))
    target = (sender.send_once(request)).data
    headers = {"content-type": media.content_type, "content-length": str(media.size_bytes)}
    _send(sender, "PUT", httpx.URL(target["presigned_url"]), media, headers, stream=media.body())
    return str(target["file_url"])


class _ResumableUpload:
    """One upload in pieces."""

    def __init__(self, sender: RequestSender, media: LocalMedia, url: httpx.URL) -> None:
        self._sender, self._media, self._url = sender, media, url
        self._offset: int | None = 0  # bytes that arrived; None after a failed attempt, until the service is asked

    def send(self) -> None:
        """Send the whole file. Each piece gets ``max_retries`` retries of its own, because progress was made."""
        while self._offset != self._media.size_bytes:
            self._sender.retry(self._send_piece)

    def _send_piece(self) -> None:
        """One attempt to send the next piece."""
        start, self._offset = self._offset, None
        if start is None:
            start = self._request_offset("HEAD", {})
        if start < self._media.size_bytes:
            size_bytes = min(PIECE_BYTES, self._media.size_bytes - start)
            headers = {
                "content-type": "application/offset+octet-stream",
                "content-length": str(size_bytes),
                "upload-offset": str(start),
            }
            start = self._request_offset("PATCH", headers, stream=self._media.body(start, size_bytes))
        self._offset = start

    def _request_offset(self, method: str, headers: dict[str, str], **content: Any) -> int:
        """Send one request; the number of bytes that the service has after it."""
        tus = {"tus-resumable": "1.0.0"}
        answer = _send(self._sender, method, self._url, self._media, tus | headers, **content)
        return int(answer.headers["upload-offset"])


def _send(
    sender: RequestSender, method: str, url: httpx.URL, media: LocalMedia, headers: dict[str, str], **content: Any
) -> httpx.Response:
    """The file store's answer to one attempt. Raises TransferFailed, InvalidRequest, ConnectionFailed."""
    common = {"host": url.netloc.decode("ascii"), "user-agent": USER_AGENT}
    request = httpx.Request(method, url, headers=common | headers, extensions=sender.connection.timeouts(), **content)
    response = sender.send(request)
    if not response.is_success:
        failure = transfer_error(f"the upload of {media.name}", response)
        failure.retryable = failure.retryable or response.status_code == WRONG_OFFSET_STATUS
        raise failure
    return response

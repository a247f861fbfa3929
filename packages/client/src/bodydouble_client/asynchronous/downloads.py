"""Download results from the service."""

import secrets
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import httpx

from bodydouble_client.asynchronous import waiting
from bodydouble_client.asynchronous.request_sender import RequestSender
from bodydouble_client.connection import USER_AGENT, connection_error
from bodydouble_client.envelope import transfer_error

EXPIRED_STATUSES = frozenset({403, 404, 410})
"""Statuses that file stores return for an address that has expired."""
WRITE_BYTES = 1024 * 1024
"""Written at once: one thread switch for each network packet would cost more than the write."""
ERROR_BYTES_MAX = 65_536


def download_path(path: Path, url: str) -> Path:
    """``path``; if it is a folder, the file in it with the name from ``url``."""
    return path / (unquote(Path(urlsplit(url).path).name) or "result") if path.is_dir() else path


async def download(sender: RequestSender, url: str, target: Path) -> None:
    """Write the file at ``url`` to ``target``: completely, or not at all.

    Raises:
        TransferFailed: the file store refuses; ``code`` is the HTTP status. ConnectionFailed. OSError: ``target``
            cannot be written.
    """
    await sender.retry(lambda: _download_once(sender, url, target))


async def _download_once(sender: RequestSender, url: str, target: Path) -> None:
    # With "identity" the declared length is the file's, and httpx checks it.
    headers = {"user-agent": USER_AGENT, "accept-encoding": "identity"}
    request = httpx.Request("GET", url, headers=headers, extensions=sender.connection.timeouts())
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        response = await sender.open(request)
        try:
            if not response.is_success:
                raise transfer_error(f"the download to {target.name}", await _read_error(response))
            stream = await waiting.run_file_operation(lambda: part.open("wb"))
            with stream:
                await _write_body(response, stream)
        finally:
            await response.aclose()
        await waiting.run_file_operation(lambda: part.replace(target))
    except httpx.RequestError as error:
        raise connection_error(request, error, repeatable=True) from error
    finally:
        part.unlink(missing_ok=True)


async def _read_error(response: httpx.Response) -> httpx.Response:
    """A copy of an opened response with the first ``ERROR_BYTES_MAX`` of its body."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= ERROR_BYTES_MAX:
            break
    headers = {name: value for name, value in response.headers.items() if name in ("retry-after", "x-request-id")}
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


async def _write_body(response: httpx.Response, stream: BinaryIO) -> None:
    async def write(chunks: list[bytes]) -> None:
        await waiting.run_file_operation(lambda: stream.writelines(chunks))

    buffered, buffered_bytes = list[bytes](), 0
    async for chunk in response.aiter_bytes():
        buffered.append(chunk)
        buffered_bytes += len(chunk)
        if buffered_bytes >= WRITE_BYTES:
            await write(buffered)
            buffered, buffered_bytes = [], 0
    await write(buffered)

# By tools/generate_sync_client.py from ../asynchronous/downloads.py. Edit that file, then run `make client`.
"""Download results from the service."""

import secrets
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import httpx

from bodydouble_client.blocking import waiting
from bodydouble_client.blocking.request_sender import RequestSender
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


def download(sender: RequestSender, url: str, target: Path) -> None:
    """Write the file at ``url`` to ``target``: completely, or not at all.

    Raises:
        TransferFailed: the file store refuses; ``code`` is the HTTP status. ConnectionFailed. OSError: ``target``
            cannot be written.
    """
    sender.retry(lambda: _download_once(sender, url, target))


def _download_once(sender: RequestSender, url: str, target: Path) -> None:
    # With "identity" the declared length is the file's, and httpx checks it.
    headers = {"user-agent": USER_AGENT, "accept-encoding": "identity"}
    request = httpx.Request("GET", url, headers=headers, extensions=sender.connection.timeouts())
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        response = sender.open(request)
        try:
            if not response.is_success:
                raise transfer_error(f"the download to {target.name}", _read_error(response))
            stream = waiting.run_file_operation(lambda: part.open("wb"))
            with stream:
                _write_body(response, stream)
        finally:
            response.close()
        waiting.run_file_operation(lambda: part.replace(target))
    except httpx.RequestError as error:
        raise connection_error(request, error, repeatable=True) from error
    finally:
        part.unlink(missing_ok=True)


def _read_error(response: httpx.Response) -> httpx.Response:
    """A copy of an opened response with the first ``ERROR_BYTES_MAX`` of its body."""
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) >= ERROR_BYTES_MAX:
            break
    headers = {name: value for name, value in response.headers.items() if name in ("retry-after", "x-request-id")}
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


def _write_body(response: httpx.Response, stream: BinaryIO) -> None:
    def write(chunks: list[bytes]) -> None:
        waiting.run_file_operation(lambda: stream.writelines(chunks))

    buffered, buffered_bytes = list[bytes](), 0
    for chunk in response.iter_bytes():
        buffered.append(chunk)
        buffered_bytes += len(chunk)
        if buffered_bytes >= WRITE_BYTES:
            write(buffered)
            buffered, buffered_bytes = [], 0
    write(buffered)

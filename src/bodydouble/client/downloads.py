"""Results from the service."""

import secrets
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import httpx

from bodydouble.client.caller import USER_AGENT, Caller, transfer_error

GONE = frozenset({403, 404, 410})  # what an address that has expired answers
WRITTEN_BYTES = 1024 * 1024  # at once: a thread for each network packet would cost more than the write
ERROR_BYTES_MAX = 65_536


def target_of(path: Path, url: str) -> Path:
    """``path``, or the address's own file name in it where it is a folder."""
    return path / (unquote(Path(urlsplit(url).path).name) or "result") if path.is_dir() else path


async def fetch(caller: Caller, url: str, target: Path) -> None:
    """GET ``url`` to ``target``, whole or not at all; nothing half stays.

    Raises:
        TransferFailed: the file store refuses; its ``code`` is the HTTP status. ConnectionFailed. OSError: the
            target cannot be written.
    """
    await caller.retried(lambda: _fetch_once(caller, url, target))


async def _fetch_once(caller: Caller, url: str, target: Path) -> None:
    transport = caller.transport
    # identity: the length that the answer declares is then the file's, and httpx counts it.
    headers = {"user-agent": USER_AGENT, "accept-encoding": "identity"}
    request = httpx.Request("GET", url, headers=headers, extensions=caller.patience())
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        response = await transport.open(request)
        try:
            if not response.is_success:
                raise transfer_error(f"the download to {target.name}", await _read(caller, response))
            stream = await transport.work(lambda: part.open("wb"))
            with stream:
                await _pour(caller, response, stream)
        finally:
            await transport.close(response)
        await transport.work(lambda: part.replace(target))
    except httpx.RequestError as error:
        raise caller.connection_error(request, error, repeatable=True) from error
    finally:
        part.unlink(missing_ok=True)


async def _read(caller: Caller, response: httpx.Response) -> httpx.Response:
    """An opened answer with its body, as far as an error needs it."""
    body = b""
    async with aclosing(caller.transport.chunks(response)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) >= ERROR_BYTES_MAX:
                break
    headers = {name: value for name, value in response.headers.items() if name in ("retry-after", "x-request-id")}
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


async def _pour(caller: Caller, response: httpx.Response, stream: BinaryIO) -> None:
    async def write(pieces: list[bytes]) -> None:
        await caller.transport.work(lambda: stream.writelines(pieces))

    held, held_bytes = list[bytes](), 0
    async for chunk in caller.transport.chunks(response):
        held.append(chunk)
        held_bytes += len(chunk)
        if held_bytes >= WRITTEN_BYTES:
            await write(held)
            held, held_bytes = [], 0
    await write(held)

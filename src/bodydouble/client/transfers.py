"""Files to the service and back."""

import secrets
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import httpx

from bodydouble.client.caller import USER_AGENT, Caller, read_envelope
from bodydouble.client.errors import ClientError, InvalidRequest, TransferFailed
from bodydouble.client.media import LocalMedia, Media, as_url
from bodydouble.client.retries import parse_retry_after

GONE = frozenset({403, 404, 410})  # what an address that has expired answers
WRITTEN_BYTES = 1024 * 1024  # at once: a thread for each network packet would cost more than the write
ERROR_BYTES_MAX = 65_536
RETRIED = frozenset({429})  # and every 5xx: file stores answer 500 for "once more, please"


async def bring(caller: Caller, source: Media, field: str) -> str:
    """The address that the service reads ``source`` from: its own, or that of an upload made here.

    Raises:
        FileNotFoundError, TypeError, ValueError: see ``LocalMedia``.
        InvalidRequest: the service refuses the file. TransferFailed: the file store does.
    """
    if url := as_url(source):
        return url
    media = await caller.transport.work(lambda: LocalMedia(source, field))
    with media:
        return await caller.retried(lambda: _put(caller, media))


async def _put(caller: Caller, media: LocalMedia) -> str:
    """One try, under an address of its own: one that has been used takes nothing more."""
    wanted = {"content_type": media.content_type, "ext": media.extension}
    place = (await caller.send_once(caller.request("GET", "files/upload-url", params=wanted))).data
    url = httpx.URL(place["presigned_url"])
    headers = {
        "host": url.netloc.decode("ascii"),
        "user-agent": USER_AGENT,
        "content-type": media.content_type,
        "content-length": str(media.size_bytes),
    }
    request = httpx.Request("PUT", url, headers=headers, stream=media.body(), extensions=caller.patience())
    try:
        response = await caller.transport.send(request)
    except httpx.RequestError as error:
        raise caller.connection_error(request, error, repeatable=True) from error
    if not response.is_success:
        raise _transfer_error(f"the upload of {media.name}", response)
    return str(place["file_url"])


def _transfer_error(what: str, response: httpx.Response) -> ClientError:
    try:
        read_envelope(response)
    except InvalidRequest as error:
        if error.errors:  # the service itself says what is wrong with the file
            return error
        message = error.message
    except ClientError as error:
        message = error.message
    else:
        message = f"HTTP {response.status_code}"
    failure = TransferFailed(
        f"{what} was refused: {message}", code=response.status_code, request_id=response.headers.get("x-request-id")
    )
    failure.retryable = response.status_code >= 500 or response.status_code in RETRIED
    failure.retry_after = parse_retry_after(response.headers.get("retry-after"))
    return failure


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
                raise _transfer_error(f"the download to {target.name}", await _read(caller, response))
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

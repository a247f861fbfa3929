"""Bringing a stranger's URL to a local file, guarded."""

import asyncio
import base64
import binascii
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from bodydouble.outbound.addresses import Network, resolve
from bodydouble.tasks.errors import InputRejected

REDIRECTS_MAX = 5
CONNECT_SECONDS_MAX = 10
STALL_SECONDS_MAX = 20
DATA_URL_BYTES_MAX = 10_000_000


class GuardedDownloader:
    """Satisfies ``tasks.ports.Downloader``."""

    def __init__(self, allowed: Sequence[Network] = (), seconds_max: int = 120) -> None:
        self._allowed, self._seconds_max = allowed, seconds_max

    async def download(self, url: str, target: Path, bytes_max: int, field: str) -> None:
        """To ``target``, whole or not at all.

        Raises:
            InputRejected: address refused, too large, too slow, or not found; the message names ``field``.
        """
        part = target.with_name(target.name + ".part")
        try:
            if url.startswith("data:"):
                part.write_bytes(_data_url(url, min(bytes_max, DATA_URL_BYTES_MAX), field))
            else:
                async with asyncio.timeout(self._seconds_max):
                    await self._fetch(url, part, bytes_max, field)
            part.replace(target)
        except TimeoutError:
            raise InputRejected(f"{field}: the download took longer than {self._seconds_max} s.", field=field) from None
        except httpx.HTTPError as error:
            raise InputRejected(f"{field}: the download failed ({type(error).__name__}).", field=field) from error
        finally:
            part.unlink(missing_ok=True)

    async def _fetch(self, url: str, part: Path, bytes_max: int, field: str) -> None:
        timeout = httpx.Timeout(STALL_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False) as client:
            for _ in range(REDIRECTS_MAX + 1):
                request = await self._pinned(client, url, field)
                response = await client.send(request, stream=True)
                try:
                    if response.is_redirect:
                        url = urljoin(url, response.headers.get("location", ""))
                        continue
                    if response.status_code != 200:
                        raise InputRejected(
                            f"{field}: the address answered with HTTP status {response.status_code}.", field=field
                        )
                    await _store(response, part, bytes_max, field)
                    return
                finally:
                    await response.aclose()
        raise InputRejected(f"{field}: more than {REDIRECTS_MAX} redirects.", field=field)

    async def _pinned(self, client: httpx.AsyncClient, url: str, field: str) -> httpx.Request:
        """A request to the one address that was checked, with the name kept for TLS and the Host header."""
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            host, port = None, 0
        if parts.scheme not in ("http", "https") or not host:
            raise InputRejected(f"{field}: only http and https addresses are taken.", field=field)
        address = await resolve(host, port, self._allowed, field)
        literal = f"[{address}]" if ":" in address else address
        pinned = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
        shown = host if parts.port is None else f"{host}:{port}"
        return client.build_request(
            "GET",
            pinned,
            headers={"host": shown, "accept": "*/*", "accept-encoding": "identity"},
            extensions={"sni_hostname": host},
        )


async def _store(response: httpx.Response, part: Path, bytes_max: int, field: str) -> None:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        # Unpacking what a stranger packed is how 10 kB become 10 GB; pictures and videos gain nothing by it.
        raise InputRejected(f"{field}: the server sends the file compressed; it has to send it as it is.", field=field)
    size, started = 0, time.monotonic()
    with part.open("wb") as stream:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > bytes_max:
                raise InputRejected(f"{field}: the file is larger than {bytes_max / 1e6:g} MB.", field=field)
            if time.monotonic() - started > STALL_SECONDS_MAX and size < 1000 * (time.monotonic() - started):
                raise InputRejected(f"{field}: the server sends less than 1 kB a second.", field=field)
            stream.write(chunk)


def _data_url(url: str, bytes_max: int, field: str) -> bytes:
    head, _, body = url.partition(",")
    if not head.endswith(";base64"):
        raise InputRejected(f"{field}: a data URL has to be base64.", field=field)
    if len(body) * 3 // 4 > bytes_max:
        raise InputRejected(f"{field}: a data URL may hold {bytes_max / 1e6:g} MB; upload the file.", field=field)
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise InputRejected(f"{field}: the data URL is not valid base64.", field=field) from None

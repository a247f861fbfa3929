"""Connections of tools to the service, each with the key of its caller."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bodydouble_client import AsyncClient, ConnectionFailed, InvalidRequest
from bodydouble_client.connection import API_PATH

PEOPLE_SECONDS_MAX = 120
"""The service takes up to 90 s to find the people of a video."""


@dataclass(frozen=True, kw_only=True)
class ServiceConnection:
    """One key's access to the service."""

    client: AsyncClient
    http: httpx.AsyncClient
    key: str

    async def people(self, video_url: str) -> dict[str, Any]:
        """``people`` and ``picture`` (a data URL) at the start of an uploaded video.

        Raises InvalidRequest, ConnectionFailed.
        """
        return await self._get("job/People", {"video_url": video_url})

    async def upload_address(self, content_type: str, extension: str) -> dict[str, Any]:
        """``presigned_url`` to upload a file to, and its ``file_url``. Raises InvalidRequest, ConnectionFailed."""
        return await self._get("files/upload-url", {"content_type": content_type, "ext": extension})

    async def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        try:
            answer = await self.http.get(
                f"{self.client.base_url}{API_PATH}/{path}",
                params=parameters,
                headers={"x-api-key": self.key},
                timeout=PEOPLE_SECONDS_MAX,
            )
            document: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ConnectionFailed(f"The service did not answer: {error}") from error
        if not answer.is_success:
            raise InvalidRequest("; ".join([document["message"], *document.get("errors", [])]), code=answer.status_code)
        return document["data"]


Connect = Callable[[Any], AbstractAsyncContextManager[ServiceConnection]]
"""Opens the connection for a request of the transport: Starlette's for HTTP, None for stdio."""


def with_environment_key() -> Connect:
    """Connections to BODYDOUBLE_BASE_URL with BODYDOUBLE_API_KEY. Raises AuthenticationError, ValueError."""
    AsyncClient()  # checks both variables now

    @asynccontextmanager
    async def connect(request: Any) -> AsyncGenerator[ServiceConnection]:
        async with httpx.AsyncClient() as http:
            key = os.environ["BODYDOUBLE_API_KEY"].strip()
            yield ServiceConnection(client=AsyncClient(key, http_client=http), http=http, key=key)

    return connect

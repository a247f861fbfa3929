# By tools/generate_sync_client.py from ../asynchronous/request_sender.py. Edit that file, then run `make client`.
"""Send a request of the API, read its answer, and retry what can be retried."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from bodydouble_client.blocking import waiting
from bodydouble_client.connection import Connection, connection_error
from bodydouble_client.envelope import Answer, read_answer
from bodydouble_client.errors import ClientError
from bodydouble_client.retries import RETRY_AFTER_SECONDS_MAX, backoff_seconds

T = TypeVar("T")

_log = logging.getLogger("bodydouble_client")


class RequestSender:
    """Sends requests to one service."""

    def __init__(self, http: httpx.Client, connection: Connection) -> None:
        self._http, self.connection = http, connection

    def call(self, method: str, path: str, *, repeatable: bool = True, **arguments: Any) -> Any:
        """The ``data`` of the answer, with retries; ``arguments`` are those of ``Connection.request``.

        ``repeatable``: sending it twice has the effect of sending it once, so it may be sent again if the answer is
        lost.
        """

        def attempt() -> Any:
            request = self.connection.request(method, path, **arguments)
            return (self.send_once(request, repeatable=repeatable)).data

        return self.retry(attempt)

    def send_once(self, request: httpx.Request, *, repeatable: bool = True) -> Answer:
        """The answer to ``request``, without retries. Redirects are not followed. Raises ClientError."""
        return read_answer(self.send(request, repeatable=repeatable), repeatable=repeatable)

    def send(self, request: httpx.Request, *, repeatable: bool = True) -> httpx.Response:
        """The raw response with its body read. Redirects are not followed. Raises ConnectionFailed."""
        try:
            return self._http.send(request, follow_redirects=False)
        except httpx.RequestError as error:
            raise connection_error(request, error, repeatable=repeatable) from error

    def open(self, request: httpx.Request) -> httpx.Response:
        """The response with its body unread; redirects are followed. The caller closes it. Raises httpx errors."""
        return self._http.send(request, stream=True, follow_redirects=True)

    def retry(self, attempt: Callable[[], T]) -> T:
        """The value of ``attempt``, which is repeated with growing pauses as long as its error is retryable."""
        failures = 0
        while True:
            try:
                return attempt()
            except ClientError as error:
                failures += 1
                too_long = (error.retry_after or 0) > RETRY_AFTER_SECONDS_MAX
                if not error.retryable or too_long or failures > self.connection.max_retries:
                    raise
                pause = backoff_seconds(failures, error.retry_after)
                _log.info("retry %d of %d in %.1f s: %s", failures, self.connection.max_retries, pause, error)
            waiting.sleep(pause)

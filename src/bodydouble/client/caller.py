"""One call of the API: its request, its answer as data or as an error, and the tries until it works."""

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import httpx

from bodydouble import __version__
from bodydouble.client.errors import (
    NOT_DONE,
    ClientError,
    ConnectionFailed,
    InvalidRequest,
    ServerError,
    TransferFailed,
    as_lines,
    error_for,
)
from bodydouble.client.retries import RETRY_AFTER_SECONDS_MAX, backoff_seconds, parse_retry_after
from bodydouble.client.transport import Transport

T = TypeVar("T")
API_PATH = "/api/v1/client"
USER_AGENT = f"bodydouble-python/{__version__}"
NOT_MODIFIED = 304
SHOWN_CHARACTERS_MAX = 200
TRANSFERS_RETRIED = frozenset({429})  # and every 5xx: file stores answer 500 for "once more, please"

# The request has not left: sending it again cannot do it twice, whatever it is.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
# A mistake in the request or the address: it would be the same the next time.
HOPELESS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)

# Each task that is waited for holds a connection; a limit would make the next call wait for one of them to end.
NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)

_log = logging.getLogger("bodydouble.client")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where the service is, who asks, and with how much patience."""

    base_url: str  # without the API's path and without a slash at the end
    api_key: str
    timeout_seconds: float  # of silence, for connecting and for every read and write
    max_retries: int
    idempotent_creates: bool  # the service knows Idempotency-Key


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A good answer."""

    data: Any  # the envelope's; None where the answer is 304
    headers: Mapping[str, str]
    modified: bool = True


class Caller:
    """Makes calls over a transport."""

    def __init__(self, transport: Transport, connection: Connection) -> None:
        self.transport, self.connection = transport, connection

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> httpx.Request:
        """A request of the API, with the key and an id of its own."""
        wanted = {
            "accept": "application/json",
            "user-agent": USER_AGENT,
            "x-api-key": self.connection.api_key,
            "x-request-id": uuid.uuid4().hex,
        }
        return httpx.Request(
            method,
            f"{self.connection.base_url}{API_PATH}/{path}",
            params=dict(params) if params else None,
            json=body,
            headers=wanted | dict(headers or {}),
            extensions=self.patience(timeout_seconds),
        )

    def patience(self, timeout_seconds: float | None = None) -> dict[str, Any]:
        """A request's extensions: how much silence it endures."""
        return {"timeout": httpx.Timeout(timeout_seconds or self.connection.timeout_seconds).as_dict()}

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The ``data`` of the answer, after as many tries as it takes; ``arguments`` are those of ``request``."""

        async def once() -> Any:
            return (await self.send_once(self.request(method, path, **arguments))).data

        return await self.retried(once)

    async def send_once(self, request: httpx.Request, *, repeatable: bool = True) -> Answer:
        """One try. ``repeatable``: sending it twice does it once."""
        try:
            response = await self.transport.send(request)
        except httpx.RequestError as error:
            raise self.connection_error(request, error, repeatable=repeatable) from error
        if response.status_code == NOT_MODIFIED:
            return Answer(data=None, headers=response.headers, modified=False)
        return Answer(data=read_envelope(response, repeatable=repeatable), headers=response.headers)

    def connection_error(self, request: httpx.Request, error: httpx.RequestError, *, repeatable: bool) -> ClientError:
        """The error for a request that got no answer."""
        retryable = not isinstance(error, HOPELESS) and (repeatable or isinstance(error, NEVER_SENT))
        message = f"{request.method} {request.url.copy_with(query=None)}: no answer ({error or type(error).__name__})"
        if not repeatable and not retryable:
            message += "; it may have been done all the same, look before you send it again"
        failure = ConnectionFailed(message, request_id=request.headers.get("x-request-id"))
        failure.retryable = retryable
        return failure

    async def retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What ``attempt`` returns, tried again with growing pauses while its error says that this may help."""
        failures = 0
        while True:
            try:
                return await attempt()
            except ClientError as error:
                failures += 1
                too_long = (error.retry_after or 0) > RETRY_AFTER_SECONDS_MAX
                if not error.retryable or too_long or failures > self.connection.max_retries:
                    raise
                pause = backoff_seconds(failures, error.retry_after)
                _log.info("try %d of %d in %.1f s: %s", failures, self.connection.max_retries, pause, error)
            await self.transport.sleep(pause)


def read_envelope(response: httpx.Response, *, repeatable: bool = True) -> Any:
    """The ``data`` of a good answer.

    The envelope's code counts, not the HTTP status: the hosted service answers some errors with 200. Raises the
    ClientError that the answer stands for.
    """
    request_id = response.headers.get("x-request-id") or response.request.headers.get("x-request-id")
    try:
        found: Any = json.loads(response.content)
    except ValueError:
        found = None
    envelope = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    code = envelope.get("code")
    if code == 200 and response.is_success:
        return envelope.get("data")
    after = parse_retry_after(response.headers.get("retry-after"))
    status = response.status_code
    if isinstance(code, int) and code != 200:
        message = str(envelope.get("message") or f"code {code}")
    elif response.is_success:
        url = response.request.url.copy_with(query=None)
        raise ServerError(
            f"{url} answers, but is no bodydouble API; check base_url", code=status, request_id=request_id
        )
    else:
        code, message = status, _plain_message(response)
    errors = as_lines(envelope.get("errors"))
    error = error_for(code, message, status=status, errors=errors, request_id=request_id, after=after)
    error.retryable = error.retryable and (repeatable or code in NOT_DONE)
    raise error


def transfer_error(what: str, response: httpx.Response) -> ClientError:
    """The error for what a file store answered; ``what`` was to be done."""
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
    failure.retryable = response.status_code >= 500 or response.status_code in TRANSFERS_RETRIED
    failure.retry_after = parse_retry_after(response.headers.get("retry-after"))
    return failure


def _plain_message(response: httpx.Response) -> str:
    if response.is_redirect:
        return f"The service is elsewhere: {response.headers.get('location')}; set base_url to it"
    text = " ".join(response.text.split())[:SHOWN_CHARACTERS_MAX]
    return f"HTTP {response.status_code} {response.reason_phrase}" + (f": {text}" if text else "")

"""The API's answers: read an envelope's data, or raise the error that it describes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx

from bodydouble_client.errors import (
    REFUSED_CODES,
    ClientError,
    InvalidRequest,
    ServerError,
    TransferFailed,
    error_for,
    error_lines,
)
from bodydouble_client.retries import parse_retry_after

NOT_MODIFIED_STATUS = 304
SHOWN_CHARACTERS_MAX = 200
TRANSFER_RETRY_STATUSES = frozenset({429})
"""Besides every 5xx: file stores answer 500 to requests that should be repeated."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A successful answer."""

    data: Any  # of the envelope; None if the answer is 304
    headers: Mapping[str, str]
    modified: bool = True


def read_answer(response: httpx.Response, *, repeatable: bool = True) -> Answer:
    """The answer of one request, also of a conditional one. Raises what ``read_data`` raises."""
    if response.status_code == NOT_MODIFIED_STATUS:
        return Answer(data=None, headers=response.headers, modified=False)
    return Answer(data=read_data(response, repeatable=repeatable), headers=response.headers)


def read_data(response: httpx.Response, *, repeatable: bool = True) -> Any:
    """The ``data`` of a successful answer.

    The envelope's code decides, not the HTTP status: the hosted service answers some errors with status 200.

    Raises:
        ClientError: the class for the answer's code; ``retryable`` only if ``repeatable`` or refused before any effect.
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
    status = response.status_code
    if isinstance(code, int) and code != 200:
        message = str(envelope.get("message") or f"code {code}")
    elif response.is_success:
        url = response.request.url.copy_with(query=None)
        raise ServerError(f"{url} is not a bodydouble API; check base_url", code=status, request_id=request_id)
    else:
        code, message = status, _plain_message(response)
    error = error_for(
        code,
        message,
        status=status,
        errors=error_lines(envelope.get("errors")),
        request_id=request_id,
        retry_after_seconds=parse_retry_after(response.headers.get("retry-after")),
    )
    error.retryable = error.retryable and (repeatable or code in REFUSED_CODES)
    raise error


def transfer_error(transfer: str, response: httpx.Response) -> ClientError:
    """The error for a file store's refusal; ``transfer`` names the upload or download."""
    try:
        read_data(response)
    except InvalidRequest as error:
        if error.errors:  # the service's own explanation of what is wrong with the file
            return error
        message = error.message
    except ClientError as error:
        message = error.message
    else:
        message = f"HTTP {response.status_code}"
    failure = TransferFailed(
        f"{transfer} was refused: {message}", code=response.status_code, request_id=response.headers.get("x-request-id")
    )
    failure.retryable = response.status_code >= 500 or response.status_code in TRANSFER_RETRY_STATUSES
    failure.retry_after = parse_retry_after(response.headers.get("retry-after"))
    return failure


def _plain_message(response: httpx.Response) -> str:
    if response.is_redirect:
        return f"The service redirects to {response.headers.get('location')}; set base_url to that address"
    text = " ".join(response.text.split())[:SHOWN_CHARACTERS_MAX]
    return f"HTTP {response.status_code} {response.reason_phrase}" + (f": {text}" if text else "")

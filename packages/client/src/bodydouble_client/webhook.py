"""Verify callbacks."""

import json
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from bodydouble_client.errors import ClientError, InvalidWebhook
from bodydouble_client.task_info import TaskInfo


def verify_webhook(body: bytes, headers: Mapping[str, str], secret: str | Sequence[str]) -> TaskInfo:
    """The task in a callback, after its signature and age (at most 5 minutes) were verified.

    A callback may arrive more than once; its header ``webhook-id`` is the same each time.

    Args:
        body: the request's body as received, not parsed and written again: the signature covers these bytes.
        headers: the request's headers; case does not matter.
        secret: ``whsec_…`` of the account, or several during a rotation.

    Raises:
        InvalidWebhook: a header is missing, no secret matches, the callback is more than 5 minutes old (or in the
            future: check the clock), or the body is not a task. Answer 400.
        ValueError: a secret is not base64, or ``secret`` is empty.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets:
        raise ValueError("secret: at least one is required to verify the callback")
    verifiers = [_verifier(one) for one in secrets]
    plain = {str(name): str(value) for name, value in headers.items()}
    reason = ""
    for verifier in verifiers:
        try:
            verifier.verify(body, plain, json_parse=False)
        except WebhookVerificationError as error:
            reason = str(error)
        except ValueError as error:  # an unreadable signature or body
            reason = f"Unreadable signature or body: {error}"
        else:
            return _task(body)
    raise InvalidWebhook(f"The callback is not valid: {reason}")


def _verifier(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except Exception as error:  # the package raises several kinds, not all of them public
        raise ValueError("secret: not a webhook secret (whsec_ and base64)") from error


def _task(body: bytes) -> TaskInfo:
    try:
        return TaskInfo.from_data(json.loads(body))
    except (ValueError, ClientError) as error:
        raise InvalidWebhook(f"The callback is signed, but its body is not a task: {error}") from error

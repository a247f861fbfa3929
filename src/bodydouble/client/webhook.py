"""Callbacks: who sent this, and which task does it speak of?"""

import json
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from bodydouble.client.errors import ClientError, InvalidWebhook
from bodydouble.client.task_info import TaskInfo


def verify_webhook(body: bytes, headers: Mapping[str, str], secret: str | Sequence[str]) -> TaskInfo:
    """The task that a callback speaks of, once it is sure that the service sent it, and within the last 5 minutes.

    Deliveries may come twice: the header ``webhook-id`` is the same each time.

    Args:
        body: the request's body as received. Not parsed and written again: the signature is over these bytes.
        headers: the request's; upper or lower case does not matter.
        secret: ``whsec_…`` of the account, or several of them while a rotation is under way.

    Raises:
        InvalidWebhook: a header is missing, no secret fits, the callback is older than 5 minutes (or comes from the
            future: check the clock), or the body is no task. Answer 400.
        ValueError: a secret is no base64, or there is none.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets:
        raise ValueError("secret: there is none to check the callback with")
    verifiers = [_verifier(one) for one in secrets]
    plain = {str(name): str(value) for name, value in headers.items()}
    why = ""
    for verifier in verifiers:
        try:
            verifier.verify(body, plain, json_parse=False)
        except WebhookVerificationError as error:
            why = str(error)
        except ValueError as error:  # a signature or a body that cannot even be read
            why = f"Unreadable signature or body: {error}"
        else:
            return _task(body)
    raise InvalidWebhook(f"This callback is not to be believed: {why}")


def _verifier(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except Exception as error:  # the package raises several kinds, not all of them public
        raise ValueError("secret: is no webhook secret (whsec_ and base64)") from error


def _task(body: bytes) -> TaskInfo:
    try:
        return TaskInfo.from_data(json.loads(body))
    except (ValueError, ClientError) as error:
        raise InvalidWebhook(f"The callback is signed, but is no task: {error}") from error

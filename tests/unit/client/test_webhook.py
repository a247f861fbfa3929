"""Callbacks, believed and not."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from bodydouble.client import InvalidWebhook, verify_webhook
from fake_service import task_data

OLD, NEW, OTHER = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2, 3))
BODY = json.dumps(task_data("success", mood="good"), indent=1).encode()


def _headers(body: bytes = BODY, *secrets: str, age: timedelta = timedelta()) -> dict[str, str]:
    moment = datetime.now(UTC) - age
    signatures = [Webhook(secret).sign("d-1", moment, body.decode()) for secret in secrets or (OLD,)]
    return {
        "Webhook-Id": "d-1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": " ".join(signatures),
    }


def test_a_signed_callback_is_its_task():
    """The task as it ended; header names in any case, fields that nobody knows in ``raw``."""
    task = verify_webhook(BODY, _headers(), OLD)
    assert (task.id, task.status, task.raw["mood"]) == ("t-1", "success", "good")
    shouted = {name.upper(): value for name, value in _headers().items()}
    assert verify_webhook(BODY, shouted, OLD) == task


def test_a_failed_task_is_a_task_too():
    """Callbacks come for failures as well; verifying one does not raise what the task did."""
    body = json.dumps(task_data("failed")).encode()
    assert verify_webhook(body, _headers(body), OLD).result_message == "Nobody is in the video"


@pytest.mark.parametrize("secrets", [OLD, NEW, [OLD], [NEW], [OTHER, NEW], (OLD, NEW)])
def test_a_rotation_breaks_nothing(secrets):
    """While both secrets sign, a receiver that has either believes; it may hold several itself."""
    assert verify_webhook(BODY, _headers(BODY, NEW, OLD), secrets).id == "t-1"


def test_any_of_the_receivers_secrets_may_fit():
    """A receiver that took the new secret early still believes callbacks under the old one."""
    assert verify_webhook(BODY, _headers(BODY, OLD), [NEW, OLD]).id == "t-1"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Webhook-Signature": "v1,AAAA"}, "No matching signature"),
        ({"Webhook-Signature": "v2,AAAA"}, "No matching signature"),
        ({"Webhook-Signature": "nonsense"}, "Unreadable"),
        ({"Webhook-Signature": "v1,A"}, "Unreadable"),
        ({"Webhook-Id": "d-2"}, "No matching signature"),
        ({"Webhook-Id": ""}, "Missing required headers"),
        ({"Webhook-Timestamp": "soon"}, "Invalid Signature Headers"),
        ({"Webhook-Timestamp": "1700000000"}, "too old"),
    ],
)
def test_a_callback_with_other_headers_is_not_believed(change, why):
    """Each header is part of what is signed, and what cannot be read is refused like what is wrong."""
    with pytest.raises(InvalidWebhook, match=why):
        verify_webhook(BODY, _headers() | change, OLD)


@pytest.mark.parametrize(("minutes", "why"), [(6, "too old"), (-6, "too new")])
def test_an_old_callback_is_not_believed(minutes, why):
    """Somebody who recorded a callback cannot send it again later."""
    with pytest.raises(InvalidWebhook, match=why):
        verify_webhook(BODY, _headers(age=timedelta(minutes=minutes)), OLD)


@pytest.mark.parametrize("body", [BODY.replace(b"success", b"failed"), BODY + b" ", b"", b"\xff\xfe"])
def test_another_body_is_not_believed(body):
    """The signature is over the bytes as sent."""
    with pytest.raises(InvalidWebhook):
        verify_webhook(body, _headers(), OLD)


@pytest.mark.parametrize("secrets", [OTHER, [OTHER, NEW]])
def test_another_secret_is_not_believed(secrets):
    """Nobody else's service can speak for ours."""
    with pytest.raises(InvalidWebhook, match="No matching signature"):
        verify_webhook(BODY, _headers(), secrets)


@pytest.mark.parametrize("body", [b"[1]", b"{}", b"no json", b'{"task_id": "t", "status": "odd"}'])
def test_a_signed_body_that_is_no_task_is_refused(body):
    """Signed, but by something that sends other things."""
    with pytest.raises(InvalidWebhook, match="not a task"):
        verify_webhook(body, _headers(body), OLD)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ü", []])
def test_a_secret_that_is_none_is_the_receivers_mistake(secret):
    """ValueError, not a rejected callback: the receiver is configured wrongly."""
    with pytest.raises(ValueError, match="secret"):
        verify_webhook(BODY, _headers(), secret)

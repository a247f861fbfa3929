"""Verifying callbacks."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from bodydouble_client import InvalidWebhook, verify_webhook
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


def test_a_signed_callback_gives_its_task():
    """Header names in any case; unknown fields are in ``raw``."""
    task = verify_webhook(BODY, _headers(), OLD)
    assert (task.id, task.status, task.raw["mood"]) == ("t-1", "success", "good")
    shouted = {name.upper(): value for name, value in _headers().items()}
    assert verify_webhook(BODY, shouted, OLD) == task


def test_the_callback_of_a_failed_task_is_verified():
    """Verification does not raise the task's error."""
    body = json.dumps(task_data("failed")).encode()
    assert verify_webhook(body, _headers(body), OLD).result_message == "Nobody is in the video"


@pytest.mark.parametrize("secrets", [OLD, NEW, [OLD], [NEW], [OTHER, NEW], (OLD, NEW)])
def test_callbacks_are_valid_during_a_rotation(secrets):
    """While both secrets sign, a receiver with either accepts; it may also hold several."""
    assert verify_webhook(BODY, _headers(BODY, NEW, OLD), secrets).id == "t-1"


def test_any_of_the_receivers_secrets_may_match():
    """A receiver that got the new secret early still accepts callbacks with the old one."""
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
def test_a_callback_with_other_headers_is_rejected(change, why):
    """Each header is part of the signature; unreadable ones are rejected too."""
    with pytest.raises(InvalidWebhook, match=why):
        verify_webhook(BODY, _headers() | change, OLD)


@pytest.mark.parametrize(("minutes", "why"), [(6, "too old"), (-6, "too new")])
def test_an_old_callback_is_rejected(minutes, why):
    """A recorded callback cannot be sent again later."""
    with pytest.raises(InvalidWebhook, match=why):
        verify_webhook(BODY, _headers(age=timedelta(minutes=minutes)), OLD)


@pytest.mark.parametrize("body", [BODY.replace(b"success", b"failed"), BODY + b" ", b"", b"\xff\xfe"])
def test_another_body_is_rejected(body):
    """The signature covers the bytes as sent."""
    with pytest.raises(InvalidWebhook):
        verify_webhook(body, _headers(), OLD)


@pytest.mark.parametrize("secrets", [OTHER, [OTHER, NEW]])
def test_another_secret_is_rejected(secrets):
    """A callback of another service is rejected."""
    with pytest.raises(InvalidWebhook, match="No matching signature"):
        verify_webhook(BODY, _headers(), secrets)


@pytest.mark.parametrize("body", [b"[1]", b"{}", b"no json", b'{"task_id": "t", "status": "odd"}'])
def test_a_signed_body_without_a_task_is_rejected(body):
    """The signature is valid, but the content is not a task."""
    with pytest.raises(InvalidWebhook, match="not a task"):
        verify_webhook(body, _headers(body), OLD)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ü", []])
def test_an_invalid_secret_is_a_value_error(secret):
    """The receiver is configured wrongly; the callback is not to blame."""
    with pytest.raises(ValueError, match="secret"):
        verify_webhook(BODY, _headers(), secret)

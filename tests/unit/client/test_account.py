"""Keys, usage and callbacks, with either kind of client."""

from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from bodydouble_client import ConnectionFailed, FeatureUnavailable, NotFound
from fake_service import good

KEY = {
    "id": 2,
    "name": "ci",
    "prefix": "ak_3f9c1a",
    "scope": "read",
    "disabled": False,
    "current": False,
    "created_at": 1_700_000_000,
    "last_used_at": None,
    "expires_at": 1_800_000_000,
}


def test_keys_are_listed_created_and_disabled(face, service):
    """Times are in UTC; no representation shows the secret; a disabled key says so."""
    service.on("account/keys", good({"keys": [KEY]}), good({"key": KEY, "secret": "ak_secret"}))
    service.on("account/keys/2/disable", good(KEY | {"disabled": True}))
    (key,) = face.do(lambda c: c.account.keys())
    assert (key.id, key.expires_at, key.last_used_at) == (2, datetime(2027, 1, 15, 8, tzinfo=UTC), None)
    new = face.do(lambda c: c.account.create_key("ci", scope="read", expires_at=key.expires_at))
    assert (new.key, new.secret) == (key, "ak_secret")
    assert "secret" not in repr(new)
    assert b'"expires_at":1800000000' in service.requests[-1].content.replace(b" ", b"")
    assert face.do(lambda c: c.account.disable_key(2)).disabled


def test_usage_is_in_exact_credits(face, service):
    """Usage is listed by day and model, in decimal numbers."""
    line = {"day": "2026-01-01", "model": "wan/2-2-animate-replace", "succeeded": 12, "failed": 1, "credits": 360.1}
    service.on("account/usage", good({"days": [line]}))
    (day,) = face.do(lambda c: c.account.usage(7))
    assert (day.day, day.succeeded, day.credits) == (date(2026, 1, 1), 12, Decimal("360.1"))
    assert service.requests[0].url.params["days"] == "7"


@pytest.mark.parametrize("call", ["create_key", "rotate_key", "rotate_webhook_secret"])
def test_a_request_that_creates_a_secret_is_not_retried(face, service, call):
    """If the answer is lost, the error says that the secret may exist."""
    lost = httpx.ReadError("cut")
    for path in ("account/keys", "account/keys/2/rotate", "account/webhook-secret/rotate"):
        service.on(path, lost)
    calls = {
        "create_key": lambda c: c.account.create_key(),
        "rotate_key": lambda c: c.account.rotate_key(2),
        "rotate_webhook_secret": lambda c: c.account.rotate_webhook_secret(),
    }
    with pytest.raises(ConnectionFailed, match="check before you send it again"):
        face.do(calls[call])
    assert len(service.requests) == 1


def test_a_service_without_accounts_says_so(face, service):
    """A missing endpoint raises FeatureUnavailable, a missing key NotFound."""
    with pytest.raises(FeatureUnavailable, match="account/keys"):
        face.do(lambda c: c.account.keys())
    service.on("account/keys/9/enable", httpx.Response(404, json={"code": 404, "message": "There is no key 9"}))
    with pytest.raises(NotFound, match="no key 9"):
        face.do(lambda c: c.account.enable_key(9))

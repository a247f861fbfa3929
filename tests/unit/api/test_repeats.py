"""Requests that clients repeat without an idempotency key."""

from decimal import Decimal
from functools import partial

import pytest

from bodydouble.api.crun.wire import parse_submission
from bodydouble.service import Services
from bodydouble.service.repeats import PERIOD_SECONDS, former_name, name_request

pytestmark = pytest.mark.anyio
REQUEST = {
    "model": "wan/2-2-animate-replace",
    "input": {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/a.mp4"]},
}


async def test_a_repeat_in_the_next_hour_creates_no_second_task(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A response that was lost just before the names of requests change costs nothing more."""
    account = await services.accounts.open_account("repeater", Decimal(10_000), "for the test")
    key = (await services.accounts.create_key(account.id)).secret
    now = float(PERIOD_SECONDS)
    monkeypatch.setattr("bodydouble.service.tasks.former_name", partial(former_name, clock=lambda: now + 1))
    before, after = (name_request(b"ab", clock=lambda at=at: at) for at in (now - 1, now + 1))
    first, repeated, other = [
        await services.tasks.submit(key, parse_submission(REQUEST), idempotency_key=name, body_hash=b"0" * 32)
        for name in (before, after, name_request(b"other", clock=lambda: now + 1))
    ]
    assert (repeated.id, repeated.replayed) == (first.id, True)
    assert other.id != first.id

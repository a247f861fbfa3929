"""Telling a receiver that a task is over, signed by the Standard Webhooks specification."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks import Webhook

from bodydouble.outbound.client import Answer, GuardedClient, RequestLimits
from bodydouble.outbound.failure import RequestFailed
from bodydouble.tasks.delivery import Attempt, Outcome

CALLBACK_LIMITS = RequestLimits(seconds_max=15, connect_seconds_max=5, stall_seconds_max=15, bytes_max=65_536)
GONE = 410
DRAIN_SECONDS_MAX = 2.0


def _now() -> datetime:
    return datetime.now(UTC)


class CallbackSender:
    """Satisfies ``tasks.delivery.CallbackTransport``. Follows no redirect: a signed body goes where it was meant to."""

    def __init__(
        self, client: GuardedClient, limits: RequestLimits = CALLBACK_LIMITS, now: Callable[[], datetime] = _now
    ) -> None:
        self._client, self._limits, self._now = client, limits, now

    async def send(self, url: str, delivery_id: UUID, body: bytes, secrets: Sequence[str]) -> Attempt:
        """POST ``body``, signed with each of ``secrets`` (``whsec_`` and base64).

        A 2xx is receipt, 410 is the wish not to be called again; everything else is to be tried again.
        """
        moment, text = self._now(), body.decode()
        signatures = [Webhook(secret).sign(str(delivery_id), moment, text) for secret in secrets]
        headers = {
            "content-type": "application/json",
            "webhook-id": str(delivery_id),
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        status, error, started = None, None, time.monotonic()
        try:
            async with self._client.exchange("POST", url, self._limits, headers=headers, content=body) as answer:
                status = answer.status
                await _drain(answer)
        except RequestFailed as failure:
            # The status stands even where what follows it is too long, too slow or broken off.
            error = failure.message if status is None else None
        if status is not None and 300 <= status < 400:
            error = "callbacks follow no redirect; give the address that it leads to."
        return Attempt(
            http_status=status,
            error=error,
            milliseconds=round((time.monotonic() - started) * 1000),
            outcome=_outcome(status),
        )


def _outcome(status: int | None) -> Outcome:
    if status is not None and 200 <= status < 300:
        return Outcome.DELIVERED
    return Outcome.GONE if status == GONE else Outcome.RETRY


async def _drain(answer: Answer) -> None:
    """Let the receiver end in order; what it says is of no use, and no reason to wait long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS_MAX), aclosing(answer.body()) as chunks:
            async for _ in chunks:
                pass

"""Sending callbacks, signed as Standard Webhooks specifies."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks import Webhook

from bodydouble.outbound.client import Answer, GuardedClient, RequestLimits
from bodydouble.outbound.failure import RequestFailed
from bodydouble.tasks.delivery import CallbackMessage, DeliveryTry, Outcome

CALLBACK_LIMITS = RequestLimits(seconds_max=15, connect_seconds_max=5, stall_seconds_max=15, bytes_max=65_536)
GONE = 410
DRAIN_SECONDS_MAX = 2.0
"""Longest time in which a response's body is read and discarded."""


def _now() -> datetime:
    return datetime.now(UTC)


def signed_headers(delivery_id: str, moment: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a callback: ``body`` is signed with each of ``secrets`` (``whsec_`` and base64)."""
    signatures = [Webhook(secret).sign(delivery_id, moment, body.decode()) for secret in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class CallbackSender:
    """Satisfies ``tasks.delivery.CallbackTransport``. Follows no redirects: a signed body must not go elsewhere."""

    def __init__(
        self, client: GuardedClient, limits: RequestLimits = CALLBACK_LIMITS, now: Callable[[], datetime] = _now
    ) -> None:
        self._client, self._limits, self._now = client, limits, now

    async def send(self, url: str, delivery_id: UUID, message: CallbackMessage) -> DeliveryTry:
        """POST the message, signed with each of its secrets.

        2xx means received, 410 means do not call again, anything else is retried.
        """
        signed = signed_headers(str(delivery_id), self._now(), message.body, message.secrets)
        headers = {**signed, **message.headers}
        status, error, started = None, None, time.monotonic()
        try:
            async with self._client.exchange(
                "POST", url, self._limits, headers=headers, content=message.body
            ) as answer:
                status = answer.status
                await _drain(answer)
        except RequestFailed as failure:
            # A received status counts, even if its body is too long, too slow or incomplete.
            error = failure.message if status is None else None
        if status is not None and 300 <= status < 400:
            error = "callbacks follow no redirects; use the address that it leads to."
        return DeliveryTry(
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
    """Read and discard the body, so that the receiver ends in order, for a short time only."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS_MAX), aclosing(answer.body()) as chunks:
            async for _ in chunks:
                pass

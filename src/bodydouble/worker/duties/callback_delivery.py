"""Sends the callbacks that are due, until told to stop.

The store lists what is due. A dispatcher leases a delivery, makes one try, and records the try and its outcome.
If the dispatcher dies, the lease ends and another one sends the delivery again: a receiver may see a delivery twice,
under the same id, and never misses it.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import structlog

from bodydouble.tasks import delivery as schedule
from bodydouble.tasks.delivery import (
    CallbackMessage,
    CallbackTransport,
    Delivery,
    DeliveryStatus,
    DeliveryTry,
    Outcome,
    retry_delay,
)
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.ports import DeliveryStore
from bodydouble.tasks.tracing import NO_TRACER, Tracer

MessageOf = Callable[[Delivery], Awaitable[CallbackMessage | None]]
"""Makes the message to send now; None if the task was deleted."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class DispatchOptions:
    """Limits on concurrent sends, leases, and the schedule of tries."""

    sends_max: int = 32
    sends_per_account_max: int = 8  # so that an account with slow receivers leaves room for others
    sends_per_host_max: int = 4
    claims_max: int = 64  # deliveries leased from the store in one query
    waiting_max: int = 512  # leased deliveries whose host or account is at its limit
    lease_seconds: float = 90
    send_seconds_max: float = 30  # one try, from reading the task to the answer
    poll_seconds: float = 0.5
    outage_seconds_max: float = 30  # longest pause between two queries while the store does not answer
    drain_seconds_max: float = 5  # time for running tries to end after a stop
    tries_max: int = schedule.TRIES_MAX
    retry_first_seconds: float = schedule.FIRST_SECONDS
    retry_factor: float = schedule.FACTOR

    def __post_init__(self) -> None:
        if self.lease_seconds <= self.send_seconds_max:
            raise ValueError(
                f"lease_seconds ({self.lease_seconds}) must be more than send_seconds_max ({self.send_seconds_max})"
            )


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    delivery: Delivery
    host: str
    lease_ends: float  # by the monotonic clock


class CallbackDispatcher:
    """One sending loop. Any number of dispatchers can share one store."""

    def __init__(
        self,
        store: DeliveryStore,
        transport: CallbackTransport,
        message_of: MessageOf,
        options: DispatchOptions | None = None,
        jitter: Callable[[], float] = random.random,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._store, self._transport, self._message_of = store, transport, message_of
        self._options = options or DispatchOptions()
        self._jitter, self._tracer = jitter, tracer
        self._waiting: list[_Claimed] = []
        self._sending: dict[asyncio.Task[None], _Claimed] = {}
        self._next_claim = 0.0  # by the monotonic clock
        self._outage_seconds = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop`` is set. Faults of a receiver or the store do not end the loop."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._start_sends()
                pause = self._options.poll_seconds
                if len(self._sending) < self._options.sends_max and len(self._waiting) < self._options.waiting_max:
                    pause = self._next_claim - time.monotonic()
                    if pause <= 0:
                        await self._claim()
                        continue
                await asyncio.wait({stopping, *self._sending}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if self._sending:
                await asyncio.wait(set(self._sending), timeout=self._options.drain_seconds_max)
        finally:
            for task in (stopping, *self._sending):
                task.cancel()

    async def _claim(self) -> None:
        """Lease what is due, and schedule the next query: at once if there may be more."""
        options = self._options
        busy = {claimed.delivery.account for claimed in self._waiting}
        asked = time.monotonic()
        try:
            found = await self._store.claim_deliveries(options.claims_max, options.lease_seconds, sorted(busy))
        except Exception as error:
            self._outage_seconds = min(max(self._outage_seconds * 2, options.poll_seconds), options.outage_seconds_max)
            self._next_claim = time.monotonic() + self._outage_seconds
            self._log_fault("callbacks cannot be read", error, seconds=self._outage_seconds)
            return
        self._outage_seconds = 0.0
        full = len(found) >= options.claims_max
        self._next_claim = asked if full else time.monotonic() + options.poll_seconds
        ends = asked + options.lease_seconds  # the store's own lease starts later, so it ends later
        self._waiting += [_Claimed(delivery=d, host=_host(d.url), lease_ends=ends) for d in found]

    def _start_sends(self) -> None:
        """Start the sends that the limits of host and account allow, oldest first; keep the rest waiting."""
        options = self._options
        hosts = Counter(claimed.host for claimed in self._sending.values())
        accounts = Counter(claimed.delivery.account for claimed in self._sending.values())
        last_start = time.monotonic() + options.send_seconds_max
        waiting: list[_Claimed] = []
        for claimed in self._waiting:
            if claimed.lease_ends < last_start:
                continue  # not enough of the lease is left for a try; it is due again when the lease ends
            account = claimed.delivery.account
            if (
                len(self._sending) >= options.sends_max
                or hosts[claimed.host] >= options.sends_per_host_max
                or accounts[account] >= options.sends_per_account_max
            ):
                waiting.append(claimed)
                continue
            hosts[claimed.host] += 1
            accounts[account] += 1
            task = asyncio.create_task(self._deliver(claimed))
            self._sending[task] = claimed
            task.add_done_callback(self._sending.pop)
        self._waiting = waiting

    async def _deliver(self, claimed: _Claimed) -> None:
        delivery = claimed.delivery
        with structlog.contextvars.bound_contextvars(task_id=str(delivery.task), delivery_id=str(delivery.id)):
            try:
                tried = await self._traced_try(delivery)
                await self._record(claimed, tried)
            except Exception as error:  # the delivery is due again when its lease ends
                self._log_fault("the try of a callback was not recorded", error)

    async def _traced_try(self, delivery: Delivery) -> DeliveryTry:
        attributes = {
            "bodydouble.task_id": str(delivery.task),
            "bodydouble.delivery_id": str(delivery.id),
            "bodydouble.attempt": delivery.tries + 1,
        }
        with self._tracer.work("callback", delivery.traceparent, attributes) as span:
            tried = await self._try(delivery)
            span.annotate({"bodydouble.outcome": tried.outcome.value})
            if tried.http_status is not None:
                span.annotate({"http.response.status_code": tried.http_status})
            if tried.outcome is Outcome.RETRY:
                span.fail("no answer" if tried.http_status is None else str(tried.http_status))
            return tried

    async def _try(self, delivery: Delivery) -> DeliveryTry:
        """Make one try. Every fault becomes an outcome, except StorageUnavailable: then no try was made."""
        try:
            async with asyncio.timeout(self._options.send_seconds_max):
                message = await self._message_of(delivery)
                if message is None:
                    return DeliveryTry(
                        http_status=None, error="the task was deleted.", milliseconds=0, outcome=Outcome.GONE
                    )
                return await self._transport.send(delivery.url, delivery.id, message)
        except StorageUnavailable:
            raise
        except Exception as error:
            # Counted as a try, so that a callback that can never be sent is given up in the end.
            self._log_fault("callback could not be sent", error)
            return DeliveryTry(
                http_status=None,
                error="the service could not send it; the operator's log has the reason under the delivery's id.",
                milliseconds=0,
                outcome=Outcome.RETRY,
            )

    async def _record(self, claimed: _Claimed, tried: DeliveryTry) -> None:
        """Store the try; retry until the lease ends. Raises StorageUnavailable."""
        delivery, options = claimed.delivery, self._options
        status, delay = self._consequence(delivery, tried)
        next_try_at = None if delay is None else datetime.now(UTC) + timedelta(seconds=delay)
        while True:
            try:
                await self._store.record_try(delivery.id, tried, next_try_at, status)
                break
            except StorageUnavailable:
                if time.monotonic() + options.poll_seconds > claimed.lease_ends:
                    raise
                await asyncio.sleep(options.poll_seconds)
        log.info(
            "callback tried",
            status=status.value,
            http_status=tried.http_status,
            error=tried.error,
            milliseconds=tried.milliseconds,
            next_seconds=None if delay is None else round(delay),
        )

    def _consequence(self, delivery: Delivery, tried: DeliveryTry) -> tuple[DeliveryStatus, float | None]:
        """The delivery's status after ``tried``, and the seconds until the next try (None: there is none)."""
        if tried.outcome is Outcome.DELIVERED:
            return DeliveryStatus.DELIVERED, None
        if tried.outcome is Outcome.GONE:
            return DeliveryStatus.GONE, None
        delay = retry_delay(
            delivery.tries + 1,
            jitter=self._jitter(),
            tries_max=self._options.tries_max,
            first_seconds=self._options.retry_first_seconds,
            factor=self._options.retry_factor,
        )
        return (DeliveryStatus.EXHAUSTED if delay is None else DeliveryStatus.PENDING), delay

    def _log_fault(self, event: str, error: Exception, **fields: object) -> None:
        if isinstance(error, StorageUnavailable):
            log.warning(event, error=error.message, **fields)
        else:
            log.error(event, exc_info=error, **fields)


def _host(url: str) -> str:
    """The host that receives a callback; the whole text if it has no host."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url

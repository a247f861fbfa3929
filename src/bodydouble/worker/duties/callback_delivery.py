"""Sends the callbacks that are due, until it is told to stop.

What is due stands in the store: a courier takes it for the time of a lease, tries it once, and records the try with
what follows from it. A courier that dies leaves nothing behind but leases that end; the receiver may then see one
delivery twice, with the same id, and never not at all.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import structlog

from bodydouble.tasks import delivery as schedule
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.delivery import Attempt, CallbackTransport, Delivery, DeliveryStatus, Outcome, retry_delay
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.ports import DeliveryStore
from bodydouble.tasks.tracing import NO_TRACER, Tracer

BodyOf = Callable[[Delivery], Awaitable[bytes | None]]
"""The JSON to send; None where the task is gone."""
SecretsOf = Callable[[AccountId], Awaitable[Sequence[str]]]
"""The account's signing secrets (``whsec_...``), at least one: during a rotation the old one signs too."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class CourierOptions:
    """How much at once, how patient, and how often a callback is tried."""

    sends_max: int = 32
    sends_per_account_max: int = 8  # with all receivers of one account slow, the rest is for the others
    sends_per_host_max: int = 4
    claims_max: int = 64  # deliveries taken from the store at once
    waiting_max: int = 512  # taken, and not yet sent because their host or account is busy
    lease_seconds: float = 90
    send_seconds_max: float = 30  # of one try, from reading its task; what is left of a lease has to last for it
    poll_seconds: float = 0.5
    outage_seconds_max: float = 30  # between two questions to a store that does not answer
    drain_seconds_max: float = 5  # for tries under way when told to stop
    tries_max: int = schedule.TRIES_MAX
    retry_first_seconds: float = schedule.FIRST_SECONDS
    retry_factor: float = schedule.FACTOR

    def __post_init__(self) -> None:
        if self.lease_seconds <= self.send_seconds_max:
            raise ValueError(
                f"lease_seconds ({self.lease_seconds}) has to be more than send_seconds_max ({self.send_seconds_max})"
            )


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    delivery: Delivery
    host: str
    lease_ends: float  # by the monotonic clock


class Courier:
    """One loop; any number of couriers work side by side on one store."""

    def __init__(
        self,
        store: DeliveryStore,
        transport: CallbackTransport,
        body_of: BodyOf,
        secrets_of: SecretsOf,
        options: CourierOptions | None = None,
        draw: Callable[[], float] = random.random,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._store, self._transport = store, transport
        self._body_of, self._secrets_of = body_of, secrets_of
        self._options = options or CourierOptions()
        self._draw, self._tracer = draw, tracer
        self._waiting: list[_Claimed] = []
        self._sending: dict[asyncio.Task[None], _Claimed] = {}
        self._next_claim = 0.0  # by the monotonic clock
        self._outage_seconds = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set. Nothing that a receiver or the store does ends it earlier."""
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
        """Take what is due, and set when to look again: at once where there may be more."""
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
        ends = asked + options.lease_seconds  # the store counts from later on: never the shorter one
        self._waiting += [_Claimed(delivery=d, host=_host(d.url), lease_ends=ends) for d in found]

    def _start_sends(self) -> None:
        """Start what its host and its account leave room for, oldest first; the rest waits for its turn."""
        options = self._options
        hosts = Counter(claimed.host for claimed in self._sending.values())
        accounts = Counter(claimed.delivery.account for claimed in self._sending.values())
        last_start = time.monotonic() + options.send_seconds_max
        waiting: list[_Claimed] = []
        for claimed in self._waiting:
            if claimed.lease_ends < last_start:
                continue  # it is due again when its lease ends, for whoever has room then
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
                attempt = await self._traced_attempt(delivery)
                await self._record(claimed, attempt)
            except Exception as error:  # the lease ends, and the delivery is due again
                self._log_fault("callback was not recorded", error)

    async def _traced_attempt(self, delivery: Delivery) -> Attempt:
        attributes = {
            "bodydouble.task_id": str(delivery.task),
            "bodydouble.delivery_id": str(delivery.id),
            "bodydouble.attempt": delivery.tries + 1,
        }
        with self._tracer.work("callback", delivery.traceparent, attributes) as span:
            attempt = await self._attempt(delivery)
            span.annotate({"bodydouble.outcome": attempt.outcome.value})
            if attempt.http_status is not None:
                span.annotate({"http.response.status_code": attempt.http_status})
            if attempt.outcome is Outcome.RETRY:
                span.fail("no answer" if attempt.http_status is None else str(attempt.http_status))
            return attempt

    async def _attempt(self, delivery: Delivery) -> Attempt:
        """One try, and an answer whatever happens. Raises StorageUnavailable: there was none."""
        try:
            async with asyncio.timeout(self._options.send_seconds_max):
                body = await self._body_of(delivery)
                if body is None:
                    return Attempt(
                        http_status=None, error="the task was deleted.", milliseconds=0, outcome=Outcome.GONE
                    )
                secrets = await self._secrets_of(delivery.account)
                return await self._transport.send(delivery.url, delivery.id, body, secrets)
        except StorageUnavailable:
            raise
        except Exception as error:
            # A try like any other: a callback that cannot be made is given up in the end, and stops nobody else's.
            self._log_fault("callback could not be sent", error)
            return Attempt(
                http_status=None,
                error="the service could not send it; its operator finds the reason under the delivery's id.",
                milliseconds=0,
                outcome=Outcome.RETRY,
            )

    async def _record(self, claimed: _Claimed, attempt: Attempt) -> None:
        """Store the try; where the store does not answer, again until the lease ends. Raises StorageUnavailable."""
        delivery, options = claimed.delivery, self._options
        status, delay = self._consequence(delivery, attempt)
        next_try_at = None if delay is None else datetime.now(UTC) + timedelta(seconds=delay)
        while True:
            try:
                await self._store.record_attempt(delivery.id, attempt, next_try_at, status)
                break
            except StorageUnavailable:
                if time.monotonic() + options.poll_seconds > claimed.lease_ends:
                    raise
                await asyncio.sleep(options.poll_seconds)
        log.info(
            "callback tried",
            status=status.value,
            http_status=attempt.http_status,
            error=attempt.error,
            milliseconds=attempt.milliseconds,
            next_seconds=None if delay is None else round(delay),
        )

    def _consequence(self, delivery: Delivery, attempt: Attempt) -> tuple[DeliveryStatus, float | None]:
        """Where the delivery stands after a try, and seconds until the next one."""
        if attempt.outcome is Outcome.DELIVERED:
            return DeliveryStatus.DELIVERED, None
        if attempt.outcome is Outcome.GONE:
            return DeliveryStatus.GONE, None
        delay = retry_delay(
            delivery.tries + 1,
            jitter=self._draw(),
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
    """Whom a callback troubles; the whole text where it names nobody."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url

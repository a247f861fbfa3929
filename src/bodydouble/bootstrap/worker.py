"""The wiring of a worker and its duties."""

import asyncio
import dataclasses
from datetime import timedelta

from bodydouble.api.callback_formats import CALLBACK_FORMATS
from bodydouble.bootstrap.callbacks import callback_sender
from bodydouble.bootstrap.options import media_limits, perception_options, renderer_settings
from bodydouble.bootstrap.provenance import signing_options
from bodydouble.bootstrap.services import open_metrics
from bodydouble.bootstrap.stores import (
    Stores,
    open_files,
    open_secret,
    open_signer,
    open_stores,
    require_the_secret,
)
from bodydouble.outbound import (
    GuardedClient,
    GuardedDownloader,
    RequestLimits,
    parse_networks,
)
from bodydouble.service import AccountService, CallbackContent
from bodydouble.settings import Settings
from bodydouble.tasks.catalogue import priced
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.tracing import Tracer
from bodydouble.worker.duties.callback_delivery import CallbackDispatcher, DispatchOptions
from bodydouble.worker.duties.cleanup import Cleanup, Retention
from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.supervision.task_run import Ports
from bodydouble.worker.supervision.worker import Worker

CALLBACK_READ_SECONDS_MAX = 10
"""Time to read the task of a callback, added to each attempt."""


INPUT_BYTES_PER_SECOND_MIN = 50_000
"""Slower servers are refused, because a download occupies one of its account's slots. At this rate 120 s bring 6 MB."""
INPUT_STALL_SECONDS_MAX = 10
"""Without a byte; the minimum rate is checked from then on."""


async def run_worker(
    settings: Settings,
    database_url: str,
    stop: asyncio.Event,
    tracer: Tracer,
    child: tuple[str, ...] | None = None,
) -> None:
    """Run one worker with its duties until ``stop`` is set. Call it in the main thread.

    With ``worker_tasks_max`` 0 it makes no videos, and still sends callbacks and cleans up.
    ``child`` replaces the command that starts child processes, for tests.
    """
    allowed = parse_networks(settings.outbound_allow)
    # Each client resolves names in threads of its own: callback addresses that never resolve must not block downloads.
    for_callbacks, for_inputs = GuardedClient(allowed), GuardedClient(allowed)
    async with open_stores(settings, database_url) as stores:
        await require_the_secret(settings, stores.installation)
        metrics = await open_metrics(settings, stores, "worker")
        files = open_files(settings)
        duties = [
            _callback_dispatcher(settings, stores, files, for_callbacks, tracer).run(stop),
            Cleanup(stores.tasks, stores.queue, stores.executors, stores.installation, files, _retention(settings)).run(
                stop
            ),
        ]
        if settings.worker_tasks_max:
            downloader = GuardedDownloader(for_inputs, input_limits(settings))
            ports = Ports(store=stores.tasks, files=files, downloader=downloader, tracer=tracer)
            options = _worker_options(settings)
            if child:
                options = dataclasses.replace(options, child=child)
            duties.append(Worker(ports, stores.executors, options, database_url).run(stop))
        reporting = asyncio.create_task(metrics.keep_reporting())
        try:
            await asyncio.gather(*duties)
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)


def input_limits(settings: Settings) -> RequestLimits:
    """The limits on downloads of inputs."""
    return RequestLimits(
        seconds_max=settings.outbound_seconds_max,
        stall_seconds_max=INPUT_STALL_SECONDS_MAX,
        bytes_per_second_min=INPUT_BYTES_PER_SECOND_MIN,
    )


def _worker_options(settings: Settings) -> WorkerOptions:
    signing = signing_options(settings)
    return WorkerOptions(
        folder=settings.data.resolve() / "work",
        models=settings.models,
        attempts_max=settings.attempts_max,
        limits=dataclasses.asdict(media_limits(settings)),
        renderers=renderer_settings(settings),
        perception=dataclasses.asdict(perception_options(settings)),
        signing=signing.to_json() if signing else None,
        label=settings.label,
        label_producer=settings.label_producer,
        runner_idle_seconds=settings.wan_idle_seconds,
        catalogue=priced(settings.credits_per_second),
        tasks_max=settings.worker_tasks_max,
        fetches_max=settings.worker_fetches_max,
        heartbeat_seconds=settings.heartbeat_seconds,
        takeover_seconds=settings.takeover_seconds,
        free_bytes_min=settings.free_bytes_min,
        checkpoints=bool(settings.files),  # other machines cannot read the data folder
    )


def _callback_dispatcher(
    settings: Settings, stores: Stores, files: FileStore, client: GuardedClient, tracer: Tracer
) -> CallbackDispatcher:
    content = CallbackContent(
        stores.tasks,
        files,
        stores.accounts,
        AccountService(stores.accounts, open_secret(settings)),
        open_signer(settings),
        settings.base_url,
        CALLBACK_FORMATS,
    )
    seconds = settings.callback_seconds_max
    options = DispatchOptions(
        tries_max=settings.callback_tries_max,
        retry_first_seconds=settings.callback_retry_seconds,
        send_seconds_max=seconds + CALLBACK_READ_SECONDS_MAX,
        lease_seconds=2 * (seconds + CALLBACK_READ_SECONDS_MAX),
    )
    sender = callback_sender(settings, client)
    return CallbackDispatcher(stores.deliveries, sender, content.message, options, tracer=tracer)


def _retention(settings: Settings) -> Retention:
    return Retention(
        deadline=timedelta(hours=settings.task_hours_max),
        media=timedelta(days=settings.media_days),
        uploads=timedelta(days=settings.uploads_days),
        rows=timedelta(days=settings.rows_days),
    )

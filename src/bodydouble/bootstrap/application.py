"""The web application: the API and the console over one installation."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route

from bodydouble import console
from bodydouble.agents.endpoint import AGENTS_PATH, AgentsEndpoint, with_callers_key
from bodydouble.api.app import ApiLimits, Application, attach, create_app
from bodydouble.api.authentication import identify, read_key
from bodydouble.api.client_origin import AllowedHosts
from bodydouble.api.crun.wire import EXAMPLES, parse_submission
from bodydouble.api.dialects import ServedDialects
from bodydouble.api.event_streams import EventStreams
from bodydouble.api.inputs import INPUTS
from bodydouble.bootstrap.buckets import configured_bucket
from bodydouble.bootstrap.callbacks import callback_sender
from bodydouble.bootstrap.demo_material import ExampleFiles
from bodydouble.bootstrap.options import media_limits
from bodydouble.bootstrap.services import (
    build_operation,
    build_services,
    build_sessions,
    open_metrics,
    renderers_by_mode,
)
from bodydouble.bootstrap.single_sign_on import build_single_sign_on
from bodydouble.bootstrap.stores import Stores, open_files, open_scratch, open_stores
from bodydouble.console import Console
from bodydouble.outbound import GuardedClient, parse_networks
from bodydouble.perception.pack import locate_pack
from bodydouble.renderers.registry import installed_plugins
from bodydouble.service import ProxyService, QualityService, Services
from bodydouble.service.callers import KeyUse
from bodydouble.settings import Settings
from bodydouble.store import PostgresAccountStore
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.tracing import NO_TRACER, Tracer
from bodydouble.worker.inspection.pool import InspectionPool
from bodydouble.worker.own_command import OwnCommand

TOUCH_SECONDS = 60
"""Interval at which the last use of keys is stored."""


def _build_console(settings: Settings, stores: Stores, files: FileStore, services: Services) -> Console:
    own, part = OwnCommand(settings.models), open_scratch(settings).part
    sessions = build_sessions(settings, stores)
    return Console(
        tasks=services.tasks,
        accounts=services.accounts,
        callbacks=services.callbacks,
        sessions=sessions,
        single_sign_on=build_single_sign_on(settings, stores, sessions),
        operation=build_operation(settings, stores, services.tasks),
        people=services.people,
        proxies=ProxyService(files, own.make_proxy, part),
        verification=services.verification,
        quality=QualityService(stores.tasks, files, own.measure, part),
        parse=parse_submission,
        schemas={name: inputs.model_json_schema() for name, inputs in INPUTS.items()},
        examples=EXAMPLES,
        renderers=renderers_by_mode(settings),
        renderer_summaries={plugin.name: plugin.summary for plugin in installed_plugins()},
        example_file=ExampleFiles(settings.data / "examples").get,
        send_callback=callback_sender(settings, GuardedClient(parse_networks(settings.outbound_allow))).send,
        write_programs=ServedDialects(settings.dialect_names_off).programs,
        limits=media_limits(settings),
        configured_url=settings.base_url,
        media_origins=_media_origins(settings),
    )


def _media_origins(settings: Settings) -> Sequence[str]:
    """The origins from which a bucket sends files to browsers. Pages may load media only from these and from us."""
    if not settings.bucket:
        return ()
    return (configured_bucket(settings).media_origin(),)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def _admit_agent(request: Request) -> AsyncGenerator[None]:
    """Admit a request to ``/mcp``. It counts as an open event stream of its account.

    Raises Unauthenticated, KeyDisabled, RateLimited, StorageUnavailable.
    """
    request.scope["fast_path_route"] = AGENTS_PATH  # names it in the log, as Starlette's own routes do not
    caller = await identify(request, read_key(request))
    streams: EventStreams = request.app.state.streams
    streams.check(caller.id)
    with streams.opened(caller.id):
        yield


def build_app(settings: Settings, database_url: str, tracer: Tracer = NO_TRACER) -> Application:
    """The web application. Its stores and services are opened and closed with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        files = open_files(settings)

        async def models_ready() -> None:
            locate_pack(settings.models)

        async with open_stores(settings, database_url) as stores, InspectionPool(media_limits(settings)) as inspections:
            services = build_services(settings, stores, files, inspections)
            metrics = await open_metrics(settings, stores, "api")
            attach(
                app,
                services=services,
                files=files,
                base_url=settings.base_url,
                renderers=renderers_by_mode(settings),
                readiness={"database": stores.tasks.ping, "files": files.ping, "models": models_ready},
                metrics_service=metrics,
                metrics_token=settings.metrics_token,
                is_public=bool(settings.public_url) and not _is_loopback(settings.public_url),
            )
            agents = AgentsEndpoint(with_callers_key(app, settings.base_url), _admit_agent)
            # Without sessions a GET would open a stream that never carries anything.
            app.router.routes.append(Route(AGENTS_PATH, endpoint=agents, methods=["POST"]))
            app.state.streams.at_close(agents.stop)
            console.attach(app, _build_console(settings, stores, files, services))
            duties = [
                asyncio.create_task(_touch_keys(services.tasks.key_use, stores.accounts)),
                asyncio.create_task(metrics.keep_reporting()),
            ]
            try:
                yield
            finally:
                await agents.close()
                for duty in duties:
                    duty.cancel()
                await asyncio.gather(*duties, return_exceptions=True)

    limits = ApiLimits(
        body_bytes_max=settings.body_bytes_max,
        data_url_bytes_max=settings.data_url_bytes_max,
        reads_per_minute=settings.reads_per_minute,
        event_streams_max=settings.event_streams_max,
    )
    app = create_app(
        lifespan=lifespan,
        limits=limits,
        tracer=tracer,
        dialects_off=settings.dialect_names_off,
        hosts=AllowedHosts.parse(settings.link_hosts),
    )
    console.install(app)
    return app


async def _touch_keys(use: KeyUse, accounts: PostgresAccountStore) -> None:
    """Store once a minute which keys were used, so that a read request costs no write."""
    while True:
        await asyncio.sleep(TOUCH_SECONDS)
        used = use.take()
        with contextlib.suppress(StorageUnavailable):  # only displayed; the next minute tries again
            if used:
                await accounts.touch_keys(used)

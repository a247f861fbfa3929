"""The only wiring: settings to store, files, services, application and worker."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
import orjson
import structlog
from fastapi import FastAPI

from bodydouble import console
from bodydouble.api import EXAMPLES, INPUTS, EdgeLimits, Services, attach, create_app, parse_submission
from bodydouble.console import Console
from bodydouble.media import MediaLimits
from bodydouble.perception import locate_pack
from bodydouble.renderers.registry import available_renderers, resolve_renderer
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.service import (
    AccountService,
    CallbackService,
    OperationService,
    PeopleService,
    QualityService,
    SessionLimits,
    SessionService,
    TaskService,
)
from bodydouble.service.callers import KeyUse
from bodydouble.service.metrics import MetricsService
from bodydouble.service.upload_check import UploadCheck
from bodydouble.settings import Settings
from bodydouble.store import (
    Database,
    EmbeddedPostgres,
    FileLimits,
    LocalFileStore,
    ObjectFileStore,
    PostgresAccountStore,
    PostgresDeliveryStore,
    PostgresOperationStore,
    PostgresSessionStore,
    PostgresTaskStore,
    Scratch,
    master_secret,
    migrate,
    open_bucket,
)
from bodydouble.tasks.catalogue import priced
from bodydouble.tasks.errors import InputRejected, RendererUnavailable, StorageUnavailable
from bodydouble.tasks.ports import FileStore
from bodydouble.tasks.session import Role
from bodydouble.tasks.task import CreateLimits
from bodydouble.tasks.tracing import NO_TRACER, Tracer
from bodydouble.worker.own_command import OwnCommand

FIRST_ACCOUNT = "default"
SCRATCH_FREE_BYTES_MIN = 500_000_000
DAY_SECONDS = 86_400
TOUCH_SECONDS = 60


class StandardError:
    """Writes each line to whatever standard error is at that moment, in one piece."""

    def msg(self, line: str) -> None:
        """Write one line."""
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = exception = msg


def _to_json(event: object, **options: Any) -> str:
    return orjson.dumps(event, default=options["default"]).decode()


def configure_logging(*, as_json: bool) -> None:
    """Log lines to stderr: JSON for machines, columns for people. Values bound to the context go into each line."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S"),
    ]
    if as_json:
        last: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    else:
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: StandardError(),
        cache_logger_on_first_use=True,
    )
    # uvicorn, the engine and the tracer speak the standard library's logging: their lines get the same form.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last[-1], foreign_pre_chain=shared))
    for name in ("uvicorn", "dbos", "opentelemetry"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def media_limits(settings: Settings) -> MediaLimits:
    """What pictures and videos this installation takes."""
    return MediaLimits(
        image_bytes_max=settings.image_bytes_max,
        image_side_min=settings.image_side_min,
        image_side_max=settings.image_side_max,
        video_bytes_max=settings.video_bytes_max,
        video_seconds_min=settings.video_seconds_min,
        video_seconds_max=settings.video_seconds_max,
        video_side_min=settings.video_side_min,
        video_side_max=settings.video_side_max,
    )


def wan_options(settings: Settings) -> WanOptions:
    """What this installation chose about the GPU renderer. Raises InputRejected."""
    chosen: dict[str, Any] = {name.removeprefix("wan_"): value for name, value in settings if name.startswith("wan_")}
    del chosen["on_workers"]
    paths: dict[str, Any] = {name: str(value.resolve()) for name, value in chosen.items() if isinstance(value, Path)}
    try:
        return WanOptions(**chosen | paths)
    except ValueError as error:
        raise InputRejected(str(error), field="wan") from None


@contextmanager
def open_database(settings: Settings) -> Generator[str, None, None]:
    """The address of a database that is up to date; the embedded server runs as long as the block.

    Raises:
        StorageUnavailable: it does not start or answer.
    """
    if settings.database_url:
        migrate(settings.database_url)
        yield settings.database_url
        return
    server = EmbeddedPostgres(settings.data / "postgres")
    server.start()
    try:
        migrate(server.url)
        yield server.url
    finally:
        server.stop()


@dataclass(frozen=True, kw_only=True)
class Stores:
    """What one database holds."""

    database: Database
    tasks: PostgresTaskStore
    accounts: PostgresAccountStore
    deliveries: PostgresDeliveryStore
    operation: PostgresOperationStore
    sessions: PostgresSessionStore


@asynccontextmanager
async def open_stores(settings: Settings, database_url: str) -> AsyncGenerator[Stores, None]:
    """Tasks, accounts, callbacks, operation. Raises StorageUnavailable."""
    database = await Database.connect(database_url, settings.database_connections_max)
    tasks = PostgresTaskStore(database, media_seconds=settings.media_days * DAY_SECONDS)
    try:
        yield Stores(
            database=database,
            tasks=tasks,
            accounts=PostgresAccountStore(database),
            deliveries=PostgresDeliveryStore(database),
            operation=PostgresOperationStore(database),
            sessions=PostgresSessionStore(database),
        )
    finally:
        await tasks.close()
        await database.close()


def open_secret(settings: Settings) -> bytes:
    """The secret that every other key is derived from. Raises InputRejected, StorageUnavailable."""
    return master_secret(settings.secret, settings.data)


def open_files(settings: Settings) -> FileStore:
    """Uploads and results. Raises InputRejected for a bucket's address that has a fault; StorageUnavailable."""
    limits = FileLimits(
        upload_seconds=settings.upload_url_seconds,
        download_seconds=settings.download_url_seconds,
        bytes_max=max(settings.video_bytes_max, settings.image_bytes_max),
        free_bytes_min=settings.free_bytes_min,
    )
    secret = open_secret(settings)
    if settings.bucket:
        return ObjectFileStore(open_bucket(settings.bucket), settings.base_url, secret, limits, _open_scratch(settings))
    return LocalFileStore(settings.files_folder, settings.base_url, secret, limits)


def build_services(settings: Settings, stores: Stores, files: FileStore) -> Services:
    """The use cases over these adapters."""
    return Services(
        tasks=TaskService(
            stores.tasks,
            stores.accounts,
            stores.operation,
            files,
            UploadCheck(files, media_limits(settings), _open_scratch(settings).part),
            _renderer_check(settings),
            CreateLimits(creates_per_minute=settings.creates_per_minute, active_max=settings.tasks_active_max),
            deadline_seconds=settings.task_hours_max * 3600,
            inline_bytes_max=settings.data_url_bytes_max,
            catalogue=priced(settings.credits_per_second),
        ),
        accounts=AccountService(stores.accounts, open_secret(settings)),
        callbacks=CallbackService(stores.tasks, stores.deliveries),
    )


def _open_scratch(settings: Settings) -> Scratch:
    return Scratch(settings.data / "scratch", settings.free_bytes_min)


def _renderers(settings: Settings) -> list[str]:
    return ["wan", "puppet"] if settings.wan_on_workers else available_renderers(wan_options(settings))


def _renderer_check(settings: Settings) -> Callable[[str], str]:
    @cache  # every create asks, and looking for packages and weights takes longer than all the rest of a create
    def check(name: str) -> str:
        if settings.wan_on_workers and name in ("auto", "wan"):
            return "wan"
        resolved = resolve_renderer(name, wan_options(settings))
        if name == "auto" and resolved == "puppet" and not settings.puppet_fallback:
            raise RendererUnavailable(
                "renderer: this installation makes no CPU previews and has no GPU renderer at the moment.",
                field="renderer",
            )
        return resolved

    return check


def build_metrics(settings: Settings, stores: Stores, role: str) -> MetricsService:
    """This process's reporter; ``role`` is api or worker."""
    process = f"{socket.gethostname()}:{os.getpid()}"
    return MetricsService(
        stores.operation, process, role, lambda: stores.database.connections, settings.takeover_seconds
    )


def _build_operation(settings: Settings, stores: Stores, tasks: TaskService) -> OperationService:
    return OperationService(
        stores.tasks, stores.accounts, stores.deliveries, stores.operation, tasks, settings.takeover_seconds
    )


def _build_sessions(settings: Settings, stores: Stores) -> SessionService:
    limits = SessionLimits(
        link_seconds=settings.sign_in_link_minutes * 60, session_seconds=settings.session_hours * 3600
    )
    return SessionService(stores.sessions, stores.accounts, limits)


def _build_console(settings: Settings, stores: Stores, files: FileStore, services: Services) -> Console:
    own, part = OwnCommand(settings.models), _open_scratch(settings).part
    return Console(
        tasks=services.tasks,
        accounts=services.accounts,
        callbacks=services.callbacks,
        sessions=_build_sessions(settings, stores),
        operation=_build_operation(settings, stores, services.tasks),
        people=PeopleService(files, own.find_people, part),
        quality=QualityService(stores.tasks, files, own.measure, part),
        parse=parse_submission,
        schemas={name: inputs.model_json_schema() for name, inputs in INPUTS.items()},
        examples=EXAMPLES,
        renderers=_renderers(settings),
        limits=media_limits(settings),
        base_url=settings.base_url,
        media_origins=_media_origins(settings),
    )


def _media_origins(settings: Settings) -> Sequence[str]:
    """Where a bucket's files are sent to browsers from; pages may load media from there and from nowhere else."""
    if not settings.bucket:
        return ()
    signer = open_bucket(settings.bucket).signer
    parts = urlsplit(obstore.sign(signer, "GET", "results/x", timedelta(minutes=1)))
    return (f"{parts.scheme}://{parts.netloc}",)


def build_app(settings: Settings, database_url: str, tracer: Tracer = NO_TRACER) -> FastAPI:
    """The web application; its parts are opened and closed with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        files = open_files(settings)

        async def models_ready() -> None:
            locate_pack(settings.models)

        async with open_stores(settings, database_url) as stores:
            services = build_services(settings, stores, files)
            metrics = build_metrics(settings, stores, "api")
            attach(
                app,
                services=services,
                files=files,
                renderers=_renderers(settings),
                readiness={"database": stores.tasks.ping, "files": files.ping, "models": models_ready},
                metrics_service=metrics,
                metrics_token=settings.metrics_token,
            )
            console.attach(app, _build_console(settings, stores, files, services))
            duties = [
                asyncio.create_task(_touch_keys(services.tasks.key_use, stores.accounts)),
                asyncio.create_task(metrics.keep_reporting()),
            ]
            try:
                yield
            finally:
                for duty in duties:
                    duty.cancel()
                await asyncio.gather(*duties, return_exceptions=True)

    limits = EdgeLimits(
        body_bytes_max=settings.body_bytes_max,
        data_url_bytes_max=settings.data_url_bytes_max,
        reads_per_minute=settings.reads_per_minute,
        event_streams_max=settings.event_streams_max,
    )
    app = create_app(lifespan=lifespan, limits=limits, tracer=tracer)
    console.install(app)
    return app


async def _touch_keys(use: KeyUse, accounts: PostgresAccountStore) -> None:
    """Store which keys were used, once a minute: a read costs no write."""
    while True:
        await asyncio.sleep(TOUCH_SECONDS)
        used = use.take()
        with contextlib.suppress(StorageUnavailable):  # a display value; the next minute has it again
            if used:
                await accounts.touch_keys(used)


@dataclass(frozen=True, kw_only=True)
class Office:
    """The use cases that an operator's commands call."""

    operation: OperationService
    accounts: AccountService
    tasks: TaskService
    sessions: SessionService


@asynccontextmanager
async def open_office(settings: Settings, database_url: str) -> AsyncGenerator[Office, None]:
    """An operator's use cases, beside or without a running service. Raises StorageUnavailable."""
    async with open_stores(settings, database_url) as stores:
        services = build_services(settings, stores, open_files(settings))
        yield Office(
            operation=_build_operation(settings, stores, services.tasks),
            accounts=services.accounts,
            tasks=services.tasks,
            sessions=_build_sessions(settings, stores),
        )


async def make_sign_in_url(settings: Settings, database_url: str) -> str:
    """An address that signs in once, as operator of the first account."""
    async with open_stores(settings, database_url) as stores:
        await stores.accounts.ensure_account(FIRST_ACCOUNT)
        token = await _build_sessions(settings, stores).make_link_token(FIRST_ACCOUNT, Role.OPERATOR)
    return console.sign_in_url(settings.base_url, token)


async def create_first_key(settings: Settings, database_url: str) -> str | None:
    """A key for the first account, or None where there is any key already."""
    async with open_stores(settings, database_url) as stores:
        if await stores.accounts.count_keys():
            return None
        service = AccountService(stores.accounts, open_secret(settings))
        owner = await service.open_account(FIRST_ACCOUNT, settings.starting_credits, "granted at the first start")
        return (await service.create_key(owner.id, "first key")).secret

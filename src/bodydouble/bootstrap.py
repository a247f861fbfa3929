"""The only wiring: settings in, running parts out."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path

from fastapi import FastAPI

from bodydouble.api import attach, create_app
from bodydouble.media import MediaLimits, probe_image, probe_video
from bodydouble.outbound import GuardedDownloader, parse_networks
from bodydouble.perception import locate_pack
from bodydouble.perception.pack import cache_folder
from bodydouble.renderers.registry import available_renderers, resolve_renderer
from bodydouble.service import Service
from bodydouble.settings import Settings
from bodydouble.store import EmbeddedPostgres, LocalFileStore, PostgresTaskStore, migrate
from bodydouble.tasks.errors import RendererUnavailable
from bodydouble.worker import TaskSteps, run_worker


def media_limits(settings: Settings) -> MediaLimits:
    """The limits on media that the settings ask for."""
    names = ("image_bytes_max", "image_side_min", "image_side_max", "video_bytes_max", "video_seconds_min")
    more = ("video_seconds_max", "video_side_min", "video_side_max")
    return MediaLimits(**{name: getattr(settings, name) for name in (*names, *more)})


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """A migrated database's URL: the one of the settings, else an embedded server in the data folder.

    The embedded server that is started here is stopped at the end; one that runs already is left running.

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


def build_files(settings: Settings) -> LocalFileStore:
    """The file store in the data folder."""
    return LocalFileStore(
        settings.data / "files",
        settings.base_url,
        upload_seconds=settings.upload_url_seconds,
        download_seconds=settings.download_url_seconds,
        bytes_max=max(settings.video_bytes_max, settings.image_bytes_max),
    )


def build_service(settings: Settings, store: PostgresTaskStore, files: LocalFileStore) -> Service:
    """The use cases over these adapters."""
    limits = media_limits(settings)

    def check_upload(key: str, field: str) -> float:
        path = files.stored(key).path
        assert path is not None, "local files have a path"
        if field.startswith("img"):
            probe_image(path, limits, field)
            return 0.0
        return probe_video(path, limits, field).duration_seconds

    def check_renderer(name: str) -> str:
        resolved = resolve_renderer(name)
        if name == "auto" and resolved == "puppet" and not settings.puppet_fallback:
            raise RendererUnavailable(
                "renderer: no GPU renderer runs here and the operator has switched the CPU preview off"
            )
        return resolved

    return Service(store, files, check_upload, check_renderer)


def build_app(settings: Settings, database_url: str) -> FastAPI:
    """The web application; it connects when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = await PostgresTaskStore.connect(database_url)
        files = build_files(settings)

        async def models_present() -> None:
            await asyncio.to_thread(locate_pack, settings.models)

        attach(
            app,
            service=build_service(settings, store, files),
            files=files,
            renderers=available_renderers(),
            readiness={"database": store.ping, "files": files.ping, "models": models_present},
        )
        yield
        await store.close()

    return create_app(lifespan=lifespan, body_bytes_max=settings.body_bytes_max)


async def create_key(settings: Settings, database_url: str, account: str, credits_granted: Decimal | None) -> str:
    """A new key of an account, made where there is none; see ``Service.create_key``."""
    store = await PostgresTaskStore.connect(database_url)
    try:
        service = build_service(settings, store, build_files(settings))
        return await service.create_key(account, credits_granted)
    finally:
        await store.close()


async def create_first_key(settings: Settings, database_url: str) -> str | None:
    """On the very first start: an account with credits and its key, else None."""
    store = await PostgresTaskStore.connect(database_url)
    try:
        if await store.count_keys():
            return None
        service = build_service(settings, store, build_files(settings))
        return await service.create_key("default", settings.starting_credits)
    finally:
        await store.close()


def work(settings: Settings, database_url: str) -> None:
    """Be a worker until told to stop."""

    async def steps(loop: asyncio.AbstractEventLoop) -> TaskSteps:
        return TaskSteps(
            store=await PostgresTaskStore.connect(database_url),
            files=build_files(settings),
            downloader=GuardedDownloader(parse_networks(settings.outbound_allow), settings.outbound_seconds_max),
            work=(settings.data / "work").resolve(),
            models=models_folder(settings),
            limits=media_limits(settings),
            attempts_max=settings.attempts_max,
            loop=loop,
        )

    run_worker(database_url, settings.data, steps)


def models_folder(settings: Settings) -> Path:
    """Where the model pack is or will be."""
    return settings.models or cache_folder()

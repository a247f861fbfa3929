"""Checks of ``doctor``: the installation that this machine belongs to."""

import asyncio
from collections.abc import Iterator

from bodydouble import __version__
from bodydouble.bootstrap.admin_services import InstallationState, inspect_installation
from bodydouble.cli.machine_checks import Finding
from bodydouble.settings import Settings
from bodydouble.store import EmbeddedPostgres
from bodydouble.tasks.errors import BodydoubleError


def check_installation(settings: Settings) -> Iterator[Finding]:
    """Database, file store, secret and workers; nothing without an installation."""
    if settings.database_url:
        database_url = settings.database_url
    elif (settings.data / "postgres" / "cluster").exists():
        database_url = EmbeddedPostgres(settings.data / "postgres").url
    else:
        return
    try:
        state = asyncio.run(inspect_installation(settings, database_url))
    except BodydoubleError as error:
        if settings.database_url:
            remedy = "start it, or correct DATABASE_URL"
            yield Finding(subject="database", state="bad", detail=error.message, remedy=remedy)
        else:
            yield Finding(subject="database", state="absent", detail="not running", remedy="bodydouble serve")
        return
    yield Finding(subject="database", state="good", detail="answers")
    yield from _findings(state)


def _findings(state: InstallationState) -> Iterator[Finding]:
    files = Finding(subject="file store", state="good", detail="writable")
    if state.files:
        files = Finding(
            subject="file store", state="bad", detail=state.files, remedy="correct BODYDOUBLE_FILES or its disk"
        )
    yield files
    if not state.has_secret:
        yield Finding(
            subject="secret",
            state="bad",
            detail="differs from the installation's: links and callbacks signed on this machine are invalid",
            remedy="set BODYDOUBLE_SECRET to the content of the file secret in the first machine's data folder",
        )
    waiting = f"{state.queue.pending} tasks waiting, {state.queue.running} running"
    names = ", ".join(executor.host for executor in state.alive)
    if state.alive:
        yield Finding(subject="workers", state="good", detail=f"{len(state.alive)} alive ({names}); {waiting}")
    else:
        remedy = "bodydouble worker, or serve without --no-worker"
        yield Finding(subject="workers", state="absent", detail=f"none alive; {waiting}", remedy=remedy)
    for executor in state.silent:
        detail = f"{executor.id} sent its last heartbeat at {executor.beat_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(
            subject="silent worker",
            state="absent",
            detail=detail,
            remedy="other workers take over its tasks; check its log",
        )
    for executor in state.alive:
        if executor.version != __version__:
            detail = f"{executor.id} has version {executor.version}, this machine {__version__}"
            yield Finding(
                subject="version", state="absent", detail=detail, remedy="install the same version everywhere"
            )

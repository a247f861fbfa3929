"""What ``doctor`` finds out about the installation that this machine belongs to."""

import asyncio
from collections.abc import Iterator

from bodydouble import __version__
from bodydouble.bootstrap.admin_services import InstallationState, inspect_installation
from bodydouble.cli.examination import Finding
from bodydouble.settings import Settings
from bodydouble.store import EmbeddedPostgres
from bodydouble.tasks.errors import BodydoubleError


def look_at_installation(settings: Settings) -> Iterator[Finding]:
    """Database, file store, secret, workers. Nothing where there is no installation, or it is asleep."""
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
            mend = "start it, or mend DATABASE_URL"
            yield Finding(subject="database", state="bad", detail=error.message, mend=mend)
        else:
            yield Finding(subject="database", state="absent", detail="asleep", mend="bodydouble serve")
        return
    yield Finding(subject="database", state="good", detail="answers")
    yield from _findings(state)


def _findings(state: InstallationState) -> Iterator[Finding]:
    files = Finding(subject="file store", state="good", detail="can be written")
    if state.files:
        files = Finding(subject="file store", state="bad", detail=state.files, mend="mend BODYDOUBLE_FILES or its disk")
    yield files
    if not state.has_secret:
        yield Finding(
            subject="secret",
            state="bad",
            detail="this machine has another one than the installation: links and callbacks signed here are worthless",
            mend="set BODYDOUBLE_SECRET to the text of the file secret in the first machine's data folder",
        )
    waiting = f"{state.queue.pending} tasks wait, {state.queue.running} run"
    names = ", ".join(executor.host for executor in state.alive)
    if state.alive:
        yield Finding(subject="workers", state="good", detail=f"{len(state.alive)} alive ({names}); {waiting}")
    else:
        mend = "bodydouble worker, or serve without --no-worker"
        yield Finding(subject="workers", state="absent", detail=f"none alive; {waiting}", mend=mend)
    for executor in state.silent:
        detail = f"{executor.id} gave its last sign at {executor.beat_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(
            subject="silent worker", state="absent", detail=detail, mend="others have its tasks; look at its log"
        )
    for executor in state.alive:
        if executor.version != __version__:
            detail = f"{executor.id} has version {executor.version}, this machine {__version__}"
            yield Finding(subject="version", state="absent", detail=detail, mend="install the same version everywhere")

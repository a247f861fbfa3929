"""``serve`` and ``worker``."""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Generator, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvicorn
import uvloop
from rich.markup import escape
from rich.panel import Panel

from bodydouble import __version__
from bodydouble.cli.companions import keep
from bodydouble.cli.data_folder import held
from bodydouble.cli.terminal import err, fail, is_interactive, load_settings, out
from bodydouble.settings import Settings
from bodydouble.tasks.tracing import Tracer
from bodydouble.worker.process import end_with

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the database, files and workspaces.", show_default=False)
]
OwnerOption = Annotated[int | None, typer.Option("--owner", hidden=True, help="End with this process, the parent.")]
Companions = Iterable[Coroutine[Any, Any, None]]


def serve(
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.  [default: 8000]", max=65535)] = None,
    workers: Annotated[bool, typer.Option("--worker/--no-worker", help="Make videos here too.")] = True,
    api_processes: Annotated[int, typer.Option(min=1, max=64, help="Of the API: each uses one core at most.")] = 1,
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="BODYDOUBLE_SECRET was changed on purpose, on every machine.")
    ] = False,
) -> None:
    """Run the API, its embedded database and one worker. Ctrl-C ends all; unfinished tasks go on at the next start.

    With --no-worker no video is made here; callbacks are sent and old files removed all the same.

    Examples:

      bodydouble serve

      bodydouble serve --data /srv/bodydouble --host 0.0.0.0 --port 80

      DATABASE_URL=postgresql://… bodydouble serve --no-worker
    """
    settings = load_settings(data=data, host=host, port=port)
    if settings.oidc_issuer:
        from bodydouble.bootstrap.single_sign_on import open_provider

        open_provider(settings)  # what cannot work is said before anything starts
    with held(settings.data.resolve()), _listen(settings) as listener:
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        err.print(f"Starting bodydouble {__version__}, data in {escape(str(settings.data.resolve()))}")
        _run(settings, listener, renders=workers, api_processes=api_processes, new_secret=new_secret)


def _run(settings: Settings, listener: socket.socket, *, renders: bool, api_processes: int, new_secret: bool) -> None:
    """All of ``serve`` until it is told to end."""
    from bodydouble.bootstrap.admin_services import create_first_key, make_sign_in_url
    from bodydouble.bootstrap.logs import configure_logging  # takes a second, as the next: not before the first word
    from bodydouble.bootstrap.stores import adopt_secret, open_database
    from bodydouble.bootstrap.tracing import open_tracer

    configure_logging(as_json=settings.log_json or not is_interactive())
    with open_tracer() as tracer, open_database(settings) as database_url:
        if new_secret:
            asyncio.run(adopt_secret(settings, database_url))
        key = asyncio.run(create_first_key(settings, database_url))
        _welcome(settings, key, asyncio.run(make_sign_in_url(settings, database_url)))
        companions = _companions(settings, database_url, listener, renders=renders, api_processes=api_processes)
        uvloop.run(_serve(settings, database_url, listener, tracer, companions))


def api(
    listening: Annotated[int, typer.Option("--socket", help="Number of an open, listening socket.")],
    data: DataOption = None,
    owner: OwnerOption = None,
) -> None:
    """A further process of the API; `serve --api-processes` starts them."""
    from bodydouble.bootstrap.logs import configure_logging
    from bodydouble.bootstrap.tracing import open_tracer

    if owner is not None:
        end_with(owner)
    settings = load_settings(data=data)
    configure_logging(as_json=settings.log_json or not is_interactive())
    with socket.socket(fileno=listening) as listener, open_tracer() as tracer:
        uvloop.run(_serve(settings, settings.database_url, listener, tracer))


def worker(
    data: DataOption = None,
    tasks: Annotated[
        int | None, typer.Option(min=0, help="Videos made at once, the same for all workers.  [default: 1]")
    ] = None,
    owner: OwnerOption = None,
) -> None:
    """Run one worker without the API: for more machines on one database, or beside `serve`.

    Examples:

      bodydouble worker --data ./bodydouble-data

      DATABASE_URL=postgresql://… bodydouble worker --data /srv/worker-1
    """
    if owner is not None:
        end_with(owner)
    work(load_settings(data=data, worker_tasks_max=tasks))


def work(settings: Settings, child: tuple[str, ...] | None = None) -> NoReturn:
    """Run one worker until SIGTERM, then end the process. ``child``: see ``run_worker``."""
    from bodydouble.bootstrap.logs import configure_logging
    from bodydouble.bootstrap.stores import open_database
    from bodydouble.bootstrap.tracing import open_tracer
    from bodydouble.bootstrap.worker import run_worker

    configure_logging(as_json=settings.log_json or not is_interactive())

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await run_worker(settings, database_url, stop, tracer, child)

    with open_tracer() as tracer, open_database(settings) as database_url:
        asyncio.run(run())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a step that was handed over still waits in a thread of the durable engine


def _listen(settings: Settings) -> socket.socket:
    """The socket to serve on, bound before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        other_port = "choose another port with --port (0 takes a free one)"
        if error.errno == errno.EADDRINUSE:
            fail(f"{where} is taken: another program, perhaps another `serve`, listens there; {other_port}")
        mend = other_port if error.errno == errno.EACCES else "check --host"
        fail(f"cannot listen on {where}: {error.strerror}; {mend}")
    return listener


def _welcome(settings: Settings, key: str | None, sign_in: str) -> None:
    """URL, documentation, a sign-in link and, once, the first key: on stdout, where a script can read them too."""
    lines = [f"bodydouble listens on {settings.base_url}", f"documentation: {settings.base_url}/docs"]
    lines.append(f"open in a browser, works once: {sign_in}")
    if key:
        lines += [f"first key: {key}", f"its credits: {settings.starting_credits}  (the key is shown only this once)"]
    lines.append(f"data: {settings.data.resolve()}")
    if sys.stdout.isatty():
        out.print(Panel("\n".join(lines), expand=False))
    else:
        print("\n".join(lines), flush=True)


class _Server(uvicorn.Server):
    """Leaves signals to us: after its own handling uvicorn raises them again, before the rest could end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _serve(
    settings: Settings, database_url: str, listener: socket.socket, tracer: Tracer, companions: Companions = ()
) -> None:
    """The API in this process, with ``companions`` beside it, until it is told to end."""
    from bodydouble.bootstrap.application import build_app

    app = build_app(settings, database_url, tracer)
    # What is here stays: to look whether it is still in use would stop every request for a tenth of a second at a time.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    server = _Server(config)

    def end() -> None:
        app.state.streams.close()  # the server waits for open answers, and these would not end by themselves
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    kept = [asyncio.create_task(companion) for companion in companions]
    try:
        await server.serve(sockets=[listener])
    finally:
        for companion in kept:
            companion.cancel()
        await asyncio.gather(*kept, return_exceptions=True)


def _companions(
    settings: Settings, database_url: str, listener: socket.socket, *, renders: bool, api_processes: int
) -> Iterator[Coroutine[Any, Any, None]]:
    """The worker, and the other processes of the API on the same socket.

    The worker has its own process, because the durable engine polls from threads of its own and would share the
    interpreter lock with the API, because a fault of the one then leaves the other up, and because so the process that
    strangers speak to never speaks to strangers' addresses. One that makes no videos has other duties.
    """
    yield keep("worker", settings, database_url, "worker", *(() if renders else ("--tasks", "0")))
    socket_number = listener.fileno()
    for _ in range(api_processes - 1):
        arguments = ("api", "--socket", str(socket_number))
        yield keep("API's process", settings, database_url, *arguments, descriptors=(socket_number,))

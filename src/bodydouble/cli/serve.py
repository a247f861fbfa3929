"""``serve``, ``worker`` and ``init``: the commands that create and run an installation."""

import asyncio
import contextlib
import errno
import gc
import os
import shlex
import signal
import socket
import ssl
import sys
from collections.abc import Coroutine, Generator, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer
import uvicorn
import uvloop
from rich.markup import escape

from bodydouble import __version__
from bodydouble.cli.data_folder import locked
from bodydouble.cli.models import install_with_progress
from bodydouble.cli.options import DataOption, OwnerOption
from bodydouble.cli.running_services import register_service
from bodydouble.cli.settings import load_settings
from bodydouble.cli.side_processes import keep_running
from bodydouble.cli.terminal import err, fail, is_interactive, printable, warn
from bodydouble.settings import Settings
from bodydouble.tasks.heavy_imports import heavy_imports
from bodydouble.tasks.tracing import Tracer
from bodydouble.worker.process import end_with

SideProcesses = Iterable[Coroutine[Any, Any, None]]
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound to
DOCUMENTATION_ADDRESS = ("192.0.2.1", 9)
"""RFC 5737: belongs to nobody."""
COLLECTION_OBJECTS = 10_000
"""Objects made, and alive, between two searches for cyclic garbage. 64 requests at a time have up to 5000. With the
default of Python, 700, each of them was searched several times before its end, for a tenth of a create's time."""
TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Name a file of authorities to Python, to its package requests, and to Node.js."""


def serve(
    data: DataOption = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 chooses a free one.", show_default="8000")
    ] = None,
    workers: Annotated[bool, typer.Option("--worker/--no-worker", help="Also make videos on this machine.")] = True,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Speak https with this certificate chain (PEM).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Private key of the certificate (PEM).")] = None,
    tls_self_signed: Annotated[
        bool, typer.Option("--tls-self-signed", help="Speak https with a certificate of a local authority.")
    ] = False,
    api_processes: Annotated[int, typer.Option(min=1, max=64, help="API processes; each uses at most one core.")] = 1,
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="Accept that BODYDOUBLE_SECRET was changed on every machine.")
    ] = False,
) -> None:
    """Run the API, its embedded database and one worker. Ctrl-C stops all; unfinished tasks continue at the next start.

    The perception models are downloaded at the first start. With --no-worker this machine makes no videos; it still
    sends callbacks and removes expired files.

    Examples:

      bodydouble serve

      bodydouble serve --data /srv/bodydouble --host 0.0.0.0 --port 80

      DATABASE_URL=postgresql://… bodydouble serve --no-worker

      bodydouble serve --tls-self-signed
    """
    settings = load_settings(data=data, host=host, port=port, tls_cert=tls_cert, tls_key=tls_key)
    if settings.oidc_issuer:
        from bodydouble.bootstrap.single_sign_on import open_provider

        open_provider(settings)  # reports a wrong configuration before anything starts
    _check_renderers(settings)
    with locked(settings.data.resolve()), _listen(settings) as listener:
        settings = _with_certificate(settings, self_signed=tls_self_signed)
        settings = _with_public_url(settings.model_copy(update={"port": listener.getsockname()[1]}))
        err.print(f"Starting bodydouble {__version__}, data in {escape(str(settings.data.resolve()))}")
        if workers:
            install_with_progress(quiet=True)  # else every task would fail
        with register_service(settings):
            _run(settings, listener, renders=workers, api_processes=api_processes, new_secret=new_secret)


def _check_renderers(settings: Settings) -> None:
    """Raises InputRejected before anything starts: a renderer refuses its settings."""
    with heavy_imports():
        from bodydouble.bootstrap.options import renderer_settings

    renderer_settings(settings)


def _with_certificate(settings: Settings, *, self_signed: bool) -> Settings:
    """Settings with the certificate of the service, if it has one; ends the command if that cannot be used."""
    if self_signed:
        from bodydouble.bootstrap.local_certificate import make_local_certificate

        made = make_local_certificate(settings)
        settings = settings.model_copy(update={"tls_cert": made.certificate, "tls_key": made.key})
        authority = made.authority.resolve()
        trusted = " ".join(f"{name}={shlex.quote(str(authority))}" for name in TRUST_VARIABLES)
        print(f"trust it: export {trusted}", flush=True)
    if settings.tls_cert is None and settings.tls_key is None:
        return settings
    if settings.tls_cert is None or settings.tls_key is None:
        fail("--tls-cert and --tls-key belong together; give both, or --tls-self-signed")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        fail(f"{settings.tls_cert} and {settings.tls_key} cannot be used for TLS: {error}")
    return settings


def _with_public_url(settings: Settings) -> Settings:
    """Settings whose links other machines can open, if the service listens on all addresses.

    Without a public URL, links name the host of the request if it is an address or this machine's name: a request that
    came here used a host that leads here. Callbacks have no request; their links name this machine's address.
    """
    if settings.public_url or settings.host not in ANY_ADDRESS:
        return settings
    url = f"{urlsplit(settings.base_url).scheme}://{_machine_address()}:{settings.port}"
    warn(f"callbacks name {url}; set BODYDOUBLE_PUBLIC_URL if clients reach this machine at another address")
    hosts = ",".join([*settings.link_hosts, socket.gethostname(), "0.0.0.0/0", "::/0"])
    return settings.model_copy(update={"public_url": url, "allowed_hosts": hosts})


def _machine_address() -> str:
    """This machine's address in its network, else its host name."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(DOCUMENTATION_ADDRESS)  # chooses a route, sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()


def init(data: DataOption = None) -> None:
    """Create an installation without starting the service: its database, its secret and the first key.

    Prints the key alone on stdout; it cannot be shown again. `serve` does the same at its first start.

    Example: KEY=$(bodydouble init --data /srv/bodydouble)
    """
    from bodydouble.bootstrap.admin_services import create_first_key
    from bodydouble.bootstrap.logs import configure_logging
    from bodydouble.bootstrap.stores import open_database

    settings = load_settings(data=data)
    configure_logging(as_json=settings.log_json)
    with open_database(settings, under_others=False) as database_url:
        key = asyncio.run(create_first_key(settings, database_url))
    where = "the database of DATABASE_URL" if settings.database_url else str(settings.data.resolve())
    if key is None:
        fail(f"{where} already contains an installation with keys; `bodydouble keys create` adds a key")
    err.print(
        f"Created an installation in {where}; the key's account has {settings.starting_credits} credits.", markup=False
    )
    typer.echo(key)


def _run(settings: Settings, listener: socket.socket, *, renders: bool, api_processes: int, new_secret: bool) -> None:
    """Run the service until it receives a signal to stop."""
    with heavy_imports():  # after the first line of output
        from bodydouble.bootstrap.admin_services import create_first_key, make_sign_in_url
        from bodydouble.bootstrap.logs import configure_logging
        from bodydouble.bootstrap.stores import adopt_secret, open_database
        from bodydouble.bootstrap.tracing import open_tracer

    configure_logging(as_json=settings.log_json or not is_interactive())
    with open_tracer() as tracer, open_database(settings) as database_url:
        if new_secret:
            asyncio.run(adopt_secret(settings, database_url))
        key = asyncio.run(create_first_key(settings, database_url))
        _print_welcome(settings, key, asyncio.run(make_sign_in_url(settings, database_url)))
        processes = _side_processes(settings, database_url, listener, renders=renders, api_processes=api_processes)
        uvloop.run(_serve(settings, database_url, listener, tracer, processes))


def api(
    listening: Annotated[int, typer.Option("--socket", help="File descriptor of a listening socket.")],
    data: DataOption = None,
    owner: OwnerOption = None,
) -> None:
    """An additional API process, started by `serve --api-processes`."""
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
        int | None,
        typer.Option(
            min=0, help="Tasks that each worker runs at once; the last worker to start decides.", show_default="1"
        ),
    ] = None,
    owner: OwnerOption = None,
) -> None:
    """Run one worker without the API: on further machines of one database, or beside `serve`.

    Examples:

      bodydouble worker --data ./bodydouble-data

      DATABASE_URL=postgresql://… bodydouble worker --data /srv/worker-1
    """
    if owner is not None:
        end_with(owner)
    settings = load_settings(data=data, worker_tasks_max=tasks)
    _check_renderers(settings)
    if settings.worker_tasks_max:
        install_with_progress(quiet=True)
    work(settings)


def work(settings: Settings, child: tuple[str, ...] | None = None) -> NoReturn:
    """Run one worker until SIGTERM or SIGINT, then end the process. ``child``: see ``run_worker``."""
    with heavy_imports():
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
    os._exit(0)  # a thread of the durable engine may still wait for a step that another worker has taken over


def _listen(settings: Settings) -> socket.socket:
    """The bound and listening socket of the service."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        other_port = "choose another port with --port (0 chooses a free one)"
        if error.errno == errno.EADDRINUSE:
            fail(f"{where} is in use by another program, perhaps another `serve`; {other_port}")
        remedy = other_port if error.errno == errno.EACCES else "check --host"
        fail(f"cannot listen on {where}: {error.strerror}; {remedy}")
    return listener


def _print_welcome(settings: Settings, key: str | None, sign_in_url: str) -> None:
    """Print URL, documentation, a sign-in link and, once, the first key to stdout, where scripts can read them."""
    lines = [f"bodydouble listens on {settings.base_url}", f"documentation: {settings.base_url}/docs"]
    lines.append(f"open in a browser, works once: {sign_in_url}")
    if key:
        lines += [f"first key: {key}", f"its credits: {settings.starting_credits}  (the key is shown only this once)"]
    lines.append(f"data: {settings.data.resolve()}")
    print(printable("\n".join(lines)), flush=True)  # no frame: it would cut the link on a narrow terminal


class _Server(uvicorn.Server):
    """A server without signal handlers: uvicorn raises signals again after its own handling, too early for us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # These objects live as long as the process. Without the freeze, each collection would stop requests for 0.1 s.
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECTION_OBJECTS)


async def _serve(
    settings: Settings, database_url: str, listener: socket.socket, tracer: Tracer, processes: SideProcesses = ()
) -> None:
    """Run the API in this process, and ``processes`` at the same time, until SIGINT or SIGTERM."""
    with heavy_imports():
        from bodydouble.api.connections import limited_protocol, reserve_connections
        from bodydouble.bootstrap.application import build_app
        from bodydouble.outbound import parse_networks

    app = build_app(settings, database_url, tracer)
    proxies = parse_networks(settings.trusted_proxies)

    def is_upload(url: bytes) -> bool:
        path = url.split(b"?", 1)[0].decode("latin-1")
        return bool(app.state.dialects.receives_files(path))

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
        http=limited_protocol(
            reserve_connections(settings.connections_max, settings.client_connections_max, proxies, is_upload)
        ),
        proxy_headers=bool(proxies),  # without trusted proxies uvicorn's middleware changes nothing
        forwarded_allow_ips=[str(network) for network in proxies],
        ws="none",
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    server = _Server(config)

    def stop() -> None:
        app.state.streams.close()  # the server waits for open responses, and event streams do not end by themselves
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    running = [asyncio.create_task(process) for process in processes]
    try:
        await server.serve(sockets=[listener])
    finally:
        for process in running:
            process.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _side_processes(
    settings: Settings, database_url: str, listener: socket.socket, *, renders: bool, api_processes: int
) -> Iterator[Coroutine[Any, Any, None]]:
    """The worker, and the additional API processes on the same socket.

    The worker is a process of its own for three reasons. The durable engine polls in threads that would share the
    interpreter lock with the API. A crash of one leaves the other running. And the process that accepts requests from
    strangers never sends requests to their addresses. A worker without videos still has background duties.
    """
    yield keep_running("worker", settings, database_url, "worker", *(() if renders else ("--tasks", "0")))
    socket_number = listener.fileno()
    for _ in range(api_processes - 1):
        arguments = ("api", "--socket", str(socket_number))
        yield keep_running("API process", settings, database_url, *arguments, descriptors=(socket_number,))

"""``mcp``: serve tools to an agent on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from bodydouble.cli.terminal import EXIT_USAGE, fail


def mcp(
    folder: Annotated[
        list[Path] | None,
        typer.Option(
            "--folder", metavar="FOLDER", help="Files that the agent may use; repeatable.", show_default=False
        ),
    ] = None,
) -> None:
    """Serve tools to an agent over standard input and output (Model Context Protocol).

    The agent's program starts this command. It uses the service of BODYDOUBLE_BASE_URL with the key in
    BODYDOUBLE_API_KEY. Without --folder the agent reads and writes no local files.

    Example:

      bodydouble mcp --folder ~/videos
    """
    for path in folder or ():
        if not path.expanduser().is_dir():
            fail(f"--folder: there is no folder {path}", EXIT_USAGE)
    from bodydouble.agents.connections import with_environment_key  # slow imports: not for --help
    from bodydouble.agents.server import build_server
    from bodydouble_client import AuthenticationError

    try:
        connect = with_environment_key()
    except (AuthenticationError, ValueError) as error:
        fail(str(error), EXIT_USAGE)
    build_server(connect, [path.expanduser() for path in folder or ()]).run("stdio")

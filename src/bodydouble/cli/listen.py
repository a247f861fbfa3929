"""``listen``: forward the callbacks of an account to a program on this machine."""

from typing import Annotated

import typer

from bodydouble.cli.terminal import EXIT_USAGE, err, fail, out


def listen(
    forward_to: Annotated[str, typer.Option(metavar="URL", help="Address of your program.")],
) -> None:
    """Forward the callbacks of your account to a program on this machine until you press Ctrl-C.

    Each task that ends is sent as a signed POST, as the service sends it to a callback_url. It uses the address
    and the key in BODYDOUBLE_BASE_URL and BODYDOUBLE_API_KEY. Tasks need no callback_url.

    Example:

      bodydouble listen --forward-to http://localhost:3000/bodydouble
    """
    if not forward_to.startswith(("http://", "https://")):
        fail(f"--forward-to: {forward_to} is no URL that starts with http:// or https://", EXIT_USAGE)
    import httpx  # slow imports: not for --help

    from bodydouble.bootstrap.callback_forwarding import FORWARD_SECONDS_MAX, ClientTasks, EndedTasks, follow, forward
    from bodydouble_client import Client, ClientError

    try:
        with Client() as client, httpx.Client(timeout=FORWARD_SECONDS_MAX, trust_env=False) as http:
            secret = client.account.webhook_secret()
            ended = EndedTasks(ClientTasks(client))
            err.print(f"forwarding callbacks of {client.base_url} to {forward_to}; end with Ctrl-C", markup=False)
            err.print(f"their secret: {secret}", markup=False)
            follow(ended, lambda task: out.print(forward(task, forward_to, secret, http), markup=False))
    except (ClientError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        return

"""The error of requests to untrusted addresses."""


class RequestFailed(Exception):
    """A request was refused, or its response was wrong. The message is for the caller who gave the address.

    It never reveals how a name resolves inside our network, or what responds there.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def not_public(host: str) -> str:
    """The message for a host with an address that untrusted requests must not reach."""
    return (
        f"the host {host} is not a public address. Use one that the internet reaches, or let the operator allow the "
        "network (BODYDOUBLE_OUTBOUND_ALLOW)."
    )

"""Why a request to somebody else's address came to nothing."""


class RequestFailed(Exception):
    """Refused before it was sent, or not answered as it should. The message is for the one who gave the address.

    It never tells what a name stands for inside our network, nor what answered there.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def not_public(host: str) -> str:
    """For a host with an address that no stranger's request may reach."""
    return (
        f"the host {host} is not a public address. Give one that the internet reaches, or let the operator allow the "
        "network (BODYDOUBLE_OUTBOUND_ALLOW)."
    )

"""What can be said of a stranger's address from its text alone, in microseconds and without asking a name server."""

import ipaddress
import re
from collections.abc import Callable, Sequence

from bodydouble.outbound.addresses import Address, Network, is_reachable
from bodydouble.outbound.failure import RequestFailed, not_public
from bodydouble.outbound.target import parse_target

# A host in brackets, or one that ends in a digit or in localhost: of all others only their addresses tell.
_SUSPECT = re.compile(r"https?://(?:\[|[^/?#:]*?(?:[0-9]|localhost)\.?(?::[0-9]*)?(?:[/?#]|\Z))", re.IGNORECASE)
_LOOPBACK: Sequence[Address] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))


def address_check(allowed: Sequence[Network]) -> Callable[[str], str | None]:
    """Tells of an http(s) URL why ``GuardedClient`` with ``allowed`` will refuse it; None where that is not sure yet.

    It sees addresses written as such and this machine's name (RFC 6761), no others: what a name stands for is looked
    up when the request is sent, and checked then whatever this said.
    """

    def check(url: str) -> str | None:
        if not _SUSPECT.match(url):
            return None
        try:
            target = parse_target(url)
        except RequestFailed as error:
            return error.message
        name = target.host.rstrip(".")
        local = name == "localhost" or name.endswith(".localhost")
        candidates = [target.literal] if target.literal else _LOOPBACK if local else []
        if not candidates or any(is_reachable(address, allowed) for address in candidates):
            return None
        return not_public(target.host)

    return check
